#!/usr/bin/env python3
"""Fails when an include points up: core <- kube <- api, core <- evm <- x402, all <- roles <- cli; roles
never meet."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAY_USE = {
    "core": {"core"},
    "kube": {"kube", "core"},
    "evm": {"evm", "core"},
    "x402": {"x402", "evm", "core"},
    "api": {"api", "kube", "core"},
}
# What several roles need lies in roles/ itself; --role=once runs the controller's pure functions.
ROLE_MAY_USE = {"once": {"controller"}}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def layer_of(include: str) -> list[str]:
    """The parts of a project include that name its place, or nothing for other headers."""
    parts = include.split("/")
    if parts[0] == "portitor":
        return parts[1:]
    return parts if parts[0] in MAY_USE or parts[0] in ("roles", "cli") else []


def complaint(place: list[str], include: str) -> str | None:
    target = layer_of(include)
    if not target:
        return None
    if target[0] == "cli":
        return None if place[0] in ("cli", "main.cpp") else f"{place[0]} must not use cli"
    if place[0] == "cli" and target[0] == "roles" and len(target) > 2:
        return f"cli must not use role {target[1]}"
    if place[0] == "roles":
        if target[0] != "roles" or len(target) < 3 or len(place) < 3:
            return None
        allowed = {place[1]} | ROLE_MAY_USE.get(place[1], set())
        return None if target[1] in allowed else f"role {place[1]} must not use role {target[1]}"
    if place[0] in MAY_USE and target[0] not in MAY_USE[place[0]]:
        return f"{place[0]} must not use {target[0]}"
    return None


def main() -> int:
    wrong = 0
    files = [*ROOT.glob("include/portitor/**/*.hpp"), *ROOT.glob("src/**/*.?pp")]
    for file in sorted(files):
        relative = file.relative_to(ROOT)
        place = list(relative.parts[2:] if relative.parts[0] == "include" else relative.parts[1:])
        for include in INCLUDE.findall(file.read_text()):
            problem = complaint(place, include)
            if problem:
                print(f"{relative}: {problem} ({include})")
                wrong += 1
    print(f"includes: {len(files)} files, {wrong} point up")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main())
