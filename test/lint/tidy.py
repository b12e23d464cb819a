#!/usr/bin/env python3
"""Fails when clang-tidy finds something in the sources of src/ or the headers that they include; the checks are in
.clang-tidy.

    tidy.py [FILE...]      the given sources, or all of src

A source that was found good is not looked at again while what the compiler sees of it and the checks stay as they
are: ~/.cache/portitor/tidy (PORTITOR_TIDY_CACHE) remembers the hashes for 30 days.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("PORTITOR_TIDY_CACHE") or pathlib.Path.home() / ".cache/portitor/tidy")
TIDY = "clang-tidy-19"


def compile_commands():
    """The compile command of each source of src/."""
    subprocess.run(["cmake", "--preset", "tidy", "-Wno-dev"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    units = json.loads((ROOT / "build/tidy/compile_commands.json").read_text())
    return {pathlib.Path(unit["file"]): unit for unit in units}


def preprocessed(unit):
    """What the compiler sees, without paths but with comments (NOLINT is one); None where it cannot be read."""
    command = shlex.split(unit["command"])
    output = command.index("-o")
    del command[output : output + 2]
    run = subprocess.run([*command, "-E", "-P", "-C", "-w"], cwd=unit["directory"], capture_output=True)
    return run.stdout if run.returncode == 0 else None


def look(path, unit, salt):
    """The findings, empty for none, and whether the cache knew."""
    source = preprocessed(unit)
    known = CACHE / hashlib.sha256(salt + (source or b"")).hexdigest()
    if source is not None and known.exists():
        known.touch()
        return "", True
    run = subprocess.run([TIDY, "--quiet", "-p", "build/tidy", str(path)], cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        return run.stdout or run.stderr or f"{path}: {TIDY} failed", False
    if source is not None:
        known.touch()
    return "", False


def main(arguments):
    begun = time.monotonic()
    CACHE.mkdir(parents=True, exist_ok=True)
    for each in CACHE.iterdir():
        if each.stat().st_mtime < time.time() - 30 * 24 * 3600:
            each.unlink()
    units = compile_commands()
    paths = sorted(pathlib.Path(each).resolve() for each in arguments) or sorted(units)
    version = subprocess.run([TIDY, "--version"], check=True, capture_output=True).stdout
    salt = version + (ROOT / ".clang-tidy").read_bytes()

    bad = remembered = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found, knew in pool.map(lambda path: look(path, units[path], salt), paths):
            remembered += knew
            if found:
                bad += 1
                print(found, flush=True)
    took = time.monotonic() - begun
    print(f"tidy: {len(paths)} sources in {took:.0f} s, {remembered} known to be good, {bad} bad")
    return 1 if bad or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
