#!/usr/bin/env python3
"""Fails when an include points up. What each folder of src (with its public headers) may use is written below; whatever
is not written is forbidden, so a new folder says here where it stands."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARIES = {
    "core": set(),
    "http": {"core"},
    "kube": {"http", "core"},
    "evm": {"http", "core"},
    "erc8004": {"evm", "http", "core"},
    "x402": {"evm", "http", "core"},
    "config": {"kube", "x402", "evm", "http", "core"},
    "api": {"config", "kube", "x402", "evm", "http", "core"},
}
# The record of payments: of roles and commands alone.
LEDGER = {"ledger": {"x402", "evm", "http", "core"}}
# What an offer comes to, and what a route is: they do not know each other, nor who asks.
# Who reads what people wrote judges it by the CRDs.
SCHEMA = {"schema": {*LIBRARIES} - {"api"}}
HEART = {"offer": {*LIBRARIES}, "route": {*LIBRARIES}}
# Roles never meet (roles/NAME/ uses no other roles/NAME/): what two of them need lies below them, or in roles/ itself.
# Commands use no role.
MAY_USE = {
    **LIBRARIES,
    **LEDGER,
    **HEART,
    **SCHEMA,
    "sandbox": {*LIBRARIES, *SCHEMA},
    "roles": {*LIBRARIES, *LEDGER, *HEART},
    "cli": {*LIBRARIES, *LEDGER, *HEART, *SCHEMA, "roles"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def layer_of(include: str) -> list[str]:
    """The parts of a project include that name its place, or nothing for other headers."""
    parts = include.split("/")
    if parts[0] == "portitor":
        return parts[1:]
    return parts if parts[0] in MAY_USE else []


def complaint(place: list[str], include: str) -> str | None:
    """`place` is the file's own path below src or include/portitor."""
    target = layer_of(include)
    if not target or place == ["main.cpp"]:
        return None
    if place[0] not in MAY_USE:
        return f"{place[0]} has no place in this script"
    if target[0] != place[0] and target[0] not in MAY_USE[place[0]]:
        return f"{place[0]} must not use {target[0]}"
    if target[0] == "roles" and len(target) > 2:
        if place[0] == "cli":
            return f"cli must not use role {target[1]}"
        if len(place) > 2 and target[1] != place[1]:
            return f"role {place[1]} must not use role {target[1]}"
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
