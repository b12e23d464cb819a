#!/usr/bin/env python3
"""Registrations while the registrar is killed at random moments: many offers at blocks as far apart as on a real chain.
Ends with exit code 1 where there are not exactly as many registrations as offers. See README.md."""

import argparse
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "test" / "e2e"))

from stack import Stack  # noqa: E402 (sets the path of the next ones)

from cluster import wait_until  # noqa: E402
from on_chain import SHORT_LEASES, Operator  # noqa: E402
from reaper import SECOND, SECOND_PORT, Reaper, assert_one_each, quiet, wait_all_confirmed  # noqa: E402
from registry import Anvil  # noqa: E402

NAMESPACE = "killed"
PORT = 8574


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="offers (default: %(default)s)")
    parser.add_argument("--block-time", type=float, default=2, help="seconds (default: %(default)s)")
    parser.add_argument("--registrars", type=int, choices=(1, 2), default=1, help="at once (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=8004, help="of the kills (default: %(default)s)")
    parser.add_argument("--pause", type=float, default=4, help="longest time between two kills (default: %(default)s)")
    return parser.parse_args()


def main():
    options = arguments()
    with Stack(traefik_throttle="300ms") as stack:
        chain = Anvil(stack.cluster, stack.scripts, PORT, options.block_time)
        stack.cluster.service(NAMESPACE, "hello", 9000)
        with Operator(stack, chain, NAMESPACE) as operator:
            operator.run(*SHORT_LEASES)
            run(operator, options)
    return 0


def run(operator, options):
    both = options.registrars == 2
    if both:
        operator.another(SECOND, SECOND_PORT)
    began = time.monotonic()
    with Reaper(operator, options.seed, second=both, pause=(0.05, options.pause)) as reaper:
        offers = {f"offer-{number}": None for number in range(options.count)}
        for name in offers:
            offers[name] = operator.sell(name)
        limit = 120 + 10 * options.block_time * options.count
        wait_all_confirmed(operator, offers, limit, "all are registered")
    took = time.monotonic() - began
    if both and operator.stack.cluster.processes[SECOND].running:
        operator.stack.cluster.processes[SECOND].stop(timeout=40)
    wait_until(lambda: quiet(operator), 60, "nothing more is on its way")
    assert_one_each(operator, offers, options.seed)
    sent = operator.chain.sent(operator.account.address)
    print(
        f"{options.count} offers, {options.registrars} registrar(s), blocks every {options.block_time:g} s, seed "
        f"{options.seed}: {len(operator.agents())} registrations in {sent} transactions after {reaper.kills} kills, "
        f"{took:.0f} s"
    )
    # The roles end with the cluster; that nothing is retired one by one saves minutes.


if __name__ == "__main__":
    sys.exit(main())
