#!/usr/bin/env python3
"""Finds the names under which the linker knows the two machines of the hand-off, so that a test can stand in front of
them: writes a header for the compiler, and options for the linker.

usage: find_symbols.py NM LIBRARY HEADER OPTIONS
"""
import re
import subprocess
import sys

MACHINES = {"BATON_SENDER_ON": r"_ZN5baton13HandoffSender2OnE\S+", "BATON_RECEIVER_ON": r"_ZN5baton15HandoffReceiver2OnE\S+"}


def main():
    nm, library, header, options = sys.argv[1:]
    symbols = subprocess.run([nm, "--defined-only", library], capture_output=True, text=True, check=True).stdout
    found = {}
    for name, pattern in MACHINES.items():
        matches = sorted(set(re.findall(r" T (" + pattern + r")$", symbols, re.M)))
        if len(matches) != 1:
            raise SystemExit(f"{library} defines {matches} for {name}, not one function")
        found[name] = matches[0]
    with open(header, "w") as file:
        file.write("// Made by tests/sim/find_symbols.py.\n#pragma once\n")
        file.writelines(f'#define {name} "{symbol}"\n' for name, symbol in found.items())
    with open(options, "w") as file:
        file.writelines(f"-Wl,--wrap={symbol}\n" for symbol in found.values())


main()
