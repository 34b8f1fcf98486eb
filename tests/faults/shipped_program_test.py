"""The program that ships holds no failpoint: neither a symbol nor a word of theirs; `baton-faults` holds them all.

usage: shipped_program_test.py BATON BATON_FAULTS"""
import subprocess
import sys

MARKS = ("Failpoints", "FaultTransport", "FaultExecutor", "PutSink")
WORDS = (b"BATON_FAULTS", b"said.tokens")


def marks_in(program):
    """The marks that the program's symbols or bytes hold."""
    symbols = subprocess.run(["nm", "-C", program], capture_output=True, text=True, check=True, timeout=60).stdout
    with open(program, "rb") as file:
        content = file.read()
    return {mark for mark in MARKS if mark in symbols} | {word.decode() for word in WORDS if word in content}


def main():
    shipped, faults = sys.argv[1:]
    every = set(MARKS) | {word.decode() for word in WORDS}
    if marks_in(faults) != every:
        raise SystemExit(f"{faults} lacks {sorted(every - marks_in(faults))}: this test would not notice them")
    if marks_in(shipped):
        raise SystemExit(f"{shipped} holds {sorted(marks_in(shipped))}")


main()
