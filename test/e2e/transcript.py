"""Documentation that shows what commands print: reads the commands and their output out of it, runs them, compares.

A block that begins with ```console holds commands, each on a line that begins with "$ ", and below each what it prints.
What differs from run to run (ages, hashes, progress) is made alike on both sides first."""

import difflib
import re

_ALIKE = [
    # How something comes along: which steps are seen is a matter of moments.
    (re.compile(r"^ +\d+\.\ds  .*\n", re.M), ""),
    # What a build says of itself.
    (re.compile(r"^(commit|compiler|build|OpenSSL|Boost) +.*$", re.M), r"\1 <fact>"),
    (re.compile(r'"(commit|state|compiler|build|runtime|headers|boost)":"[^"]*"'), r'"\1":"<fact>"'),
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"0x[0-9a-f]{64}"), "<hash>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"\b\d+(\.\d+)?\s?(ms|s|m|h|d)\b"), "<age>"),
    (re.compile(r"\b[0-9a-f]{7,40}(-dirty)?\b(?=[,)\s]|$)"), "<commit>"),
    (re.compile(r"\b\d+ bytes\b"), "<n> bytes"),
    # Columns are as wide as what stands in them.
    (re.compile(r"[ \t]+"), " "),
    (re.compile(r"[ \t]+$", re.M), ""),
]


class Step:
    """One command of a transcript, and where what it prints stands in the text."""

    def __init__(self, command, shown, begin, end):
        self.command, self.shown, self.begin, self.end = command, shown, begin, end


def alike(text):
    for pattern, instead in _ALIKE:
        text = pattern.sub(instead, text)
    return text.strip()


def steps(text):
    """The commands of all blocks, in their order."""
    found = []
    for block in re.finditer(r"^```console\n(.*?)^```$", text, re.S | re.M):
        at = block.start(1)
        for each in re.finditer(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block[1], re.M):
            found.append(Step(each[1].replace("\\\n", ""), each[2], at + each.start(2), at + each.end(2)))
    return found


def difference(shown, printed):
    """Nothing where they are alike; else the lines that differ."""
    shown, printed = alike(shown), alike(printed)
    if shown == printed:
        return ""
    return "\n".join(difflib.unified_diff(shown.splitlines(), printed.splitlines(), "shown", "printed", lineterm=""))


def rewritten(text, printed):
    """The text with what has been printed in the places of what was shown."""
    for step, now in reversed(list(zip(steps(text), printed))):
        text = text[: step.begin] + (now.rstrip("\n") + "\n" if now.strip() else "") + text[step.end :]
    return text
