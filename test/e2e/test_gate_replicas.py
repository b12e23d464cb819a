"""Two verifiers, each with a record of its own (in memory, and in a file, as the pods of an update have theirs), the real
facilitator and a chain: what still holds, and what does not.

Holds, because the chain takes an authorization's nonce once: the seller is paid once for a payment; a payment gives at
most one grant, where no settlement is in doubt; nobody is asked to pay again for one that was settled. Does not hold: a grant whose answer was lost is
given again by the replica that settled it only (docs/verifier.md).
"""

import concurrent.futures

import pytest
import x402
from cluster import wait_until
from stack import ADDRESS, FACILITATOR_PORT, GATEWAY, NAMESPACE, VERIFIER_PORT, binary, offer

SECOND_PORT, SECOND_HEALTH = 8090, 8091
PORTS = (VERIFIER_PORT, SECOND_PORT)


@pytest.fixture(scope="module")
def pair(stack):
    """The stack's verifier and another one, which both serve the offer `twice`."""
    command = [
        binary(),
        "--role=verifier",
        f"--kubeconfig={stack.cluster.role_kubeconfig('verifier')}",
        f"--listen={ADDRESS}:{SECOND_PORT}",
        f"--health-listen={ADDRESS}:{SECOND_HEALTH}",
        f"--public-url={GATEWAY}",
        f"--default-facilitator=http://127.0.0.1:{FACILITATOR_PORT}",
        "--allow-insecure-facilitator",
        f"--ledger={stack.cluster.directory}/second.db",
    ]
    second = stack.cluster.popen(command, "second-verifier")
    stack.cluster.apply(offer("twice"))
    stack.wait_condition("twice", "Ready")
    wait_until(lambda: {ask(stack, port).status for port in PORTS} == {402}, 20, "both serve the offer")
    yield stack
    assert second.stop(timeout=40) == 0
    stack.cluster.delete("serviceoffer", "twice", ns=NAMESPACE)


def ask(stack, port, payment=None):
    headers = {
        "X-Forwarded-Uri": "/services/twice/a",
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Host": "gate.test",
        "X-Forwarded-Proto": "http",
    }
    if payment:
        headers["Payment-Signature"] = payment
    try:
        return stack.cluster.http("GET", f"http://{ADDRESS}:{port}/verify/{NAMESPACE}/twice", headers, timeout=25)
    except ConnectionError:
        return NotUp()


class NotUp:
    status = 0


def new_payment(stack):
    required = x402.decode_header(ask(stack, VERIFIER_PORT).headers["PAYMENT-REQUIRED"])["accepts"][0]
    return x402.sign(stack.scripts, 2, required, valid_before="+600")


def test_a_payment_at_both_at_once_is_settled_once_and_granted_once(pair):
    for _ in range(5):
        payment = new_payment(pair)
        before = pair.chain.balance(x402.SELLER)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda port: ask(pair, port, payment), PORTS * 4))
        assert pair.chain.balance(x402.SELLER) - before == 1000
        statuses = [each.status for each in answers]
        assert statuses.count(200) <= 1
        assert not any("PAYMENT-REQUIRED" in each.headers for each in answers)
        assert set(statuses) <= {200, 409, 502, 503}
        # Whoever had no verdict yet learns it by sending the same payment again.
        for port in PORTS:
            wait_until(
                lambda: statuses.append(ask(pair, port, payment).status) or statuses[-1] in (200, 409),
                30,
                "there is a verdict",
                interval=0.5,
            )
        assert statuses.count(200) == 1
        final = {ask(pair, port, payment).status for port in PORTS}
        assert final == {409}
        assert pair.chain.balance(x402.SELLER) - before == 1000


def test_what_one_has_sold_the_other_does_not_sell_again(pair):
    payment = new_payment(pair)
    assert ask(pair, SECOND_PORT, payment).status == 200
    settled = len(pair.chain.settlements())
    used = ask(pair, VERIFIER_PORT, payment)
    assert used.status == 409 and "PAYMENT-REQUIRED" not in used.headers
    # Its receipt is known to the other one only.
    assert "PAYMENT-RESPONSE" not in used.headers
    assert "PAYMENT-RESPONSE" in ask(pair, SECOND_PORT, payment).headers
    assert len(pair.chain.settlements()) == settled
