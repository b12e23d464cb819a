"""A buyer who sends one payment as often as he likes, or leaves before his answer has come."""

import json

import registry
import x402
from cluster import wait_until
from market import ADDRESS
from own_gate import assert_used, nonce_of, receipt

_HEADER = "PAYMENT-SIGNATURE"


def send(market, path, payment):
    return market.get(path, {_HEADER: payment})


def sign(market, path):
    """A payment that has never been used."""
    (asked,) = x402.decode_header(market.get(path).headers["PAYMENT-REQUIRED"])["accepts"]
    return x402.sign(market.scripts, 2, asked)


def assert_spent(market, path, payment):
    """It buys nothing any more, its receipt is given again, and it was charged once."""
    answer = send(market, path, payment)
    assert_used(answer)
    assert json.loads(answer.body)["error"] == "payment_already_used"
    (settled,) = market.chain.settlements(nonce=nonce_of(payment))
    assert receipt(answer)["transaction"] == settled["transaction"]


def hang_up_while_it_settles(market, path):
    """A payment that is charged, and whose buyer was gone by then. Afterwards the chain has a block each second."""
    payment = sign(market, path)
    settling = market.facilitator.stats()["settle"]["calls"] + 1
    ended = _requests(market, path) + 1
    _mine_each(market, 0)
    with market.cluster.connect(ADDRESS, 8000) as to:
        to.sendall(f"GET {path} HTTP/1.1\r\nHost: {ADDRESS}:8000\r\n{_HEADER}: {payment}\r\n\r\n".encode())
        wait_until(lambda: market.facilitator.stats()["settle"]["calls"] == settling, 10, "it is being settled")
    wait_until(lambda: _requests(market, path) == ended, 10, "the gateway knows that its buyer has left")
    _mine_each(market, 1)
    return payment


def _requests(market, path):
    """How many have ended."""
    return market.cluster.access_log.read_text().count(f"GET {path} ")


def _mine_each(market, seconds):
    """0 is never."""
    registry.Chain(market.cluster.http, market.chain.url).mine_every(seconds)
