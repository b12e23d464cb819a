"""The book of sales, read while the verifier writes it: what was sold to whom, and what is in doubt. A real chain and
facilitator, and one in front that loses sight of a settlement."""

import csv
import io
import json

import pytest
import x402
from cluster import wait_until
from own_gate import OwnGate
from stack import NAMESPACE, offer

OFFER = "booked"
PORT = 8580
PRICE = 1000


class Shop(OwnGate):
    """With a book of the test's own."""

    def __init__(self, stack):
        self.book = stack.cluster.directory / "booked.db"
        super().__init__(stack, "verifier-booked", OFFER, PORT, flags=[f"--ledger={self.book}"])

    def ask(self, payment=None):
        return super().ask(payment, path="a?token=of-a-buyer")

    def sales(self, *words, code=0):
        done = self.stack.portitor("sales", *words, f"--ledger={self.book}")
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout


@pytest.fixture(scope="module")
def shop(stack, scripted):
    stack.cluster.apply(offer(OFFER, facilitator="scripted"))
    stack.wait_condition(OFFER, "Ready")
    it = Shop(stack)
    it.script(verify="relayed", settle="relayed")
    it.start()
    yield it
    it.script()
    it.stop()
    stack.cluster.delete("serviceoffer", OFFER, ns=NAMESPACE)


def test_the_book_tells_what_was_sold_while_the_verifier_writes_it(shop):
    before = shop.stack.chain.balance(x402.SELLER)
    payments = [shop.payment(), shop.payment(key=x402.BUYER2_KEY)]
    assert [shop.ask(each).status for each in payments] == [200, 200]
    # One whose settlement is lost: it is in doubt, for no node tells.
    shop.script(verify="relayed", settle="pending")
    assert shop.ask(shop.payment()).status == 503

    wait_until(lambda: json.loads(shop.sales("sum", "-o", "json"))["delivered"] == 2, 5, "both are delivered")
    listed = json.loads(shop.sales("-o", "json"))
    assert not listed["more"]
    assert [each["state"] for each in listed["payments"]] == ["doubt", "delivered", "delivered"]
    second, first = listed["payments"][1:]
    assert (first["payer"], second["payer"]) == (x402.BUYER.lower(), x402.BUYER2.lower())
    assert first["offer"] == f"{NAMESPACE}/{OFFER}"
    assert (first["amount"], first["decimal"], first["symbol"]) == (str(PRICE), "0.001", "USDC")
    assert first["uri"] == f"/services/{OFFER}/a?***"
    (settled,) = shop.stack.chain.settlements(nonce=first["nonce"])
    assert first["transaction"] and settled

    whole = json.loads(shop.sales("sum", "-o", "json"))
    assert (whole["payments"], whole["amount"]) == (2, str(2 * PRICE))
    assert shop.stack.chain.balance(x402.SELLER) - before == 2 * PRICE
    by_payer = json.loads(shop.sales("sum", "--by", "payer", "-o", "json"))["totals"]
    assert {each["payer"]: each["amount"] for each in by_payer} == {
        x402.BUYER.lower(): str(PRICE),
        x402.BUYER2.lower(): str(PRICE),
    }

    # "This buyer says that he paid."
    text = shop.sales("--payer", x402.BUYER2)
    assert "0.001 USDC" in text and "delivered" in text and "of-a-buyer" not in text
    assert "in doubt" in shop.sales("--state", "doubt")
    rows = list(csv.DictReader(io.StringIO(shop.sales("-o", "csv"), newline="")))
    assert [row["state"] for row in rows] == ["doubt", "delivered", "delivered"]
    assert rows[2]["nonce"] == first["nonce"]

    # It was in nobody's way.
    shop.script(verify="relayed", settle="relayed")
    assert shop.ask(shop.payment()).status == 200
    wait_until(lambda: json.loads(shop.sales("sum", "-o", "json"))["payments"] == 3, 5, "it is in the book")
