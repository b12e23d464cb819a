"""A verifier that starts while its record of payments is away: it sells nothing yet, and all else goes on."""

import contextlib

import pytest
import x402
from cluster import wait_until
from own_gate import OwnGate, full_disk, small_disk
from stack import NAMESPACE, offer

OFFER = "late"
PORT = 8116


class Late(OwnGate):
    """With its record on a small disk of its own."""

    def __init__(self, stack, disk):
        self.disk = disk
        self.file = disk / "ledger.db"
        super().__init__(stack, "late-ledger", OFFER, PORT, flags=[f"--ledger={self.file}"])

    @contextlib.contextmanager
    def damaged(self):
        """Its file is none of SQLite's; in the end what was there is put back, as an operator does."""
        good, bad = self.disk / "good.db", self.disk / "bad.db"
        self.file.rename(good)
        self.file.write_bytes(b"x" * 5000)
        yield "it is damaged"
        assert self.file.read_bytes() == b"x" * 5000
        self.file.rename(bad)
        good.rename(self.file)

    @contextlib.contextmanager
    def full(self):
        with full_disk(self.disk):
            yield "the disk is full"


@pytest.fixture(scope="module")
def late(stack):
    with small_disk(stack.cluster.directory / "late-disk", 4) as disk:
        stack.cluster.apply(offer(OFFER))
        stack.wait_condition(OFFER, "Ready")
        yield Late(stack, disk)
        stack.cluster.delete("serviceoffer", OFFER, ns=NAMESPACE)


@pytest.mark.parametrize("trouble", ["damaged", "full"])
def test_a_record_that_is_away_at_the_start_is_opened_when_it_can_be(late, trouble):
    late.start()
    sold = late.payment()
    assert late.ask(sold).status == 200
    late.stop()
    with getattr(late, trouble)() as words:
        late.start()
        before = late.stack.chain.balance(x402.SELLER)
        payment = late.payment()
        for each in (payment, sold):
            answer = late.ask(each)
            assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0, answer
            assert b"nothing was charged by this request" in answer.body
        assert late.stack.chain.balance(x402.SELLER) == before
        ready = late.health("/readyz?verbose")
        assert ready.status == 200 and "[!]ledger warns" in ready.body.decode() and words in ready.body.decode()
        assert "portitor_ledger_up 0" in late.health("/metrics").body.decode()
    wait_until(lambda: late.ask(payment).status == 200, 20, "it sells", interval=0.2)
    assert late.ask(sold).status == 409
    assert "[+]ledger ok" in wait_until(
        lambda: (text := late.health("/readyz?verbose").body.decode()) and "[+]ledger" in text and text, 5, "it is ready"
    )
    assert "portitor_ledger_up 1" in late.health("/metrics").body.decode()
    assert late.verifier.log().count("the record of payments is away") == 1
    late.stop()
