#!/usr/bin/env python3
"""Fails when a C++ file has a line that is too long and can be broken: clang-format leaves some, because it reads them
wrongly. What cannot be broken may be long: a word, such as a URL, and a raw string literal."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("include", "src", "examples", "test")
LIMIT = int(re.search(r"^ColumnLimit: (\d+)$", (ROOT / ".clang-format").read_text(), re.M)[1])

# What a quotation mark may be a part of, so that it begins no literal. A digit before it: 1'000.
TOKEN = re.compile(
    r"""(?P<off> //\ clang-format\ off \b.*? (?: //\ clang-format\ on \b | \Z) )
      | //[^\n]* | /\*.*?\*/
      | (?P<raw> R"(?P<mark>[^()\s\\]*)\( .*? \)(?P=mark)" )
      | "(?:\\.|[^"\\\n])*" | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""",
    re.X | re.S,
)


def as_words(text: str) -> str:
    """The text in which whatever must stay on one line has no space."""

    def rewrite(found: re.Match) -> str:
        if found["off"]:
            return "\n" * found[0].count("\n")
        return re.sub(r"[^\S\n]", "x", found[0]) if found["raw"] else found[0]

    return TOKEN.sub(rewrite, text)


def is_too_long(line: str) -> bool:
    """Whether a line of `as_words` is too long for no reason."""
    begin = re.match(r"\s*(?://+<?\s+)?", line).end()
    return len(line) > LIMIT and begin + max(map(len, line[begin:].split())) <= LIMIT


def self_test() -> None:
    """A check that finds nothing may be blind."""
    long = "a" * LIMIT
    half = "b" * (LIMIT // 2 + 1)
    for text, bad in (
        (f"{half} {half}", True),
        (f"// {half} {half}", True),
        (f'f("{half} {half}");', True),
        (f"// it's\n{half} {half}", True),
        (f"x = 1'000; {half} {half}", True),
        (f'R"(a)" + {half} + {half}', True),
        (f"// clang-format off\na\n// clang-format on\n{half} {half}", True),
        ("c " * (LIMIT // 2), False),
        (f"    // {long}", False),
        (f"    f({long});", False),
        (f'    f(R"({half} {half})");', False),
        (f'R"-(\n  "{half}" )" {half}\n)-"', False),
        (f"// clang-format off\n{half} {half}\n// clang-format on\n", False),
    ):
        assert any(map(is_too_long, as_words(text).split("\n"))) == bad, text


def main() -> int:
    self_test()
    wrong = 0
    for file in sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.?pp")):
        for number, line in enumerate(as_words(file.read_text()).split("\n"), 1):
            if is_too_long(line):
                print(f"{file.relative_to(ROOT)}:{number}: {len(line)} columns, {LIMIT} are allowed", file=sys.stderr)
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
