#!/usr/bin/env python3
"""Writes server/text/template_letter_tables.inc: what Python's str knows of letters, by asking this Python.

Chat templates are written against Python's str (upper, lower, capitalize, repr), whose Unicode version is that of the
interpreter; Debian 12's python3 is the one that the comparison with jinja2 runs in.

usage: /usr/bin/python3 tools/make_letter_tables.py > server/text/template_letter_tables.inc
"""
import sys
import unicodedata

CODES = [code for code in range(0x80, 0x110000) if not 0xD800 <= code < 0xE000]


def single_changes(change):
    """Ranges (first, last, step, delta) of the characters that `change` turns into one other character."""
    ranges = []
    for code in CODES:
        new = change(chr(code))
        if len(new) != 1 or ord(new) == code:
            continue
        delta = ord(new) - code
        if ranges:
            first, last, step, before = ranges[-1]
            gap = code - last
            if before == delta and gap in (1, 2) and step in (0, gap):
                ranges[-1] = (first, code, gap, before)
                continue
        ranges.append((code, code, 0, delta))
    return [(first, last, max(step, 1), delta) for first, last, step, delta in ranges]


def many_changes(change):
    """(character, up to three new ones) where one becomes several."""
    return [(code, *([ord(c) for c in change(chr(code))] + [0, 0])[:3]) for code in CODES if len(change(chr(code))) > 1]


def ranges_where(holds):
    ranges = []
    for code in CODES:
        if not holds(chr(code)):
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return ranges


def is_cased(letter):
    """A capital sigma after it is a final one."""
    return (letter + "\u03a3").lower()[-1] == "\u03c2"


def is_ignorable(letter):
    """A capital sigma looks through it at the letter before."""
    return not is_cased(letter) and ("A" + letter + "\u03a3").lower()[-1] == "\u03c2"


def single_titles(letter):
    """Where it is not what upper gives."""
    return letter if letter.title() == letter.upper() else letter.title()


def write(kind, name, rows):
    print(f"constexpr {kind} {name}[] = {{")
    line = "   "
    for row in rows:
        word = " {" + ", ".join(f"{value:#x}" if value >= 0x80 else str(value) for value in row) + "},"
        if len(line) + len(word) > 100:
            print(line)
            line = "   "
        line += word
    print(line + "\n};\n")


def main():
    print(f"// Made by tools/make_letter_tables.py with Python {sys.version_info.major}.{sys.version_info.minor}, "
          f"Unicode {unicodedata.unidata_version}.\n// Do not edit.\n")
    for name, change in (("Upper", str.upper), ("Lower", str.lower), ("Title", single_titles)):
        write("Change", f"k{name}", single_changes(change))
        write("Expansion", f"k{name}Many", many_changes(change))
    write("Range", "kCased", ranges_where(is_cased))
    write("Range", "kIgnorable", ranges_where(is_ignorable))
    write("Range", "kTitleSame", ranges_where(lambda letter: letter.title() == letter != letter.upper()))
    write("Range", "kUnprintable", ranges_where(lambda letter: not letter.isprintable()))


if __name__ == "__main__":
    main()
