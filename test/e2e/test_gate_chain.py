"""The facilitator's answer is lost, and the verifier asks the chain itself what became of the money: a real chain, the
real facilitator, and one in front of it that hangs up (`chains` in docs/configuration.md)."""

import concurrent.futures
import json
import time
import urllib.parse
from pathlib import Path

import pytest
import registry
import x402
from cluster import wait_until
from own_gate import PRICE, RECEIPT_HEADER, OwnGate, assert_not_now, assert_used, granted_in_the_end, nonce_of, receipt
from stack import FACILITATOR_PORT, NAMESPACE, offer

OFFER = "looked-up"
PORTS = {"confirmed": 8092, "deep": 8098, "checked": 8106}
NODE_PORT = 8108
DEEP = 20
CHAINS = {
    # One that misbehaves where a test says so.
    "confirmed": {"rpcURL": f"http://127.0.0.1:{NODE_PORT}/one", "confirmations": 1},
    "deep": {"confirmations": DEEP},
    "checked": {"confirmations": 1, "checkReceipts": True},
}


class Shop(OwnGate):
    """One offer, at a verifier that knows a node of the chain."""

    def __init__(self, stack, kind):
        chain = {"rpcURL": stack.chain.url} | CHAINS[kind]
        # In a file, so that the receipt of what is spent is kept.
        flags = ["--log-level=debug", f"--ledger={stack.cluster.directory}/looking-up-{kind}.db"]
        super().__init__(stack, f"looking-up-{kind}", OFFER, PORTS[kind], chain, flags)

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

    def rpc(self, method, *params):
        """Asks the chain itself."""
        return registry.Chain(self.stack.cluster.http, self.chain.url).rpc(method, *params)

    def mine(self, blocks):
        """Within this very second: the chain's time stays that of the others."""
        self.rpc("anvil_mine", hex(blocks), "0x0")

    def crowd(self, blocks):
        """Makes sure of so many blocks within the last seconds."""
        newest = int(self.rpc("eth_blockNumber"), 16)
        then = self.rpc("eth_getBlockByNumber", hex(max(newest - blocks, 0)), False)
        if newest < blocks or int(then["timestamp"], 16) < time.time() - 30:
            self.mine(blocks)

    def reorganise(self):
        """Takes back the blocks from that of the newest settlement on. What the facilitator has sent counts as sent: it
        keeps the number of its transactions to itself."""
        sent = self.rpc("eth_getTransactionCount", x402.FACILITATOR, "latest")
        newest = self.chain.settlements()[-1]
        self.rpc("anvil_rollback", int(self.rpc("eth_blockNumber"), 16) - newest["block"] + 1)
        self.rpc("anvil_setNonce", x402.FACILITATOR, sent)

    def rule(self, *rules):
        """How the node of `confirmed` misbehaves."""
        self._post(f"http://127.0.0.1:{NODE_PORT}/control", rules)

    def asked_node(self, method):
        """How often that node was asked so since it has its rules."""
        calls = json.loads(self.stack.cluster.http("GET", f"http://127.0.0.1:{NODE_PORT}/control").body)
        return sum(each[2] == method for each in calls)

    def _post(self, url, asked):
        headers = {"Content-Type": "application/json"}
        return json.loads(self.stack.cluster.http("POST", url, headers, json.dumps(asked).encode()).body)


@pytest.fixture(scope="module")
def sold(stack, scripted):
    script = Path(__file__).with_name("scripted_node.py")
    node = stack.cluster.popen(["/usr/bin/python3", script, NODE_PORT, stack.chain.url], "node-of-gate")
    stack.cluster.apply(offer(OFFER, facilitator="scripted"))
    stack.wait_condition(OFFER, "Ready")
    yield stack
    stack.cluster.delete("serviceoffer", OFFER, ns=NAMESPACE)
    node.stop()


def shop_of(sold, kind):
    it = Shop(sold, kind)
    it.start()
    yield it
    it.end()


@pytest.fixture(scope="module")
def shop(sold):
    yield from shop_of(sold, "confirmed")


@pytest.fixture
def deep(sold):
    """Where a settlement counts once it has three confirmations."""
    yield from shop_of(sold, "deep")


@pytest.fixture
def checked(sold):
    """Where a facilitator's success is believed once the node shows it."""
    yield from shop_of(sold, "checked")


@pytest.fixture(autouse=True)
def untouched(shop):
    """Each test begins with a facilitator and a node whose failures are forgotten, and with the seller's balance."""
    shop.script(settle="relayed")
    shop.rule()
    wait_until(lambda: shop.ask(shop.payment()).status == 200, 70, "the circuit is closed", interval=1)
    shop.before = shop.chain.balance(x402.SELLER)


def earned(shop):
    return shop.chain.balance(x402.SELLER) - shop.before


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
    assert_sold_once(shop, payment, granted_in_the_end(shop, payment, 15))


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
    looked = shop.event("chain_settled")
    shop.script(settle="relayed")
    assert_used(shop.ask(payment))
    assert_used(shop.ask(payment))
    assert len(shop.transactions(payment)) == 1 and earned(shop) == PRICE
    assert shop.event("chain_settled") == looked


# What nodes say to a question about too many blocks: as JSON-RPC with 200, or by the status alone.
TOO_WIDE = {
    "infura": {"do": "range", "as": "range-infura"},
    "alchemy": {"do": "range", "as": "range-alchemy"},
    "public": {"do": "range", "as": "range-public"},
    "http413": {"do": "range", "status": 413},
}


@pytest.mark.parametrize("blocks", [500, 10])
@pytest.mark.parametrize("style", TOO_WIDE)
def test_a_node_that_takes_few_blocks_at_a_time_shows_the_settlement_all_the_same(shop, style, blocks):
    # In the minute before the payment, from when on it is looked for, there are more than one question may be about.
    shop.crowd(600)
    payment = shop.payment()
    shop.rule(TOO_WIDE[style] | {"methods": ["eth_getLogs"], "blocks": blocks})
    # Nothing but the node can tell.
    shop.script(settle="lost,busy")
    assert_sold_once(shop, payment, granted_in_the_end(shop, payment))
    assert shop.asked_node("eth_getLogs") > 1


@pytest.mark.parametrize("rule", [{"do": "lag", "blocks": 5}, {"do": "lag", "blocks": 5, "clips": True}])
def test_a_node_that_lags_is_no_reason_to_refuse(shop, rule):
    payment = shop.payment()
    shop.rule(rule)
    shop.script(settle="lost,used")
    for _ in range(2):
        assert_not_now(shop.ask(payment))
    shop.mine(5)
    assert_sold_once(shop, payment, granted_in_the_end(shop, payment))


@pytest.mark.parametrize("settle", ["lost,used", "close,lost,used"])
def test_a_settlement_is_granted_on_the_word_of_the_chain_once_it_is_deep_enough(deep, shop, settle):
    deep.before = shop.before
    payment = deep.payment()
    deep.script(settle=settle)
    assert_not_now(deep.ask(payment))
    deep.mine(DEEP - 1)
    assert_sold_once(deep, payment, granted_in_the_end(deep, payment))


def test_a_cancelled_payment_is_over_only_once_that_is_deep_enough(deep):
    payment = deep.payment()
    deep.chain.cancel(x402.BUYER_KEY, nonce_of(payment))
    deep.script(settle="close,used")
    assert_not_now(deep.ask(payment))
    deep.mine(DEEP - 1)
    assert_used(deep.ask(payment))
    assert deep.transactions(payment) == []


def test_a_success_for_a_payment_that_has_not_happened_buys_nothing_until_it_does(checked, shop):
    checked.before = shop.before
    payment, gone = checked.payment(), checked.payment()
    requirement = checked.asked_for()
    # That of another payment.
    checked.script(settle="settled", transaction=checked.chain.settlements()[-1]["transaction"])
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(checked.ask, payment)
        time.sleep(1.5)
        assert not asked.done()
        checked.settle_elsewhere(payment, requirement)
        assert_sold_once(checked, payment, asked.result())
    # Where the node shows that it can never happen, it is over at once.
    checked.chain.cancel(x402.BUYER_KEY, nonce_of(gone))
    assert_used(checked.ask(gone))
    assert checked.event("receipt_refuted") == 2


def test_a_reorganisation_that_takes_a_settlement_back_is_told(shop):
    # So that the verifier knows how long a block takes.
    known = shop.payment()
    shop.script(settle="lost,relayed")
    assert shop.ask(known).status == 200
    counted = shop.event("reorganised")
    payment = shop.payment()
    assert shop.ask(payment).status == 200
    shop.reorganise()
    assert shop.transactions(payment) == []
    shop.chain.cancel(x402.BUYER_KEY, nonce_of(payment))
    told = "a reorganisation of the chain took a settlement back"
    wait_until(lambda: ("warn", told) in shop.lines(payment), 20, "the log tells", interval=0.2)
    assert shop.event("reorganised") > counted
    # It was granted, and is spent.
    assert_used(shop.ask(payment))
