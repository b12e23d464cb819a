#!/usr/bin/env python3
"""How long an offer takes from its creation to `admitted` and to the first 402 through Traefik: many offers, one after
another, on the real cluster, with Traefik's default throttle and without. See propagation.md."""

import argparse
import json
import math
import os
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "test" / "e2e"))

from stack import NAMESPACE, Stack, offer  # noqa: E402 (sets the path of the next ones)

from audit import AuditTail  # noqa: E402
from cluster import wait_until  # noqa: E402
from kube_client import KubeClient  # noqa: E402

THROTTLES = {"default": "2s", "0": "0s"}
# Milliseconds from creation to admitted: (percentile, must, goal on an idle machine of two cores).
BARS = [(50, 500, 30), (99, 2000, 150)]
POLL = 0.02


def percentile(values, share):
    """The nearest rank: of 200 values, the 99th percentile is the 198th."""
    return sorted(values)[max(0, math.ceil(len(values) * share / 100) - 1)]


def measure(stack, client, number):
    """One offer: when it was asked for, and when the first 402 had arrived, in Unix seconds."""
    name = f"offer-{number}"
    status, answer = client.create("serviceoffers", offer(name, f"0.{number + 1:06}"), NAMESPACE)
    assert status == 201, answer
    first = first_402(stack, f"/services/{name}/x")
    wait_until(lambda: admitted(client, name), 30, f"{name} is admitted")
    return name, first


def first_402(stack, path):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if stack.get(path).status == 402:
            return time.time()
        time.sleep(POLL)
    raise AssertionError(f"{path} does not answer 402")


def admitted(client, name):
    found = client.get("paymentroutes", f"{name}-payment", NAMESPACE)
    return found and found.get("status", {}).get("admitted")


def run(throttle, count, warm_up):
    """Samples in milliseconds: {"admitted": […], "402": […]}, by the server's account of when it was asked."""
    with Stack(traefik_throttle=THROTTLES[throttle]) as stack:
        client = KubeClient(stack.cluster)
        for number in range(warm_up):
            measure(stack, client, count + number)
        tail = AuditTail(stack.cluster)
        firsts = dict(measure(stack, client, number) for number in range(count))
        created = {each.name: each.asked for each in tail.writes("admin", kind="serviceoffers")}
        told = {}
        for each in tail.writes("portitor-verifier", kind="paymentroutes/status"):
            told.setdefault(each.name.removesuffix("-payment"), each.done)
    return {
        "admitted": [1000 * (told[name] - created[name]) for name in firsts],
        "402": [1000 * (firsts[name] - created[name]) for name in firsts],
    }


def bars_of(figure, share):
    """What it must reach, and the goal; None where nothing is asked for."""
    return next(((must, goal) for at, must, goal in BARS if at == share and figure == "admitted"), (None, None))


def rows_of(results):
    for throttle, samples in results.items():
        for figure, values in samples.items():
            for share in (50, 99):
                must, goal = bars_of(figure, share)
                value = percentile(values, share)
                told = verdict(value, must, goal)
                yield throttle, figure, f"p{share}", value, min(values), max(values), must, goal, told


def verdict(value, must, goal):
    if must is None:
        return ""
    return "goal met" if value <= goal else "must met" if value <= must else "MUST MISSED"


def print_table(results):
    head = ["throttle", "creation to", "", "ms", "min", "max", "must", "goal", "verdict"]
    rows = [head] + [
        [str(cell if cell is not None else "") if not isinstance(cell, float) else f"{cell:.0f}" for cell in row]
        for row in rows_of(results)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        print(" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("throttles", nargs="*", metavar="THROTTLE", help="default or 0; without any, both")
    parser.add_argument("--offers", type=int, default=200, metavar="N", help="default: %(default)s")
    parser.add_argument("--warm-up", type=int, default=3, metavar="N", help="offers before that (default: %(default)s)")
    parser.add_argument("--binary", type=Path, help="Portitor, if not the release build")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where all samples go")
    parser.add_argument("--check", action="store_true", help="exit code 1 when a must is missed")
    arguments = parser.parse_args()
    if arguments.binary:
        os.environ["PORTITOR_BIN"] = str(arguments.binary.resolve())
    chosen = arguments.throttles or list(THROTTLES)
    if unknown := set(chosen) - set(THROTTLES):
        parser.error(f"{unknown} is none of {', '.join(THROTTLES)}")
    load = os.getloadavg()[0]
    results = {throttle: run(throttle, arguments.offers, arguments.warm_up) for throttle in chosen}
    print_table(results)
    after = os.getloadavg()[0]
    print(f"{arguments.offers} offers each, {os.cpu_count()} processors, load average {load:.1f} to {after:.1f}")
    if arguments.json:
        whole = {"offers": arguments.offers, "load": [load, after], "samples": results}
        arguments.json.write_text(json.dumps(whole, indent=2) + "\n")
    missed = [row for row in rows_of(results) if row[-1] == "MUST MISSED"]
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
