"""Settlements that worked though the facilitator says that they did not: charged once, and granted to the same payment,
with a node of the chain and without; never 402, never 409. The real chain and facilitator, and one in front that lies."""

import pytest
import x402
from cluster import wait_until
from own_gate import PRICE, OwnGate, assert_not_now, assert_used, granted_in_the_end, nonce_of
from stack import NAMESPACE, offer

OFFER = "doubted"
PORTS = {"without-node": 8094, "with-node": 8096}


class Shop(OwnGate):
    """One offer, at a verifier whose record is in memory; test_ledger.py has more on those in a file."""

    def __init__(self, stack, name):
        chain = {"rpcURL": stack.chain.url, "confirmations": 1} if name == "with-node" else None
        self.has_node = chain is not None
        super().__init__(stack, f"doubted-{name}", OFFER, PORTS[name], chain)


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
    it.end()


@pytest.fixture(autouse=True)
def honest(shop):
    """Each test begins with an honest facilitator, and with the seller's balance."""
    shop.script()
    shop.before = shop.chain.balance(x402.SELLER)


def assert_granted_in_the_end(shop, payment, price=PRICE):
    """The same payment, sent again and again, gets its grant, and was charged once."""
    granted_in_the_end(shop, payment)
    assert_sold_once(shop, payment, price)


def assert_sold_once(shop, payment, price=PRICE):
    assert len(shop.transactions(payment)) == 1
    assert shop.chain.balance(x402.SELLER) - shop.before == price
    assert_used(shop.ask(payment))


@pytest.mark.parametrize(
    "kind", ["internal-500", "node-failure", "node-failure-500", "unknown-error", "http402", "tx-null"]
)
def test_a_settlement_that_the_facilitator_denies_is_granted_all_the_same(shop, kind):
    payment = shop.payment()
    shop.script(settle=f"moved-{kind}")
    first = shop.ask(payment)
    shop.script(settle="relayed")
    assert_granted_as_soon_as_told(shop, payment, first)


def assert_granted_as_soon_as_told(shop, payment, first):
    """By the node at once, and else by the facilitator, asked again; `first` is what the payment's first copy got."""
    if shop.has_node:
        assert first.status == 200, first
        assert_sold_once(shop, payment)
    else:
        assert_not_now(first)
        assert_granted_in_the_end(shop, payment)


@pytest.mark.parametrize("kind", ["internal-500", "unknown-error"])
def test_a_settlement_that_is_denied_and_did_not_happen_is_repeated(shop, kind):
    payment = shop.payment()
    shop.script(settle=kind)
    assert shop.ask(payment).status == 503
    assert shop.chain.settlements(nonce=nonce_of(payment)) == []
    shop.script(settle="relayed")
    assert_granted_in_the_end(shop, payment)


@pytest.mark.parametrize("settle", ["lost,failed", "close,moved-failed"])
def test_a_second_transaction_that_fails_because_of_the_first_is_no_refusal(shop, settle):
    """The first is mined at once, or only when the second is."""
    payment = shop.payment()
    shop.script(settle=f"{settle},relayed")
    first = shop.ask(payment)
    # Where the node shows the first one no second is sent.
    assert shop.counts()["settle"] == (1 if shop.has_node and settle == "lost,failed" else 2)
    assert_granted_as_soon_as_told(shop, payment, first)


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
