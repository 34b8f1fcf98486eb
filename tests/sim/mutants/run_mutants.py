#!/usr/bin/env python3
"""Proves that the simulator catches what it is there to catch: applies each patch of this folder to a copy of one
source file, rebuilds that one object, links it in front of the rest, and demands that a run of at most 1,000 seeds
fails. A patch that no longer applies fails too; no wrong code lives in the product.

usage: run_mutants.py BUILD_DIR [NAME...]
"""
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "testing"))
from mutant import MutantError, build_mutant  # noqa: E402

SEEDS = 1000


def try_mutant(build, patch):
    """("", how) when the mutant was caught, else (why it was not, "")."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            binary = build_mutant(build, "sim_test", patch, folder)
        except MutantError as error:
            return str(error), ""
        done = subprocess.run([binary, f"--seeds={SEEDS}", "--gtest_fail_fast",
                               "--gtest_filter=*ChaosBreaksNoPromise*:*Without*"],
                              capture_output=True, text=True, timeout=600)
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
