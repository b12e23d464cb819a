"""The facilitator's answer is lost, and the verifier asks the chain itself what became of the money: a real chain, the
real facilitator, and one in front of it that hangs up (`chains` in docs/configuration.md)."""

import concurrent.futures
import json
import time
import urllib.parse

import pytest
import x402
from cluster import wait_until
from stack import ADDRESS, FACILITATOR_PORT, NAMESPACE, SCRIPTED_PORT, offer

PORT, HEALTH_PORT = 8092, 8093
PRICE = 1000
PAYMENT_HEADER = {1: "X-Payment", 2: "Payment-Signature"}
RECEIPT_HEADER = {1: "X-Payment-Response", 2: "Payment-Response"}


class Shop:
    """One offer, at a verifier that knows a node of the chain."""

    def __init__(self, stack):
        self.stack = stack
        self.chain = stack.chain

    def script(self, **what):
        self._facilitator("/script?" + urllib.parse.urlencode(what))

    def counts(self):
        return json.loads(self._facilitator("/counts").body)

    def ask(self, payment=None, version=2):
        """The verifier's own answer, asked as Traefik does."""
        forwarded = {
            "X-Forwarded-Uri": "/services/looked-up/a",
            "X-Forwarded-Method": "GET",
            "X-Forwarded-Host": "gate.test",
            "X-Forwarded-Proto": "http",
        }
        if payment:
            forwarded[PAYMENT_HEADER[version]] = payment
        url = f"http://{ADDRESS}:{PORT}/verify/{NAMESPACE}/looked-up"
        return self.stack.cluster.http("GET", url, forwarded, timeout=25)

    def asked_for(self, version=2):
        """The requirement of its 402."""
        answer = self.ask()
        if version == 1:
            return json.loads(answer.body)["accepts"][0]
        return x402.decode_header(answer.headers["PAYMENT-REQUIRED"])["accepts"][0]

    def payment(self, version=2, **options):
        return x402.sign(self.stack.scripts, version, self.asked_for(version), valid_before="+600", **options)

    def transactions(self, payment):
        """The transactions that executed this payment's nonce."""
        return [one["transaction"] for one in self.chain.settlements(nonce=nonce_of(payment))]

    def settle_elsewhere(self, payment, requirement):
        """Executes a payment past the gate, as anybody may who has seen it."""
        asked = {
            "x402Version": 2,
            "paymentPayload": x402.decode_header(payment),
            "paymentRequirements": requirement,
        }
        url = f"http://127.0.0.1:{FACILITATOR_PORT}/settle"
        headers = {"Content-Type": "application/json"}
        answer = self.stack.cluster.http("POST", url, headers, json.dumps(asked).encode(), timeout=20)
        assert json.loads(answer.body)["success"], answer

    def event(self, name):
        """How often it happened to a payment, from the metrics."""
        time.sleep(0.6)  # They are brought up to date every half second.
        page = self.stack.cluster.http("GET", f"http://{ADDRESS}:{HEALTH_PORT}/metrics").body.decode()
        line = f'portitor_payments_total{{event="{name}"}} '
        return next(int(each.removeprefix(line)) for each in page.splitlines() if each.startswith(line))

    def _facilitator(self, path):
        return self.stack.cluster.http("GET", f"http://127.0.0.1:{SCRIPTED_PORT}{path}")


def nonce_of(payment):
    return x402.decode_header(payment)["payload"]["authorization"]["nonce"]


def receipt(answer, version=2):
    return x402.decode_header(answer.headers[RECEIPT_HEADER[version]])


@pytest.fixture(scope="module")
def shop(stack, scripted):
    config = stack.cluster.directory / "looking-up.yaml"
    config.write_text(
        f"facilitators:\n- {{name: scripted, url: http://127.0.0.1:{SCRIPTED_PORT}}}\n"
        f"chains:\n- {{name: {x402.NETWORK_V1}, rpcURL: {stack.chain.url}}}\n"
    )
    verifier = stack.another_verifier("looking-up", PORT, HEALTH_PORT, f"--config={config}", "--log-level=debug")
    stack.cluster.apply(offer("looked-up", facilitator="scripted"))
    stack.wait_condition("looked-up", "Ready")
    it = Shop(stack)
    wait_until(lambda: asks_for_payment(it), 10, "the gate asks for payment")
    yield it
    it.script()
    assert verifier.stop(timeout=40) == 0
    stack.cluster.delete("serviceoffer", "looked-up", ns=NAMESPACE)


def asks_for_payment(shop):
    try:
        return shop.ask().status == 402
    except ConnectionError:
        return False


@pytest.fixture(autouse=True)
def untouched(shop):
    """Each test begins with a facilitator whose failures are forgotten, and with the seller's balance."""
    shop.script()
    wait_until(lambda: shop.ask(shop.payment()).status == 200, 70, "the circuit is closed", interval=1)
    shop.before = shop.chain.balance(x402.SELLER)


def earned(shop):
    return shop.chain.balance(x402.SELLER) - shop.before


def assert_not_now(answer):
    assert answer.status == 503, answer
    assert int(answer.headers["Retry-After"]) > 0
    assert b"accepts" not in answer.body and "PAYMENT-REQUIRED" not in answer.headers


def assert_used(answer):
    assert answer.status == 409, answer
    assert "PAYMENT-REQUIRED" not in answer.headers and b"accepts" not in answer.body


def assert_sold_once(shop, payment, granted, version=2):
    """The grant's receipt names the one transaction of the chain, and nothing more comes of the payment."""
    assert granted.status == 200, granted
    transaction, = shop.transactions(payment)
    told = receipt(granted, version)
    assert told["success"] is True and told["transaction"] == transaction
    assert told["network"] == (x402.NETWORK_V1 if version == 1 else x402.NETWORK_V2)
    assert told["payer"].lower() == x402.BUYER.lower()
    asked = shop.counts()
    copy = shop.ask(payment, version)
    assert_used(copy)
    assert receipt(copy, version)["transaction"] == transaction
    assert shop.counts() == asked
    assert shop.transactions(payment) == [transaction]
    assert earned(shop) == PRICE


@pytest.mark.parametrize(
    "settle, calls",
    [("lost", 1), ("moved-html", 1), ("moved-error", 1), ("close,lost", 2), ("pending,moved-pending", 2)],
)
def test_money_that_moved_is_granted_once_with_the_transaction_of_the_chain(shop, settle, calls):
    """However the facilitator lost sight of it, and with whichever of its tries it moved."""
    payment = shop.payment()
    settled = shop.event("chain_settled")
    shop.script(settle=settle)
    granted = shop.ask(payment)
    assert shop.counts() == {"verify": 1, "settle": calls}
    assert_sold_once(shop, payment, granted)
    wait_until(lambda: shop.event("chain_settled") == settled + 1, 5, "the metrics tell")


def test_a_v1_payment_is_found_too(shop):
    payment = shop.payment(version=1)
    shop.script(settle="lost")
    assert_sold_once(shop, payment, shop.ask(payment, version=1), version=1)


def test_of_many_copies_one_is_granted(shop):
    payment = shop.payment()
    shop.script(settle="lost", delay="0.3")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(lambda _: shop.ask(payment), range(8)), key=lambda answer: answer.status)
    assert [answer.status for answer in answers] == [200] + [409] * 7
    assert shop.counts() == {"verify": 1, "settle": 1}
    assert_sold_once(shop, payment, answers[0])


@pytest.mark.parametrize("settle", ["close", "close,html", "close,used", "close,refused"])
def test_money_that_never_moved_buys_nothing_and_the_same_payment_buys_later(shop, settle):
    payment = shop.payment()
    shop.script(settle=settle)
    assert_not_now(shop.ask(payment))
    assert shop.counts() == {"verify": 1, "settle": 2}
    assert_not_now(shop.ask(payment))
    assert shop.transactions(payment) == [] and earned(shop) == 0
    shop.script(settle="relayed")
    granted = wait_until(lambda: none_unless_granted(shop.ask(payment)), 15, "the same payment buys", interval=0.5)
    assert_sold_once(shop, payment, granted)


def none_unless_granted(answer):
    if answer.status == 200:
        return answer
    assert_not_now(answer)
    return None


@pytest.mark.parametrize("settle", ["close", "close,refused", "close,relayed", "relayed"])
def test_a_payment_that_its_payer_cancelled_is_never_granted(shop, settle):
    payment = shop.payment()
    shop.chain.cancel(x402.BUYER_KEY, nonce_of(payment))
    shop.script(settle=settle)
    for _ in range(2):
        answer = shop.ask(payment)
        assert_used(answer)
        assert RECEIPT_HEADER[2] not in answer.headers
    assert shop.transactions(payment) == [] and earned(shop) == 0


@pytest.mark.parametrize("settle", ["close", "close,refused", "close,relayed"])
def test_a_nonce_that_paid_somebody_else_buys_nothing(shop, settle):
    """The payer signed a second authorization with the same nonce, and had that one executed."""
    payment = shop.payment()
    other = shop.asked_for() | {"payTo": x402.PAUPER}
    elsewhere = x402.sign(shop.stack.scripts, 2, other, valid_before="+600", nonce=nonce_of(payment))
    shop.settle_elsewhere(elsewhere, other)
    shop.script(settle=settle)
    for _ in range(2):
        answer = shop.ask(payment)
        assert_used(answer)
        assert RECEIPT_HEADER[2] not in answer.headers
    assert len(shop.transactions(payment)) == 1 and earned(shop) == 0


def test_a_payment_that_somebody_else_executed_has_paid_the_seller(shop):
    """Its money is there, so in doubt it is granted, once, with that transaction."""
    payment = shop.payment()
    shop.settle_elsewhere(payment, shop.asked_for())
    shop.script(settle="close,relayed")
    assert_sold_once(shop, payment, shop.ask(payment))


def test_without_doubt_a_used_payment_was_sold_elsewhere(shop):
    """The facilitator says so at its first call: another replica may have granted it."""
    payment = shop.payment()
    shop.settle_elsewhere(payment, shop.asked_for())
    looked = shop.event("chain_lookup")
    shop.script(settle="relayed")
    assert_used(shop.ask(payment))
    assert_used(shop.ask(payment))
    assert len(shop.transactions(payment)) == 1 and earned(shop) == PRICE
    assert shop.event("chain_lookup") == looked
