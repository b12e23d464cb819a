"""Settlements that worked though the facilitator says that they did not: charged once, and granted to the same payment,
with a node of the chain and without; never 402, never 409. The real chain and facilitator, and one in front that lies."""

import json
import urllib.parse

import pytest
import x402
from cluster import wait_until
from stack import ADDRESS, NAMESPACE, SCRIPTED_PORT, offer

PRICE = 1000
PORTS = {"without-node": (8094, 8095), "with-node": (8096, 8097)}
OFFER = "doubted"


class Shop:
    """One offer, at a verifier of the test's own."""

    def __init__(self, stack, name):
        self.stack = stack
        self.chain = stack.chain
        self._name = name
        self._port, self._health_port = PORTS[name]
        self.verifier = None

    def start(self):
        config = self.stack.cluster.directory / f"{self._name}.yaml"
        chains = f"chains:\n- {{name: {x402.NETWORK_V1}, rpcURL: {self.chain.url}}}\n"
        config.write_text(
            f"facilitators:\n- {{name: scripted, url: http://127.0.0.1:{SCRIPTED_PORT}}}\n"
            + (chains if self._name == "with-node" else "")
        )
        flags = (f"--config={config}", "--log-format=json")
        self.verifier = self.stack.another_verifier(self._name, self._port, self._health_port, *flags)
        wait_until(lambda: self.status() == 402, 10, "the gate asks for payment")

    def stop(self):
        assert self.verifier.stop(timeout=40) == 0

    def log(self):
        return [json.loads(line) for line in self.verifier.log().splitlines() if line.startswith("{")]

    def script(self, **what):
        self._facilitator("/script?" + urllib.parse.urlencode(what))

    def status(self, payment=None):
        try:
            return self.ask(payment).status
        except ConnectionError:
            return 0

    def ask(self, payment=None, path=f"/services/{OFFER}/a"):
        """The verifier's own answer, asked as Traefik does."""
        forwarded = {
            "X-Forwarded-Uri": path,
            "X-Forwarded-Method": "GET",
            "X-Forwarded-Host": "gate.test",
            "X-Forwarded-Proto": "http",
        }
        if payment:
            forwarded["Payment-Signature"] = payment
        url = f"http://{ADDRESS}:{self._port}/verify/{NAMESPACE}/{OFFER}"
        return self.stack.cluster.http("GET", url, forwarded, timeout=25)

    def asked_for(self):
        return x402.decode_header(self.ask().headers["PAYMENT-REQUIRED"])["accepts"][0]

    def payment(self):
        return x402.sign(self.stack.scripts, 2, self.asked_for(), valid_before="+600")

    def _facilitator(self, path):
        return self.stack.cluster.http("GET", f"http://127.0.0.1:{SCRIPTED_PORT}{path}")


@pytest.fixture(scope="module")
def sold(stack, scripted):
    stack.cluster.apply(offer(OFFER, facilitator="scripted"))
    stack.wait_condition(OFFER, "Ready")
    yield stack
    stack.cluster.delete("serviceoffer", OFFER, ns=NAMESPACE)


@pytest.fixture(scope="module", params=PORTS)
def shop(request, sold):
    it = Shop(sold, request.param)
    it.start()
    yield it
    it.script()
    it.stop()


@pytest.fixture(autouse=True)
def honest(shop):
    """Each test begins with an honest facilitator, and with the seller's balance."""
    shop.script()
    shop.before = shop.chain.balance(x402.SELLER)


def nonce_of(payment):
    return x402.decode_header(payment)["payload"]["authorization"]["nonce"]


def assert_granted_in_the_end(shop, payment, price=PRICE):
    """The same payment, sent again and again, gets its grant, and was charged once."""
    answers = []
    wait_until(lambda: answers.append(shop.ask(payment)) or answers[-1].status == 200, 10, "the grant comes", interval=0.2)
    assert {answer.status for answer in answers[:-1]} <= {503}
    assert len(shop.chain.settlements(nonce=nonce_of(payment))) == 1
    assert shop.chain.balance(x402.SELLER) - shop.before == price
    assert shop.ask(payment).status == 409


@pytest.mark.parametrize(
    "kind", ["internal-500", "node-failure", "node-failure-500", "unknown-error", "http402", "tx-null"]
)
def test_a_settlement_that_the_facilitator_denies_is_granted_all_the_same(shop, kind):
    payment = shop.payment()
    shop.script(settle=f"moved-{kind}")
    first = shop.ask(payment)
    if first.status == 200:
        # The node has shown it at once.
        assert shop.chain.balance(x402.SELLER) - shop.before == PRICE
        assert shop.ask(payment).status == 409
        return
    assert first.status == 503 and int(first.headers["Retry-After"]) > 0
    assert "PAYMENT-REQUIRED" not in first.headers and b"accepts" not in first.body
    shop.script(settle="relayed")
    assert_granted_in_the_end(shop, payment)


@pytest.mark.parametrize("kind", ["internal-500", "unknown-error"])
def test_a_settlement_that_is_denied_and_did_not_happen_is_repeated(shop, kind):
    payment = shop.payment()
    shop.script(settle=kind)
    assert shop.ask(payment).status == 503
    assert shop.chain.settlements(nonce=nonce_of(payment)) == []
    shop.script(settle="relayed")
    assert_granted_in_the_end(shop, payment)


def test_a_second_transaction_that_fails_because_of_the_first_is_no_refusal(shop):
    payment = shop.payment()
    shop.script(settle="lost,failed,relayed")
    if shop.ask(payment).status == 200:
        # The node has shown it at once.
        return
    assert_granted_in_the_end(shop, payment)


def test_a_new_price_does_not_concern_a_payment_in_doubt(shop):
    payment = shop.payment()
    # Not even the node knows of it: it moves when it is settled again, on the terms that it was signed for.
    shop.script(settle="close")
    assert shop.ask(payment).status == 503
    set_price(shop, "0.002")
    try:
        shop.script(settle="relayed")
        assert_granted_in_the_end(shop, payment)
    finally:
        set_price(shop, "0.001")


def set_price(shop, price):
    change = {"spec": {"payment": {"price": {"perRequest": price}}}}
    shop.stack.cluster.patch("serviceoffer", OFFER, change, NAMESPACE)
    amount = str(int(float(price) * 1e6))
    wait_until(lambda: shop.asked_for()["amount"] == amount, 10, "the gate has the new price", interval=0.1)


def test_a_sold_payment_is_not_sold_again_after_a_restart_and_the_log_tells_of_each(shop):
    sold, lost = shop.payment(), shop.payment()
    shop.script(settle="relayed,close")
    assert shop.ask(sold).status == 200
    assert shop.ask(lost).status == 503
    shop.stop()
    lines = {line.get("nonce"): line for line in shop.log() if "nonce" in line}
    transaction, = [one["transaction"] for one in shop.chain.settlements(nonce=nonce_of(sold))]
    assert lines[nonce_of(sold)]["transaction"] == transaction
    assert lines[nonce_of(sold)]["msg"] == "a payment was settled, and its answer delivered"
    assert lines[nonce_of(sold)]["payer"].lower() == x402.BUYER.lower()
    assert lines[nonce_of(sold)]["route"] == f"{NAMESPACE}/{OFFER}"
    assert lines[nonce_of(lost)]["msg"] == "a payment is left without a delivered answer"
    assert lines[nonce_of(lost)]["state"] == "unknown"
    shop.start()
    shop.script(verify="relayed", settle="relayed")
    again = shop.ask(sold)
    assert again.status == 409 and "PAYMENT-REQUIRED" not in again.headers
    # Its first word is that the nonce is used, also where only the settlement looks.
    shop.script(settle="relayed")
    assert shop.ask(sold).status == 409
    # What was not settled still buys.
    assert shop.ask(lost).status == 200
    assert shop.chain.balance(x402.SELLER) - shop.before == 2 * PRICE
