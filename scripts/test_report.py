#!/usr/bin/env python3
"""The end of a test run: the time of each part, the slowest tests, what failed, and the count.

    test_report.py FOLDER SECONDS      with a JUnit report for each part, and parts.tsv: name, seconds, and for a check that
                               passes or fails as a whole "passed" or "failed"; SECONDS is how long all took

Exits with 1 where something failed or nothing ran.
"""

import pathlib
import sys
import xml.etree.ElementTree as tree

SLOWEST = 10


def cases(folder):
    """(part, test, seconds, outcome) of every test in every report."""
    for report in sorted(folder.glob("*.xml")):
        try:
            found = tree.parse(report).getroot()
        except tree.ParseError:
            yield report.stem, "its report can be read", 0.0, "failed"
            continue
        for case in found.iter("testcase"):
            inside = {each.tag for each in case}
            outcome = "failed" if inside & {"failure", "error"} else "skipped" if "skipped" in inside else "passed"
            where = ".".join(filter(None, [case.get("classname"), case.get("name")]))
            yield report.stem, where, float(case.get("time") or 0), outcome


def main(folder, took):
    folder = pathlib.Path(folder)
    parts = [line.split("\t") for line in (folder / "parts.tsv").read_text().splitlines()]
    ran = list(cases(folder))
    outcomes = [outcome for *_, outcome in ran] + [outcome for *_, outcome in parts if outcome]

    print("\ntime of each part")
    for name, seconds, _ in parts:
        print(f"{seconds:>6} s  {name}")
    print(f"\nthe {SLOWEST} slowest tests")
    for part, name, seconds, _ in sorted(ran, key=lambda each: -each[2])[:SLOWEST]:
        print(f"{seconds:>8.1f} s  {part}: {name}")
    bad = [f"{part}: {name}" for part, name, _, outcome in ran if outcome == "failed"]
    bad += [name for name, _, outcome in parts if outcome == "failed"]
    if bad:
        print("\nfailed\n  " + "\n  ".join(bad))

    count = {each: outcomes.count(each) for each in ("passed", "failed", "skipped")}
    print(f"\nin {took} s\n{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
