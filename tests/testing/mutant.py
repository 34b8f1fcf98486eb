"""Wrong versions of the product for tests that must notice them: one source file is patched in a copy, compiled as the
build compiles it, and linked in front of the libraries that hold the right one. No wrong code lives in the product."""
import json
import os
import re
import shlex
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class MutantError(Exception):
    """The patch no longer applies, or what it makes does not build."""


def _run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise MutantError(f"{command[0]}: {done.stdout}{done.stderr}")
    return done.stdout


def _patched_file(patch):
    files = re.findall(r"^\+\+\+ b/(\S+)", open(patch).read(), re.M)
    if len(files) != 1:
        raise MutantError(f"{patch}: a mutant changes exactly one file, not {files}")
    return files[0]


def _compile(build, patch, folder):
    source = _patched_file(patch)
    copy = os.path.join(folder, os.path.basename(source))
    _run(["patch", "-s", "-o", copy, os.path.join(ROOT, source), patch])
    entries = [e for e in json.load(open(os.path.join(build, "compile_commands.json")))
               if os.path.realpath(e["file"]) == os.path.join(ROOT, source)]
    words = [w for w in shlex.split(entries[0]["command"]) if not w.endswith("ccache")]
    target = os.path.join(folder, "mutant.o")
    words[words.index("-o") + 1] = target
    words[words.index("-c") + 1] = copy
    words += ["-I" + ROOT, "-O0", "-g0", "-w"]  # one file, compiled once: quickly
    _run(words, cwd=entries[0]["directory"])
    return target


def build_mutant(build, target, patch, folder):
    """The path of `target` (its name under bin/) with the file that `patch` changes replaced; made in `folder`."""
    mutant = _compile(build, patch, folder)
    lines = _run(["ninja", "-C", build, "-t", "commands", f"bin/{target}"]).splitlines()
    line = [x for x in lines if f"-o bin/{target} " in x][-1]
    words = shlex.split(line.replace(": && ", "", 1).replace(" && :", ""))
    out = os.path.join(folder, target)
    words[words.index("-o") + 1] = out
    words.insert(next(i for i, w in enumerate(words) if w.endswith(".cc.o")) + 1, mutant)
    _run(words, cwd=build)
    return out
