#!/usr/bin/env python3
"""Proves that the simulator catches what it is there to catch: applies each patch of this folder to a copy of one
source file, rebuilds that one object, links it in front of the rest, and demands that a run of at most 1,000 seeds
fails. A patch that no longer applies fails too; no wrong code lives in the product.

usage: run_mutants.py BUILD_DIR [NAME...]
"""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
SEEDS = 1000


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


def patched_file(patch):
    """The one file that a patch changes, relative to the root."""
    files = re.findall(r"^\+\+\+ b/(\S+)", open(patch).read(), re.M)
    if len(files) != 1:
        raise SystemExit(f"{patch}: a mutant changes exactly one file, not {files}")
    return files[0]


def compile_mutant(build, patch, folder):
    """The object of the patched file; None when the patch no longer applies or the copy does not build."""
    source = patched_file(patch)
    copy = os.path.join(folder, os.path.basename(source))
    done = run(["patch", "-s", "-o", copy, os.path.join(ROOT, source), patch])
    if done.returncode != 0:
        return None, f"the patch no longer applies: {done.stdout}{done.stderr}"
    entries = [e for e in json.load(open(os.path.join(build, "compile_commands.json")))
               if os.path.realpath(e["file"]) == os.path.join(ROOT, source)]
    words = [w for w in shlex.split(entries[0]["command"]) if not w.endswith("ccache")]
    target = os.path.join(folder, "mutant.o")
    words[words.index("-o") + 1] = target
    words[words.index("-c") + 1] = copy
    words += ["-I" + ROOT, "-O0", "-g0", "-w"]  # one file, compiled once: quickly
    done = run(words, cwd=entries[0]["directory"])
    return (target, "") if done.returncode == 0 else (None, done.stderr)


def link_command(build):
    """The command that links sim_test, as words."""
    lines = run(["ninja", "-C", build, "-t", "commands", "bin/sim_test"]).stdout.splitlines()
    line = [x for x in lines if "-o bin/sim_test " in x][-1]
    return shlex.split(line.replace(": && ", "", 1).replace(" && :", ""))


def try_mutant(build, patch):
    """"" when the mutant was caught, else why it was not."""
    with tempfile.TemporaryDirectory() as folder:
        built, why = compile_mutant(build, patch, folder)
        if built is None:
            return why, ""
        words = link_command(build)
        words[words.index("-o") + 1] = os.path.join(folder, "sim_mutant")
        first_object = next(i for i, w in enumerate(words) if w.endswith("sim_test.cc.o"))
        words.insert(first_object + 1, built)
        done = run(words, cwd=build)
        if done.returncode != 0:
            return "it does not link: " + done.stderr, ""
        done = run([os.path.join(folder, "sim_mutant"), f"--seeds={SEEDS}", "--gtest_fail_fast",
                    "--gtest_filter=*ChaosBreaksNoPromise*:*WithoutFaults*"], timeout=600)
        if done.returncode == 0:
            return f"{SEEDS} seeds did not notice", ""
        caught = re.search(r"replay: .*\n.*|C\+\+ exception.*", done.stdout)
        return "", caught[0].replace("\n", " ") if caught else f"exit {done.returncode} {done.stderr.strip()[-150:]}"


def main():
    build, names = os.path.abspath(sys.argv[1]), sys.argv[2:]
    patches = sorted(f for f in os.listdir(HERE) if f.endswith(".patch"))
    failed = 0
    for name in patches:
        if names and name.removesuffix(".patch") not in names:
            continue
        start = time.monotonic()
        why, how = try_mutant(build, os.path.join(HERE, name))
        print(f"{'SURVIVED' if why else 'caught  '} {name.removesuffix('.patch'):24} {time.monotonic() - start:5.1f} s  "
              f"{(why or how)[:200]}", flush=True)
        failed += bool(why)
    if not patches:
        raise SystemExit("there are no mutants")
    raise SystemExit(1 if failed else 0)


main()
