#!/usr/bin/env python3
"""How many requests a minute one account registers, and what one registration asks of the node. See README.md."""

import argparse
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "test" / "e2e"))

from stack import Stack  # noqa: E402 (sets the path of the next ones)

from cluster import wait_until  # noqa: E402
from on_chain import Operator  # noqa: E402
from reaper import wait_all_confirmed  # noqa: E402
from registry import Anvil, ScriptedNode  # noqa: E402

NAMESPACE = "measured"
PORT, SCRIPTED_PORT = 8576, 8577
MOST_QUESTIONS, GOAL = 12, 8


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=30, help="offers (default: %(default)s)")
    parser.add_argument("--block-time", type=float, default=2, help="seconds (default: %(default)s)")
    return parser.parse_args()


def questions_of_one(operator, node):
    """What one registration without faults asks of the node, at one confirmation, when the process has begun its work."""
    # The second one measures how fast blocks come, and the third knows where its search begins.
    for number in range(2):
        operator.sell(f"warm-up-{number}")
        operator.wait_phase(f"warm-up-{number}", timeout=60)
    node.script()
    operator.sell("one")
    operator.wait_phase("one", timeout=60)
    return node.questions(), sum(node.counts().values()), node.counts()["eth_sendRawTransaction"]


def rate(operator, chain, count):
    """Registrations a minute, by the times of their blocks, of requests that are all there at the start."""
    assert operator.stack.cluster.processes["registrar"].stop(timeout=40) == 0
    names = [f"offer-{number}" for number in range(count)]
    earlier = len(operator.agents())
    for name in names:
        operator.sell(name)
    for name in names:
        wait_until(lambda: operator.request(name), 60, f"{name} is requested")
    operator.start()
    wait_all_confirmed(operator, names, 60 + 10 * count, "all are registered")
    blocks = [each.block for each in operator.agents()[earlier:]]
    times = [int(chain.rpc("eth_getBlockByNumber", hex(each), False)["timestamp"], 16) for each in blocks]
    return 60 * (count - 1) / (max(times) - min(times))


def main():
    options = arguments()
    with Stack(traefik_throttle="300ms") as stack:
        chain = Anvil(stack.cluster, stack.scripts, PORT, options.block_time, age=9000)
        node = ScriptedNode(stack.cluster, chain, SCRIPTED_PORT)
        stack.cluster.service(NAMESPACE, "hello", 9000)
        with Operator(stack, chain, NAMESPACE, urls=[node.url()]) as operator:
            asked, calls, transactions = questions_of_one(operator, node)
            for method, parameters in asked:
                print(f"  {method} {parameters[:100]}")
            print(f"one registration: {len(asked)} questions (at most {MOST_QUESTIONS}, goal {GOAL}), {calls} calls with all")
            print(f"repeated ones, {transactions} transaction(s)")
            minute = rate(operator, chain, options.count)
            print(f"one account, blocks every {options.block_time:g} s: {minute:.1f} registrations a minute")
    return 0 if len(asked) <= MOST_QUESTIONS and transactions == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
