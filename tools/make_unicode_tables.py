#!/usr/bin/env python3
"""Writes server/text/unicode_tables.cc and nfc_{marks,composed,one_way}.cc: Unicode as the `tokenizers` package sees it.

Models' published ids come from that package, whose Unicode is newer than Python's, PCRE2's and
Debian's. So it is asked itself, code point by code point, and what it answers is checked in.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install tokenizers==0.23.3
    /tmp/venv/bin/python tools/make_unicode_tables.py && clang-format-14 -i server/text/*.cc

Python's own unicodedata must be Unicode 14 (Python 3.11), as PCRE2 10.42 is: the tables of
properties hold what has been added since.
"""
import pathlib
import unicodedata

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

HERE = pathlib.Path(__file__).resolve().parent.parent / "server" / "text"
ALL = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
TEXT = "".join(map(chr, ALL))
HANGUL = range(0xAC00, 0xD7A4)
# Every general category and class of them, but those that also lost code points since (Mn, Cn, C)
# and surrogates: no table of additions can express them, and no known pattern asks for them.
PROPERTIES = (
    "L Lu Ll Lt Lm Lo M Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp Cc Cf Co"
).split()


def ranges(points):
    out = []
    for c in sorted(points):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def pieces(pre_tokenizer):
    return {ALL[i] for _, (begin, end) in pre_tokenizer.pre_tokenize_str(TEXT) for i in range(begin, end)}


def matched_by(pattern):
    return pieces(pre_tokenizers.Split(Regex(pattern + "+"), "removed", invert=True))


def added_since_14(name):
    old = {c for c in ALL if unicodedata.category(chr(c)).startswith(name)}
    new = matched_by(r"\p{%s}" % name)
    assert old <= new, name
    return ranges(new - old)


def digits_since_14():
    """What the Digits pre-tokenizer takes beyond Unicode 14's N; it is not the regex engine's N."""
    runs = pre_tokenizers.Digits(individual_digits=False).pre_tokenize_str(TEXT)
    new = {ALL[i] for _, (begin, end) in runs[1::2] for i in range(begin, end)}
    old = {c for c in ALL if unicodedata.category(chr(c)).startswith("N")}
    assert old <= new
    return ranges(new - old)


def word_points():
    """What keeps a `single_word` added token from matching when it stands before it."""
    tokenizer = Tokenizer(models.BPE({"x": 0}, []))
    tokenizer.add_tokens([AddedToken("zorb", single_word=True, normalized=False)])
    free = {
        ALL[i // 6]
        for i in (begin for begin, _ in tokenizer.encode("".join(c + "zorb " for c in TEXT)).offsets)
    }
    return ranges(set(ALL) - free)


def check_assumptions():
    white = {9, 10, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
    assert matched_by(r"\s") == white
    assert matched_by(r"\d") == matched_by(r"\p{Nd}")


# ------------------------------------------------------------------------------------------ NFC
NFD = normalizers.NFD().normalize_str
NFC = normalizers.NFC().normalize_str


def swapped(first, second):
    return first != second and NFD(first + second) == second + first


def combining_classes():
    """Code point -> class, by watching how marks reorder around one mark of each class."""
    lowest, highest = "\u0334", "\u0345"  # classes 1 and 240; nothing lies beyond
    marks = [c for c in map(chr, ALL) if NFD(c) == c and (swapped(highest, c) or swapped(c, lowest))]
    mark_of = {}
    for c in marks:
        mark_of.setdefault(unicodedata.combining(c), c)
    classes = sorted(mark_of)
    found = {}
    for c in marks:
        equal = [k for k in classes if not swapped(mark_of[k], c) and not swapped(c, mark_of[k])]
        assert len(equal) == 1, (hex(ord(c)), equal)
        found[ord(c)] = equal[0]
    return found


def decompositions():
    """Code point -> canonical pair (second 0 for a single one)."""
    full = {c: NFD(chr(c)) for c in ALL if c not in HANGUL}
    full = {c: d for c, d in full.items() if d != chr(c)}
    whole = {d: c for c, d in full.items() if len(d) > 1}
    pairs = {}
    for c, d in full.items():
        old = unicodedata.decomposition(chr(c))
        if old and not old.startswith("<"):
            parts = [int(x, 16) for x in old.split()]
        elif len(d) <= 2:
            parts = list(map(ord, d))
        else:
            parts = [whole[d[:-1]], ord(d[-1])]
        assert "".join(NFD(chr(x)) for x in parts) == d, hex(c)
        pairs[c] = parts + [0] * (2 - len(parts))
    return pairs


def composes(c, pair):
    return pair[1] != 0 and NFC("".join(map(chr, pair))) == chr(c)


# ---------------------------------------------------------------------------------------- output
def rows(values):
    return "    " + ", ".join(values) + ",\n"


def range_rows(points):
    return rows("{0x%X, 0x%X}" % tuple(r) for r in points)


def head(what):
    return (
        "// %s\n// Generated by tools/make_unicode_tables.py from tokenizers %s; not edited by hand.\n"
        % (what, tokenizers.__version__)
    )


def write_properties():
    additions = {name: added_since_14(name) for name in PROPERTIES} | {"Digits": digits_since_14()}
    out = head("What Unicode has added since version 14, and what a word is made of.")
    out += '#include "server/text/unicode_tables.h"\n\nnamespace baton {\nnamespace {\n\n'
    names = []
    for name, points in additions.items():
        names.append('{"%s", %s}' % (name, "kAdded%s" % name if points else "{}"))
        if points:
            out += "constexpr CodeRange kAdded%s[] = {\n%s};\n" % (name, range_rows(points))
    out += "constexpr PropertyAdditions kAdditions[] = {\n%s};\n" % rows(names)
    out += "constexpr CodeRange kWord[] = {\n%s};\n" % range_rows(word_points())
    out += "\n}  // namespace\n\n"
    out += "std::span<const PropertyAdditions> UnicodeAdditions() { return kAdditions; }\n\n"
    out += "std::span<const CodeRange> WordRanges() { return kWord; }\n\n}  // namespace baton\n"
    (HERE / "unicode_tables.cc").write_text(out)


def write_nfc():
    classes = combining_classes()
    marks = []
    for c in sorted(classes):
        if marks and marks[-1][1] == c - 1 and marks[-1][2] == classes[c]:
            marks[-1][1] = c
        else:
            marks.append([c, c, classes[c]])
    pairs = decompositions()
    write_nfc_table("nfc_marks.cc", "combining classes", "CombiningRange", "CombiningRanges", marks)
    for name, function, wanted in (
        ("nfc_composed.cc", "ComposedCharacters", True),
        ("nfc_one_way.cc", "OneWayDecompositions", False),
    ):
        chosen = [(c, *p) for c, p in sorted(pairs.items()) if composes(c, p) == wanted]
        write_nfc_table(name, "canonical decompositions", "Decomposition", function, chosen)


def write_nfc_table(name, what, kind, function, entries):
    out = head("Part of NFC's tables: %s." % what)
    out += '#include "server/text/nfc_tables.h"\n\nnamespace baton {\nnamespace {\n\n'
    out += "constexpr %s kTable[] = {\n%s};\n" % (kind, rows("{0x%X, 0x%X, 0x%X}" % tuple(e) for e in entries))
    out += "\n}  // namespace\n\n"
    out += "std::span<const %s> %s() { return kTable; }\n\n}  // namespace baton\n" % (kind, function)
    (HERE / name).write_text(out)


if __name__ == "__main__":
    assert unicodedata.unidata_version.startswith("14."), unicodedata.unidata_version
    check_assumptions()
    write_properties()
    write_nfc()
