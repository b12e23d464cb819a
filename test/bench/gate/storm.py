#!/usr/bin/env python3
"""Payments while verifier, facilitator and nodes are killed at random moments, at blocks as far apart as on a real chain.
Ends with exit code 1 where one is charged and not granted, granted and not charged, or asked for twice. See README.md."""

import argparse
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "test" / "e2e"))

from stack import Stack  # noqa: E402 (sets the path of the next one)

from payment_storm import Shop, book, weather  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="payments that are granted (default: %(default)s)")
    parser.add_argument("--buyers", type=int, default=64, help="at once (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=402, help="of kills and buyers (default: %(default)s)")
    parser.add_argument("--without-node", action="store_true", help="the verifier has the facilitator's word alone")
    return parser.parse_args()


def main():
    options = arguments()
    with Stack(traefik_throttle="300ms") as stack:
        ledger = stack.cluster.directory / "storm.db"
        began = time.monotonic()
        with Shop(stack, ledger, with_node=not options.without_node) as shop:
            outcome = weather(shop, options.count, options.seed, options.buyers)
            print(f"{outcome.told()}, {time.monotonic() - began:.0f} s, seed {options.seed}")
            sold = book(shop)
            print(f"on record: {sold['payments']} sales of {sold['amount']} atomic units")
            try:
                outcome.check()
                assert sold["payments"] == outcome.settlements + len(outcome.unproven)
                assert outcome.unproven or sold["amount"] == str(outcome.amount)
            except AssertionError as wrong:
                sys.exit(f"wrong: {wrong}")


if __name__ == "__main__":
    main()
