"""A verifier that starts while its record of payments is away: it sells nothing yet, and all else goes on."""

import contextlib
import subprocess

import pytest
import x402
from cluster import wait_until
from stack import ADDRESS, NAMESPACE, offer

OFFER = "late"
PORT, HEALTH_PORT = 8116, 8117


class Late:
    """A verifier with a record on a small disk of its own."""

    def __init__(self, stack, disk):
        self.stack = stack
        self.disk = disk
        self.file = disk / "ledger.db"
        self._process = None

    def start(self):
        self._process = self.stack.another_verifier("late-ledger", PORT, HEALTH_PORT, f"--ledger={self.file}")
        wait_until(lambda: self.status() == 402, 10, "it asks for payment", interval=0.05)

    def stop(self):
        assert self._process.stop(timeout=40) == 0

    def ask(self, payment=None, path="a"):
        forwarded = {
            "X-Forwarded-Uri": f"/services/{OFFER}/{path}",
            "X-Forwarded-Method": "GET",
            "X-Forwarded-Host": "gate.test",
            "X-Forwarded-Proto": "http",
        }
        if payment:
            forwarded["Payment-Signature"] = payment
        url = f"http://{ADDRESS}:{PORT}/verify/{NAMESPACE}/{OFFER}"
        return self.stack.cluster.http("GET", url, forwarded, timeout=25)

    def status(self):
        try:
            return self.ask().status
        except ConnectionError:
            return 0

    def payment(self):
        required = x402.decode_header(self.ask().headers["PAYMENT-REQUIRED"])["accepts"][0]
        return x402.sign(self.stack.scripts, 2, required, valid_before="+600")

    def health(self, path):
        return self.stack.cluster.http("GET", f"http://{ADDRESS}:{HEALTH_PORT}{path}")

    def log(self):
        return self._process.log()

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
        filling = self.disk / "filling"
        with contextlib.suppress(OSError), open(filling, "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        yield "the disk is full"
        filling.unlink()


@pytest.fixture(scope="module")
def late(stack):
    disk = stack.cluster.directory / "late-disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
    stack.cluster.apply(offer(OFFER))
    stack.wait_condition(OFFER, "Ready")
    yield Late(stack, disk)
    stack.cluster.delete("serviceoffer", OFFER, ns=NAMESPACE)
    subprocess.run(["umount", disk], check=True)


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
    assert late.log().count("the record of payments is away") == 1
    late.stop()
