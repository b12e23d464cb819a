"""Payments by Permit2: the real contract, x402's proxy over it, the real facilitator and client, and one in between that
hangs up. Neither contract announces a nonce, so the verifier finds a settlement by what the proxy was called with."""

import json

import pytest
import registry
import x402
from own_gate import PRICE, OwnGate, assert_not_now, assert_used, granted_in_the_end, nonce_of, receipt
from stack import BEAN, NAMESPACE, NETWORKS, offer

OFFER = "permitted"
PATH = f"/services/{OFFER}/a"
PORTS = {"one": 8118, "deep": 8120, "another": 8122, "without-node": 8124}
DEEP = 20
CONFIRMATIONS = {"one": 1, "deep": DEEP, "another": 1}
TOKEN = BEAN["address"]
PROXY = "0x402085c248EeA27D92E8b30b2C58ed07f9E20001"
SETTLE, SETTLE_WITH_PERMIT = "0x13cd3b53", "0xfa340378"
# x402.BUYER has approved Permit2, x402.BUYER2 has not.


class Shop(OwnGate):
    """The offer, at a verifier that knows its token, and a node of the chain."""

    def __init__(self, stack, name):
        confirmations = CONFIRMATIONS.get(name)
        chain = {"rpcURL": stack.chain.url, "confirmations": confirmations} if confirmations else None
        # In a file, so that the receipt of what is spent is kept.
        flags = [f"--ledger={stack.cluster.directory}/permit2-{name}.db"]
        super().__init__(stack, f"permit2-{name}", OFFER, PORTS[name], chain, flags, NETWORKS)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()

    def payment(self, key=x402.BUYER_KEY, *sponsored):
        return permit2(self.stack, "sign", key, json.dumps(self.asked_for()), *sponsored)

    def script(self, verify="relayed", settle="relayed"):
        super().script(verify=verify, settle=settle)

    def invalidate(self, payment):
        """As its payer may at any time."""
        permit2(self.stack, "invalidate", x402.BUYER, nonce_of(payment))

    def spend(self, payment, to, amount):
        """Its payer uses the nonce for another payment."""
        permit2(self.stack, "spend", x402.BUYER_KEY, nonce_of(payment), TOKEN, to, str(amount))

    def earned(self):
        return balance(self.stack) - self.before

    def rpc(self, method, *params):
        """Asks the chain itself."""
        return registry.Chain(self.stack.cluster.http, self.chain.url).rpc(method, *params)


def permit2(stack, *words):
    return stack.scripts.call("permit2.mjs", "--rpc", stack.chain.url, *words)


def balance(stack):
    return int(permit2(stack, "balance", TOKEN, x402.SELLER))


@pytest.fixture(scope="module")
def sold(stack, scripted):
    permit2(stack, "setup", TOKEN, x402.BUYER, x402.BUYER2)
    permit2(stack, "approve", TOKEN, x402.BUYER)
    stack.cluster.apply(offer(OFFER, facilitator="scripted", asset=BEAN))
    stack.wait_condition(OFFER, "Ready")
    yield stack
    stack.cluster.delete("serviceoffer", OFFER, ns=NAMESPACE)


@pytest.fixture(scope="module")
def open_shop(sold):
    with Shop(sold, "one") as it:
        yield it


@pytest.fixture
def shop(open_shop):
    """Each test begins with an honest facilitator, and with the seller's balance."""
    return ready(open_shop)


@pytest.fixture
def deep(sold):
    """Where a settlement counts once it has many confirmations."""
    with Shop(sold, "deep") as it:
        yield ready(it)


@pytest.fixture
def another(sold):
    """A verifier that knows nothing of what the first one sold."""
    with Shop(sold, "another") as it:
        yield it


@pytest.fixture
def without_node(sold):
    with Shop(sold, "without-node") as it:
        yield ready(it)


def ready(shop):
    shop.script()
    shop.before = balance(shop.stack)
    return shop


def assert_sold_once(shop, payment, granted, method=SETTLE):
    """The grant's receipt names the call of the proxy that moved the money, and nothing more comes of the payment."""
    assert granted.status == 200, granted
    told = receipt(granted)
    assert told["success"] is True
    assert told["payer"].lower() == x402.decode_header(payment)["payload"]["permit2Authorization"]["from"].lower()
    call = shop.rpc("eth_getTransactionByHash", told["transaction"])
    assert (call["to"], call["input"][:10]) == (PROXY.lower(), method)
    assert f"{int(nonce_of(payment)):064x}" in call["input"]
    assert shop.rpc("eth_getTransactionReceipt", told["transaction"])["status"] == "0x1"
    asked = shop.counts()
    copy = shop.ask(payment)
    assert_used(copy)
    assert receipt(copy)["transaction"] == told["transaction"]
    assert shop.counts() == asked
    assert shop.earned() == PRICE


def assert_never_granted(shop, payment, earned=0, refused=assert_used):
    for _ in range(2):
        refused(shop.ask(payment))
    assert shop.earned() == earned


def test_the_unmodified_client_buys_through_the_gateway(shop):
    report = shop.stack.buy(2, PATH, any_asset=True)
    assert report["statuses"] == [402, 200], report
    assert report["requirements"]["extra"]["assetTransferMethod"] == "permit2"
    assert shop.stack.get(PATH, {report["paymentHeaderName"]: report["paymentHeader"]}).status == 409
    assert shop.earned() == PRICE


def test_who_has_not_approved_permit2_is_told_so(shop):
    refused = shop.ask(shop.payment(x402.BUYER2_KEY))
    assert refused.status == 402 and b"permit2_allowance_required" in refused.body


@pytest.mark.parametrize("settle", ["lost", "moved-html", "close,lost", "pending,moved-pending"])
def test_a_settlement_that_the_facilitator_lost_is_granted_on_the_word_of_the_chain(shop, settle):
    payment = shop.payment()
    shop.script(settle=settle)
    assert_sold_once(shop, payment, shop.ask(payment))


def test_the_next_request_gets_the_grant_once_the_settlement_is_deep_enough(deep):
    payment = deep.payment()
    deep.script(settle="lost,busy")
    assert_not_now(deep.ask(payment))
    assert deep.earned() == PRICE
    deep.rpc("anvil_mine", hex(DEEP - 1), "0x0")
    assert_sold_once(deep, payment, granted_in_the_end(deep, payment))


@pytest.mark.parametrize("settle", ["relayed", "lost"])
def test_a_payer_whose_approval_comes_with_the_payment_is_served_too(shop, settle):
    payment = shop.payment(x402.BUYER2_KEY, "sponsored")
    shop.script(settle=settle)
    assert_sold_once(shop, payment, shop.ask(payment), SETTLE_WITH_PERMIT)


def test_money_that_never_moved_buys_nothing_and_the_same_payment_buys_later(shop):
    payment = shop.payment()
    shop.script(settle="close")
    assert_not_now(shop.ask(payment))
    assert shop.earned() == 0
    shop.script()
    assert_sold_once(shop, payment, granted_in_the_end(shop, payment))


def test_a_nonce_that_its_payer_gave_up_in_doubt_buys_nothing(shop):
    """Whatever else of the same amount the payer paid to the same seller meanwhile."""
    payment = shop.payment()
    shop.script(settle="close")
    assert_not_now(shop.ask(payment))
    shop.script()
    assert shop.ask(shop.payment()).status == 200
    shop.invalidate(payment)
    assert shop.ask(shop.payment()).status == 200
    assert_never_granted(shop, payment, earned=2 * PRICE)


@pytest.mark.parametrize("to, amount, earned", [(x402.PAUPER, PRICE, 0), (x402.SELLER, 1, 1)])
def test_a_nonce_that_paid_for_something_else_in_doubt_buys_nothing(shop, to, amount, earned):
    payment = shop.payment()
    shop.script(settle="close")
    assert_not_now(shop.ask(payment))
    shop.spend(payment, to, amount)
    # No event of it is for the seller to see, and a node may lack events: it is left in doubt until its time is over.
    assert_never_granted(shop, payment, earned, assert_not_now)


# The real facilitator's verification tells of a used nonce only that a simulation failed, and its settlement only the
# selector of Permit2's error.
@pytest.mark.parametrize("verify", ["relayed", "valid"])
def test_what_another_verifier_sold_is_used_and_not_to_be_paid_again(shop, another, verify):
    payment = shop.payment()
    assert shop.ask(payment).status == 200
    another.script(verify=verify)
    another.before = shop.before
    assert_never_granted(another, payment, earned=PRICE)


@pytest.mark.parametrize("verify", ["relayed", "valid"])
def test_a_nonce_that_its_payer_gave_up_before_buys_nothing(shop, verify):
    payment = shop.payment()
    shop.invalidate(payment)
    shop.script(verify=verify)
    assert_never_granted(shop, payment)


def test_without_a_node_the_used_nonce_of_a_lost_settlement_is_its_grant(without_node):
    payment = without_node.payment()
    without_node.script(settle="lost,relayed")
    granted = without_node.ask(payment)
    assert granted.status == 200, granted
    assert_used(without_node.ask(payment))
    assert without_node.earned() == PRICE
