#!/usr/bin/env python3
"""Fails when clang-tidy finds something in the sources of src/ or the headers that they include; the checks are in
.clang-tidy.

    tidy.py [--within SECONDS] [FILE...]      the given sources, or all of src

A source that was found good is not looked at again while it, what it includes, its compile command, the checks and the
installed libraries stay as they are: ~/.cache/portitor/tidy (PORTITOR_TIDY_CACHE) remembers the hashes for 30 days.
After a change to a header that many include, looking at them all takes half an hour. With --within, sources that have
changed themselves, or were never looked at, come first, and all of them are looked at; of the others as many as there
is time for.
"""

import argparse
import collections
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("PORTITOR_TIDY_CACHE") or pathlib.Path.home() / ".cache/portitor/tidy")
TIDY = "clang-tidy-19"
INCLUDE = re.compile(rb'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def compile_commands():
    """The compile command of each source of src/."""
    subprocess.run(["cmake", "--preset", "tidy", "-Wno-dev"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    units = json.loads((ROOT / "build/tidy/compile_commands.json").read_text())
    units = {pathlib.Path(unit["file"]): unit["command"] for unit in units}
    return {path: command for path, command in units.items() if path.is_relative_to(ROOT / "src")}


@functools.cache
def includes(path):
    """The project's own files that a file includes itself."""
    names = [name.decode() for name in INCLUDE.findall(path.read_bytes())]
    places = [path.parent, ROOT / "include", ROOT / "src"]
    found = (next((place / name for place in places if (place / name).is_file()), None) for name in names)
    return [each.resolve() for each in found if each]


def seen_by(path):
    """A file and all of the project's own that it includes, at any depth."""
    seen = set()
    waiting = [path]
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting += includes(each)
    return sorted(seen)


def key(path, command, salt):
    """A hash of everything that a judgement on a source depends on."""
    made = hashlib.sha256(salt + command.replace(str(ROOT), ".").encode())
    for each in seen_by(path):
        made.update(str(each.relative_to(ROOT)).encode() + b"\0" + each.read_bytes() + b"\0")
    return made.hexdigest()


def own_key(path, salt):
    """A hash of a source alone."""
    return "own-" + hashlib.sha256(salt + path.read_bytes()).hexdigest()


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True).stdout


def look(path, command, salt, until):
    """The findings, empty for none, and what became of it: known, looked at, left out."""
    known = CACHE / key(path, command, salt)
    own = CACHE / own_key(path, salt)
    if known.exists():
        known.touch()
        own.touch()
        return "", "known"
    if own.exists() and time.monotonic() > until:
        return "", "left out"
    run = subprocess.run([TIDY, "--quiet", "-p", "build/tidy", str(path)], cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        return run.stdout or run.stderr or f"{path}: {TIDY} failed", "looked at"
    known.touch()
    own.touch()
    return "", "looked at"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--within", type=float, default=float("inf"), metavar="SECONDS", help="see above")
    parser.add_argument("files", nargs="*", metavar="FILE")
    arguments = parser.parse_args()
    begun = time.monotonic()
    CACHE.mkdir(parents=True, exist_ok=True)
    for each in CACHE.iterdir():
        if each.stat().st_mtime < time.time() - 30 * 24 * 3600:
            each.unlink()
    units = compile_commands()
    paths = [pathlib.Path(each).resolve() for each in arguments.files] or sorted(units)
    libraries = output_of("dpkg-query", "-W", "lib*-dev")
    salt = output_of(TIDY, "--version") + libraries + (ROOT / ".clang-tidy").read_bytes()

    paths.sort(key=lambda path: (CACHE / own_key(path, salt)).exists())

    bad = 0
    outcomes = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found, what in pool.map(
            lambda path: look(path, units[path], salt, begun + arguments.within), paths
        ):
            outcomes[what] += 1
            if found:
                bad += 1
                print(found, flush=True)
    took = time.monotonic() - begun
    left = f", {outcomes['left out']} left out for want of time" if outcomes["left out"] else ""
    print(f"tidy: {len(paths)} sources in {took:.0f} s, {outcomes['known']} known to be good, {bad} bad{left}")
    return 1 if bad or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
