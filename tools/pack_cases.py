#!/usr/bin/env python3
"""Packs a folder of tiny model directories, good and broken, into one JSON file.

usage: pack_cases.py DIR > tests/golden/bad_cases.json

DIR/cases.json says what a reader should make of each directory. Nearly all files differ from another one in a few
bytes, so a file is stored as what it keeps of an earlier one (`like`, its number in order of storing, 0 is empty; `head` and
`tail` bytes) and what stands between: a list of runs, each text of one character a byte, or [text, times].
"""

import json
import re
import sys
from pathlib import Path

RUN = re.compile(r"(.{1,12}?)\1{99,}", re.DOTALL)


def runs(text: str) -> list:
    out, at = [], 0
    for found in RUN.finditer(text):
        if found.start() > at:
            out.append(text[at : found.start()])
        out.append([found.group(1), len(found.group(0)) // len(found.group(1))])
        at = found.end()
    return out + ([text[at:]] if at < len(text) else [])


def shared(a: bytes, b: bytes) -> int:
    """Length of the common beginning."""
    limit = min(len(a), len(b))
    return next((i for i in range(limit) if a[i] != b[i]), limit)


def pack_like(content: bytes, other: bytes) -> dict:
    head = shared(content, other)
    tail = shared(content[head:][::-1], other[head:][::-1])
    middle = content[head : len(content) - tail]
    return {"head": head, "tail": tail, "runs": runs(middle.decode("latin-1"))}


def pack(content: bytes, stored: list[bytes]) -> dict:
    """Like whichever stored file leaves least to say."""
    choices = [pack_like(content, other) | {"like": i} for i, other in enumerate(stored)]
    return min(choices, key=lambda choice: len(json.dumps(choice)))


def main() -> None:
    root = Path(sys.argv[1])
    stored = [b""]
    cases = []
    for case in json.loads((root / "cases.json").read_text()):
        files = {}
        for path in sorted((root / case["dir"]).iterdir()):
            content = path.read_bytes()
            files[path.name] = pack(content, stored)
            stored.append(content)
        cases.append({**case, "files": files})
    print("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]")


if __name__ == "__main__":
    main()
