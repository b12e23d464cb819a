#!/usr/bin/env python3
"""Runs the unit tests of a preset, all programs side by side, and writes a JUnit report for each.

    unit_tests.py PRESET [FOLDER]      reports go to FOLDER, by default build/PRESET/reports

What fails is printed: the case, the place, the expression. `ctest --preset PRESET` runs the same programs.
"""

import concurrent.futures
import html
import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as tree

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Most of the time is waited, not worked.
AT_ONCE = 4
LONGEST = 900


def programs(preset):
    """(name, command) of each test that CTest knows."""
    shown = subprocess.run(
        ["ctest", "--preset", preset, "--show-only=json-v1"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [(each["name"], each["command"]) for each in json.loads(shown.stdout)["tests"]]


def place(element):
    return f"{element.get('filename')}:{element.get('line')}"


def failures(case):
    """What went wrong in a case, a line for each."""
    for each in case.iter("Expression"):
        if each.get("success") == "false":
            said = (each.findtext("Expanded") or "").strip()
            yield f"{place(each)}: {(each.findtext('Original') or '').strip()}\n    {said}"
    for kind in ("Exception", "Failure", "FatalErrorCondition"):
        for each in case.iter(kind):
            yield f"{place(each)}: {kind}: {(each.text or '').strip()}"


def read(report):
    """Catch2's own report as a JUnit suite, by case; its own JUnit reporter counts sections and assertions."""
    suite = tree.Element("testsuite")
    for case in tree.parse(report).getroot().iter("TestCase"):
        result = case.find("OverallResult")
        seconds = result.get("durationInSeconds", "0") if result is not None else "0"
        made = tree.SubElement(suite, "testcase", name=case.get("name"), time=seconds)
        if result is None or result.get("success") != "true":
            text = "\n".join(failures(case)) or "it ended in the middle"
            tree.SubElement(made, "failure").text = text
        elif (said := result.findtext("StdOut") or "").lstrip().startswith("SKIPPED: "):
            tree.SubElement(made, "skipped").text = said.strip()
    return suite


def last_begun(report):
    """The name of the case in which a program died that could not close its report."""
    begun = re.findall(r'<TestCase name="([^"]*)"', report.read_text(errors="replace") if report.exists() else "")
    return html.unescape(begun[-1]) if begun else "no test"


def run(name, command, preset, folder):
    """Runs one program; its suite, and whether it ended well."""
    raw = folder / f"{name}.catch.xml"
    environment = os.environ | {"TSAN_OPTIONS": "report_signal_unsafe=0"}
    try:
        done = subprocess.run(
            [*command, "-r", "xml", "-d", "yes", "-o", raw],
            cwd=ROOT, env=environment, capture_output=True, text=True, errors="replace", timeout=LONGEST,
        )
        code, said = done.returncode, (done.stdout + done.stderr)[-8000:]
    except subprocess.TimeoutExpired:
        code, said = None, f"did not end in {LONGEST} s"
    try:
        suite = read(raw)
    except (OSError, tree.ParseError):
        suite = tree.Element("testsuite")
        said = f"it died in: {last_begun(raw)}\n{said}"
    raw.unlink(missing_ok=True)
    failed = suite.findall("testcase/failure")
    if (code != 0 and not failed) or not len(suite):
        case = tree.SubElement(suite, "testcase", name=f"the program ends well (exit {code})", time="0")
        tree.SubElement(case, "failure").text = said
    suite.set("name", f"{preset}: {name}")
    tree.ElementTree(suite).write(folder / f"unit-{preset}-{name}.xml")
    return suite


def main(preset, folder=None):
    folder = pathlib.Path(folder or ROOT / "build" / preset / "reports")
    folder.mkdir(parents=True, exist_ok=True)
    passed = failed = skipped = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for suite in pool.map(lambda each: run(*each, preset, folder), programs(preset)):
            bad = [case for case in suite if case.find("failure") is not None]
            left_out = len(suite.findall("testcase/skipped"))
            passed += len(suite) - len(bad) - left_out
            failed += len(bad)
            skipped += left_out
            for case in bad:
                print(f"FAILED {suite.get('name')}: {case.get('name')}\n{case[0].text}")
    print(f"unit tests, {preset}: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
