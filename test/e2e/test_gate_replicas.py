"""Two verifiers, each with a record of its own (in memory, and in a file, as the pods of an update have theirs), the real
facilitator and a chain: what still holds, and what does not.

Holds, because the chain takes an authorization's nonce once: the seller is paid once for a payment; a payment gives at
most one grant, where no settlement is in doubt, and at most one of each replica where it is; nobody is asked to pay again
for one that was settled, or may yet be. Does not hold: a grant whose answer was lost is given again by the replica that
settled it only (docs/verifier.md).
"""

import concurrent.futures

import pytest
import registry
import x402
from cluster import wait_until
from own_gate import PRICE, OwnGate, assert_not_now, assert_used, granted_in_the_end
from stack import ADDRESS, FACILITATOR_PORT, GATEWAY, NAMESPACE, VERIFIER_PORT, binary, offer

SECOND_PORT, SECOND_HEALTH = 8090, 8091
PORTS = (VERIFIER_PORT, SECOND_PORT)
DOUBTED = "doubted-by-two"
FIRST_OF_DOUBT, SECOND_OF_DOUBT = 8126, 8128
DEEP = 20


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


class Replicas:
    """Two verifiers whose facilitator the test scripts. With a node no settlement is proved before it is dug in."""

    def __init__(self, stack, name):
        self.chain = stack.chain
        self.has_node = name == "with-node"
        self._stack = stack
        node = {"rpcURL": stack.chain.url, "confirmations": DEEP, "checkReceipts": True} if self.has_node else None
        file = f"--ledger={stack.cluster.directory}/second-of-doubt-{name}.db"
        self.first = OwnGate(stack, f"first-{name}", DOUBTED, FIRST_OF_DOUBT, node)
        self.second = OwnGate(stack, f"second-{name}", DOUBTED, SECOND_OF_DOUBT, node, [file])
        self.both = (self.first, self.second)

    def script(self, settle, verify="relayed"):
        self.first.script(verify=verify, settle=settle)

    def settlements_asked(self):
        return self.first.counts()["settle"]

    def dig_in(self):
        """Within this very second: the chain's time stays that of the others."""
        registry.Chain(self._stack.cluster.http, self.chain.url).rpc("anvil_mine", hex(DEEP), "0x0")

    def lose_an_answer(self):
        """A payment that the first one has settled, and does not know of."""
        payment = self.first.payment()
        self.script("lost,close")
        assert_not_now(self.first.ask(payment))
        self.assert_charged_once(payment)
        return payment

    def granted_by_the_first(self, payment):
        """Where there is a node, once it proves the settlement; no facilitator's word is enough."""
        self.script("relayed")
        if self.has_node:
            assert_not_now(self.first.ask(payment))
            self.dig_in()
        granted_in_the_end(self.first, payment)

    def assert_charged_once(self, payment):
        assert len(self.first.transactions(payment)) == 1
        assert self.chain.balance(x402.SELLER) - self.before == PRICE

    def assert_over(self, payment):
        """It buys nothing more from either, and was charged once."""
        for replica in self.both * 2:
            assert_used(replica.ask(payment))
        self.assert_charged_once(payment)


@pytest.fixture(scope="module")
def doubted(stack, scripted):
    stack.cluster.apply(offer(DOUBTED, facilitator="scripted"))
    stack.wait_condition(DOUBTED, "Ready")
    yield stack
    stack.cluster.delete("serviceoffer", DOUBTED, ns=NAMESPACE)


@pytest.fixture(scope="module", params=["without-node", "with-node"])
def started(request, doubted):
    them = Replicas(doubted, request.param)
    for replica in them.both:
        replica.start()
    yield them
    for replica in them.both:
        replica.end()


@pytest.fixture
def replicas(started):
    """Each test begins with the seller's balance."""
    started.before = started.chain.balance(x402.SELLER)
    return started


def test_an_answer_that_was_lost_is_given_by_the_replica_that_settled_it_and_the_other_settles_nothing(replicas):
    payment = replicas.lose_an_answer()
    replicas.script("relayed")
    for _ in range(2):
        other = replicas.second.ask(payment)
        assert_used(other)
        assert "PAYMENT-RESPONSE" not in other.headers
    assert replicas.settlements_asked() == 0
    replicas.granted_by_the_first(payment)
    replicas.assert_over(payment)


@pytest.mark.parametrize("settle", ["used", "failed,used"])
def test_who_settles_after_the_lost_answer_of_another_grants_nothing(replicas, settle):
    """The facilitator's node lags behind, and shows the nonce unused."""
    payment = replicas.lose_an_answer()
    replicas.script(settle, verify="valid")
    answer = replicas.second.ask(payment)
    if settle != "used" and replicas.has_node:
        # Which transaction it was is the node's to say, in time.
        assert_not_now(answer)
    else:
        assert_used(answer)
    replicas.granted_by_the_first(payment)
    replicas.assert_over(payment)


def test_who_is_overtaken_while_it_settles_grants_nothing(replicas):
    payment = replicas.first.payment()
    replicas.script("held-relayed,relayed")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        slow = pool.submit(replicas.first.ask, payment)
        wait_until(lambda: replicas.settlements_asked() == 1, 5, "the settlement is under way", interval=0.02)
        assert replicas.second.ask(payment).status == 200
        replicas.first.go()
        assert_used(slow.result())
    replicas.assert_over(payment)


@pytest.mark.parametrize("settle", ["close", "internal-500"])
def test_what_one_has_in_doubt_the_other_sells_and_both_grant_at_most_once(replicas, settle):
    payment = replicas.first.payment()
    replicas.script(settle)
    assert_not_now(replicas.first.ask(payment))
    assert replicas.first.transactions(payment) == []
    replicas.script("relayed")
    assert replicas.second.ask(payment).status == 200
    replicas.granted_by_the_first(payment)
    replicas.assert_over(payment)


def test_what_both_have_in_doubt_is_nowhere_asked_for_again_and_granted_by_each_at_most_once(replicas):
    payment = replicas.first.payment()
    for settle in ("close", "internal-500"):
        replicas.script(settle)
        for replica in replicas.both:
            assert_not_now(replica.ask(payment))
    assert replicas.first.transactions(payment) == []
    replicas.script("lost,close")
    assert_not_now(replicas.second.ask(payment))
    replicas.granted_by_the_first(payment)
    granted_in_the_end(replicas.second, payment)
    replicas.assert_over(payment)


def test_a_success_that_a_facilitator_tells_again_is_granted_by_each_at_most_once(replicas):
    payment = replicas.first.payment()
    replicas.script("relayed")
    assert replicas.first.ask(payment).status == 200
    transaction, = replicas.first.transactions(payment)
    replicas.first.script(verify="valid", settle="settled", transaction=transaction)
    # A node does not help: it has just been mined, so it may be the second one's own.
    assert replicas.second.ask(payment).status == 200
    replicas.assert_over(payment)
