"""The record of payments in a file: what it carries over the end of a process, however it ends, and what becomes of sales
while the disk refuses to take it. A real chain and facilitator, and one in front that the test scripts."""

import concurrent.futures
import contextlib
import signal
import time

import pytest
import x402
from cluster import wait_until
from own_gate import (
    PRICE,
    OwnGate,
    assert_not_now,
    assert_used,
    full_disk,
    granted_in_the_end,
    nonce_of,
    receipt,
    small_disk,
)
from stack import NAMESPACE, offer

OFFER = "recorded"
PORTS = {"without-node": 8110, "with-node": 8112}
SECOND_PORT = 8114


class Gate(OwnGate):
    """With its record on a disk of its own, which is small."""

    def __init__(self, stack, name, disk):
        chain = {"rpcURL": stack.chain.url, "confirmations": 1} if name == "with-node" else None
        self.knows_no_node = chain is None
        self.disk = disk
        self.file = disk / f"{name}.db"
        super().__init__(stack, f"recorded-{name}", OFFER, PORTS[name], chain, [f"--ledger={self.file}"])

    @contextlib.contextmanager
    def settling(self, payment, settle):
        """A settlement of that payment is under way inside the block; gives what its buyer is to get."""
        self.script(settle=settle)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(self.ask, payment)
            wait_until(lambda: self.counts()["settle"] == 1, 5, "the settlement is under way", interval=0.02)
            yield asked

    def let_it_move(self, payment):
        """What a script of held-relayed holds."""
        self.go()
        wait_until(lambda: self.transactions(payment), 10, "the money has moved", interval=0.1)


@pytest.fixture(scope="module")
def disk(stack):
    with small_disk(stack.cluster.directory / "small-disk", 16) as folder:
        yield folder


@pytest.fixture(scope="module")
def sold(stack, scripted):
    stack.cluster.apply(offer(OFFER, facilitator="scripted"))
    stack.wait_condition(OFFER, "Ready")
    yield stack
    stack.cluster.delete("serviceoffer", OFFER, ns=NAMESPACE)


@pytest.fixture(scope="module", params=PORTS)
def gate(request, sold, disk):
    it = Gate(sold, request.param, disk)
    it.start()
    yield it
    it.end()


@pytest.fixture(autouse=True)
def honest(gate):
    """Each test begins with an honest facilitator, and with the seller's balance."""
    gate.script(settle="relayed")
    if not gate.verifier.running:
        gate.start()
    gate.before = gate.chain.balance(x402.SELLER)


def assert_sold_once(gate, payment):
    """It is spent with the receipt of its one transaction, and was charged once."""
    transaction, = gate.transactions(payment)
    copy = gate.ask(payment)
    assert_used(copy)
    # Where no node can tell which transaction it was, it stays unnamed.
    assert receipt(copy)["transaction"] in (transaction, "" if gate.knows_no_node else transaction)
    assert gate.chain.balance(x402.SELLER) - gate.before == PRICE


def test_what_was_sold_is_spent_after_a_restart_and_its_receipt_is_told_again(gate):
    payment = gate.payment()
    assert gate.ask(payment).status == 200
    gate.stop()
    gate.start()
    # Whatever the facilitator would say.
    gate.script()
    assert_sold_once(gate, payment)
    assert gate.counts() == {"verify": 0, "settle": 0}


def test_a_second_process_on_the_same_file_is_refused_with_words(gate):
    second = OwnGate(gate.stack, "recorded-twice", OFFER, SECOND_PORT, flags=[f"--ledger={gate.file}"])
    second.begin()
    wait_until(lambda: not second.verifier.running, 10, "it ends by itself", interval=0.05)
    assert second.verifier.returncode == 1
    assert f"another portitor holds the record of payments {gate.file}" in second.verifier.log()
    payment = gate.payment()
    assert gate.ask(payment).status == 200
    assert_sold_once(gate, payment)


@pytest.mark.parametrize("settle", ["held-relayed,relayed", "hang,relayed"])
def test_a_payment_whose_process_was_killed_as_it_settled_gets_its_grant_from_the_next(gate, settle):
    """Whether it moved or not: the record says that it may have."""
    payment = gate.payment()
    with gate.settling(payment, settle):
        gate.kill()
    if settle != "hang,relayed":
        gate.let_it_move(payment)
    gate.start()
    assert granted_in_the_end(gate, payment).status == 200
    assert_sold_once(gate, payment)


def test_an_answer_that_may_have_been_given_twice_is_marked_in_the_book(gate):
    """Killed as its buyer reads the answer: before it is on record that he has it, or after."""
    for _ in range(5):
        payment = gate.payment()
        assert gate.ask(payment).status == 200
        gate.kill()
        gate.start()
        again = gate.ask(payment)
        wait_until(lambda: gate.sale(payment, gate.file)["state"] == "delivered", 5, "it is on record", interval=0.1)
        assert gate.sale(payment, gate.file)["interrupted"] == (again.status == 200)
        if again.status == 200:
            break
        assert_used(again)
        gate.before += PRICE
    assert again.status == 200, "never killed in time"
    assert gate.lines(payment) == [
        ("warn", "a verifier ended while it wrote the answer to a settled payment"),
        ("info", "a payment was settled, and its answer delivered"),
    ]
    assert gate.event("interrupted") == 1
    assert_sold_once(gate, payment)


@pytest.mark.parametrize("end", ["kill", "stop"])
@pytest.mark.parametrize(
    "settle", ["lost", "moved-internal-500", "moved-unknown-error", "moved-tx-null", "internal-500", "close", "close,lost"]
)
def test_doubt_about_a_settlement_outlasts_the_process(gate, settle, end):
    payment = gate.payment()
    gate.script(settle=settle)
    first = gate.ask(payment)
    getattr(gate, end)()
    gate.start()
    gate.script(settle="relayed")
    if first.status == 503:
        assert granted_in_the_end(gate, payment).status == 200
    elif end == "kill":
        # The node has shown it at once. That its answer was read may not have been on record yet.
        assert gate.ask(payment).status in (200, 409)
    assert_sold_once(gate, payment)


@pytest.mark.parametrize("times", [1, 2])
def test_a_settlement_under_way_is_answered_before_the_process_ends(gate, times):
    payment = gate.payment()
    with gate.settling(payment, "held-relayed") as asked:
        for _ in range(times):
            gate.verifier.send(signal.SIGTERM)
            # A second one that comes much later would end it at once.
            time.sleep(0.02)
        gate.go()
        assert asked.result().status == 200
    assert gate.verifier.wait(10) == 0
    assert gate.lines(payment) == [("info", "a payment was settled, and its answer delivered")]
    gate.start()
    assert_sold_once(gate, payment)


def test_what_a_dead_process_left_in_doubt_the_node_resolves_without_its_buyer(gate):
    payment = gate.payment()
    with gate.settling(payment, "held-relayed,used"):
        gate.kill()
    gate.let_it_move(payment)
    gate.start()
    if gate.knows_no_node:
        # Nobody can tell, and nothing is settled for a buyer who does not ask.
        assert gate.metric('portitor_payments_open{state="unknown"}') == 1
    else:
        told = [("info", "a payment was settled, and its answer not delivered yet")]
        wait_until(lambda: gate.lines(payment) == told, 10, "the log tells", interval=0.1)
        assert gate.metric('portitor_payments_open{state="settled"}') == 1
    assert gate.counts()["settle"] == 1
    assert granted_in_the_end(gate, payment).status == 200
    assert_sold_once(gate, payment)


def test_while_the_disk_is_full_nothing_is_charged_and_all_else_goes_on(gate):
    sold, payment = gate.payment(), gate.payment()
    assert gate.ask(sold).status == 200
    gate.before += PRICE
    with full_disk(gate.disk, gate.file):
        for _ in range(2):
            answer = gate.ask(payment)
            assert_not_now(answer)
            assert b"nothing was charged" in answer.body
        assert gate.counts()["settle"] == 1
        assert gate.ask().status == 402
        assert_used(gate.ask(sold))
        assert gate.metric("portitor_ledger_up") == 0
        said = wait_until(lambda: told_of_ledger(gate), 10, "readiness tells", interval=0.2)
        assert "the disk is full; make room on it" in said and gate.health("/readyz").status == 200
    granted_in_the_end(gate, payment, 20)
    assert_sold_once(gate, payment)
    assert gate.metric("portitor_ledger_up") == 1


def told_of_ledger(gate):
    lines = gate.health("/readyz?verbose").body.decode().splitlines()
    return next((each for each in lines if each.startswith("[!]ledger")), None)


@pytest.mark.parametrize("then", ["room", "kill", "stop"])
def test_an_outcome_that_finds_the_disk_full_is_granted_when_there_is_room(gate, then):
    payment = gate.payment()
    with gate.settling(payment, "held-relayed,relayed") as asked, full_disk(gate.disk, gate.file):
        gate.go()
        for answer in (asked.result(), gate.ask(payment)):
            assert_not_now(answer)
            # It was.
            assert b"nothing was charged" not in answer.body
        assert len(gate.transactions(payment)) == 1
        if then != "room":
            getattr(gate, then)()
    if then != "room":
        gate.start()
    granted_in_the_end(gate, payment, 20)
    assert_sold_once(gate, payment)


def test_nothing_is_sold_on_a_file_that_was_removed(gate):
    sold = gate.payment()
    assert gate.ask(sold).status == 200
    kept = [gate.disk / f"{gate.file.name}{end}" for end in ("", "-wal", "-shm")]
    away = gate.disk / "away"
    away.mkdir()
    for each in kept:
        each.rename(away / each.name)
    payment = gate.payment()
    assert_not_now(gate.ask(payment))
    assert gate.transactions(payment) == [] and gate.ask().status == 402
    for each in kept:
        (away / each.name).rename(each)
    away.rmdir()
    granted_in_the_end(gate, payment, 20)
    assert_used(gate.ask(sold))


@pytest.mark.parametrize("trouble", ["full", "damaged"])
def test_a_process_that_begins_with_a_disk_in_trouble_does_all_that_needs_no_record(gate, trouble):
    sold, payment = gate.payment(), gate.payment()
    assert gate.ask(sold).status == 200
    gate.stop()
    kept = gate.file.read_bytes()
    with full_disk(gate.disk) if trouble == "full" else contextlib.nullcontext():
        if trouble == "damaged":
            gate.file.write_bytes(b"\xa5" * len(kept))
        # It asks for payment.
        gate.start()
        for _ in range(2):
            answer = gate.ask(payment)
            assert_not_now(answer)
            assert b"nothing was charged" in answer.body
        assert gate.transactions(payment) == []
        said = wait_until(lambda: told_of_ledger(gate), 10, "readiness tells", interval=0.2)
        assert ("the disk is full" if trouble == "full" else "it is damaged") in said
        gate.before = gate.chain.balance(x402.SELLER)
    if trouble == "damaged":
        gate.file.write_bytes(kept)
    granted_in_the_end(gate, payment, 20)
    assert_sold_once(gate, payment)
    assert_used(gate.ask(sold))
