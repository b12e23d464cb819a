#!/usr/bin/env python3
"""A million requests of buyers who do not pay, against a verifier with a record and a node, the real facilitator and a real
chain. Ends with exit code 1 where one of them is granted, or answered with a fault (5xx but 502 and 503), or not answered."""

import argparse
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "test" / "e2e"))

from stack import FACILITATOR_PORT, SCRIPTED_PORT, Stack  # noqa: E402 (sets the path of the next one)

from hostile_buyers import Shop  # noqa: E402

FACILITATOR = REPOSITORY / "test" / "e2e" / "scripted_facilitator.py"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="requests (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=402, help="of the mutations (default: %(default)s)")
    parser.add_argument(
        "--to-facilitator",
        type=float,
        default=0.002,
        metavar="SHARE",
        help="of requests that the facilitator may be asked about, which is slow (default: %(default)s)",
    )
    return parser.parse_args()


def main():
    options = arguments()
    with Stack(traefik_throttle="300ms") as stack:
        words = ["/usr/bin/python3", FACILITATOR, SCRIPTED_PORT, f"http://127.0.0.1:{FACILITATOR_PORT}"]
        stack.cluster.popen([str(word) for word in words], "scripted")
        with Shop(stack) as shop:
            # Once in small, so that what is allocated once is not counted.
            shop.attack(5_000, options.seed + 1)
            memory, disk, began = shop.resident(), shop.recorded(), time.monotonic()
            cpu, log = shop.cpu_seconds(), shop.log_size()
            came = shop.attack(options.count, options.seed, options.to_facilitator)
            took = time.monotonic() - began
            print(f"{came.answers.total()} requests in {took:.0f} s, seed {options.seed}: {dict(came.answers)}")
            print(f"facilitator asked {came.asked}, settled {came.settled}")
            print(
                f"verifier: {(shop.cpu_seconds() - cpu) / options.count * 1e6:.0f} us of CPU a request, "
                f"{(shop.resident() - memory) / 1e6:+.1f} MB of memory, {shop.recorded() - disk:+d} B on disk, "
                f"{shop.log_size() - log:+d} B of log"
            )
            for request, answer in came.wrong[:5]:
                print(f"wrong: {request!r}\n    -> {answer[:500]!r}")
            if came.wrong or came.settled or came.answers.total() != options.count:
                sys.exit(f"{len(came.wrong)} wrong answers")


if __name__ == "__main__":
    main()
