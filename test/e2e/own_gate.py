"""An offer at a verifier of the test's own, whose facilitator the test scripts: it asks as Traefik does, and may end,
kill and start the verifier again."""

import contextlib
import json
import sqlite3
import subprocess
import time
import urllib.parse

import x402
from cluster import wait_until
from stack import ADDRESS, NAMESPACE, SCRIPTED_PORT

PRICE = 1000
PAYMENT_HEADER = {1: "X-Payment", 2: "Payment-Signature"}
RECEIPT_HEADER = {1: "X-Payment-Response", 2: "Payment-Response"}


class OwnGate:
    """`chain` is an entry of `chains` beside its name; without one the verifier knows no node. `lists` is more of its
    file."""

    def __init__(self, stack, name, offer, port, chain=None, flags=(), lists=""):
        self.stack = stack
        self.chain = stack.chain
        self.verifier = None
        self._name = name
        self._offer = offer
        self._port = port
        self._chain = chain
        self._flags = list(flags)
        self._lists = lists

    def start(self):
        self.begin()
        wait_until(lambda: self.status() == 402, 10, "the gate asks for payment", interval=0.05)

    def begin(self):
        """Starts it, whatever comes of it."""
        config = self.stack.cluster.directory / f"{self._name}.yaml"
        text = f"facilitators:\n- {{name: scripted, url: http://127.0.0.1:{SCRIPTED_PORT}}}\n"
        if self._chain:
            text += f"chains:\n- {json.dumps({'name': x402.NETWORK_V1} | self._chain)}\n"
        config.write_text(text + self._lists)
        flags = [f"--config={config}", "--log-format=json", *self._flags]
        self.verifier = self.stack.another_verifier(self._name, self._port, self._port + 1, *flags)

    def stop(self):
        assert self.verifier.stop(timeout=40) == 0

    def kill(self):
        self.verifier.kill()

    def end(self):
        """However it stands."""
        self.script()
        if self.verifier.running:
            self.stop()

    def log(self):
        return [json.loads(line) for line in self.verifier.log().splitlines() if line.startswith("{")]

    def sale(self, payment, file):
        """The payment as its seller reads it in the book, or None."""
        listed = self.stack.sales(file)["payments"]
        return next((each for each in listed if each["nonce"] == nonce_of(payment)), None)

    def lines(self, payment):
        """What its log has of a payment: (level, message)."""
        return [(each["level"], each["msg"]) for each in self.log() if each.get("nonce") == nonce_of(payment)]

    def script(self, **what):
        self._facilitator("/script?" + urllib.parse.urlencode(what))

    def go(self):
        """Lets the facilitator do what a script of held-KIND holds."""
        self._facilitator("/go")

    def counts(self):
        return json.loads(self._facilitator("/counts").body)

    def status(self, payment=None):
        """0 where nobody answers."""
        try:
            return self.ask(payment).status
        except ConnectionError:
            return 0

    def ask(self, payment=None, version=2, timeout=25, path="a"):
        """The verifier's own answer, asked as Traefik does."""
        forwarded = {
            "X-Forwarded-Uri": f"/services/{self._offer}/{path}",
            "X-Forwarded-Method": "GET",
            "X-Forwarded-Host": "gate.test",
            "X-Forwarded-Proto": "http",
        }
        if payment:
            forwarded[PAYMENT_HEADER[version]] = payment
        url = f"http://{ADDRESS}:{self._port}/verify/{NAMESPACE}/{self._offer}"
        return self.stack.cluster.http("GET", url, forwarded, timeout=timeout)

    def asked_for(self, version=2):
        """The requirement of its 402."""
        answer = self.ask()
        if version == 1:
            return json.loads(answer.body)["accepts"][0]
        return x402.decode_header(answer.headers["PAYMENT-REQUIRED"])["accepts"][0]

    def payment(self, version=2, **options):
        """A header that has never been used."""
        return x402.sign(self.stack.scripts, version, self.asked_for(version), valid_before="+600", **options)

    def transactions(self, payment):
        """The transactions that executed this payment's nonce."""
        return [one["transaction"] for one in self.chain.settlements(nonce=nonce_of(payment))]

    def metric(self, series):
        """The value of a series, from the metrics; they are brought up to date every half second, or a little later."""
        time.sleep(1.1)
        page = self.health("/metrics").body.decode()
        return next(float(each.rpartition(" ")[2]) for each in page.splitlines() if each.startswith(series + " "))

    def event(self, name):
        """How often it happened to a payment."""
        return self.metric(f'portitor_payments_total{{event="{name}"}}')

    def health(self, path):
        return self.stack.cluster.http("GET", f"http://{ADDRESS}:{self._port + 1}{path}")

    def _facilitator(self, path):
        return self.stack.cluster.http("GET", f"http://127.0.0.1:{SCRIPTED_PORT}{path}")


@contextlib.contextmanager
def small_disk(folder, size):
    """A disk of its own at `folder`, of so many megabytes."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


@contextlib.contextmanager
def full_disk(folder, record=None):
    """Nothing more can be written there inside the block. `record` is the file of a verifier that runs."""
    if record:
        # What is in its log would make room when it is opened anew.
        with contextlib.closing(sqlite3.connect(record)) as book:
            busy, *_ = book.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            assert not busy
    filling = folder / "filling"
    with contextlib.suppress(OSError), open(filling, "wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    try:
        yield
    finally:
        filling.unlink()


def nonce_of(payment):
    payload = x402.decode_header(payment)["payload"]
    return (payload.get("authorization") or payload["permit2Authorization"])["nonce"]


def receipt(answer, version=2):
    return x402.decode_header(answer.headers[RECEIPT_HEADER[version]])


def assert_not_now(answer):
    assert answer.status == 503, answer
    assert int(answer.headers["Retry-After"]) > 0
    assert b"accepts" not in answer.body and "PAYMENT-REQUIRED" not in answer.headers


def assert_used(answer):
    assert answer.status == 409, answer
    assert "PAYMENT-REQUIRED" not in answer.headers and b"accepts" not in answer.body


def granted_in_the_end(gate, payment, timeout=10):
    """The grant of a payment that is sent again and again, and is never refused meanwhile."""

    def grant():
        answer = gate.ask(payment)
        if answer.status == 200:
            return answer
        assert_not_now(answer)
        return None

    return wait_until(grant, timeout, "the grant comes", interval=0.2)
