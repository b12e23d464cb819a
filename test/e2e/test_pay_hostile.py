"""`portitor pay` and sellers that lie, or say nothing: what is paid, and what the buyer is told. Needs no cluster."""

import base64
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
import x402
from stack import binary

USDC = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
SIGNED = b"payment-signature:"


def encoded(message):
    return base64.b64encode(json.dumps(message).encode()).decode()


def entry(**changes):
    return {
        "scheme": "exact",
        "network": "eip155:84532",
        "amount": "1000",
        "asset": USDC,
        "payTo": x402.SELLER,
        "maxTimeoutSeconds": 60,
        "extra": {"name": "USDC", "version": "2"},
    } | changes


REAL = entry(
    network="eip155:8453",
    asset="0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
    extra={"name": "USD Coin", "version": "2"},
)


def answer(status, *headers, body=b""):
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def terms(*accepts, body=b"", **more):
    message = {"x402Version": 2, "accepts": list(accepts or [entry()])} | more
    return answer(402, f"PAYMENT-REQUIRED: {encoded(message)}", body=body)


class Seller:
    """Answers each request by the next of its steps: bytes, or what is called with the connection. The last step
    stays."""

    def __init__(self, *steps):
        self.steps, self.asked, self.last_asked = list(steps), [], threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/hello"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._socket.accept()
                threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line):
        with contextlib.suppress(OSError), line:
            got = b""
            while True:
                while b"\r\n\r\n" not in got:
                    more = line.recv(65536)
                    if not more:
                        return
                    got += more
                request, got = got.split(b"\r\n\r\n", 1)
                step = self.steps[min(len(self.asked), len(self.steps) - 1)]
                self.asked.append(request.lower())
                if SIGNED in request.lower():
                    self.last_asked.set()
                if callable(step):
                    step(line)
                    return
                line.sendall(step)

    @property
    def payments(self):
        """The payments that came, each once."""
        return {
            each
            for request in self.asked
            for each in request.split(b"\r\n")
            if each.startswith((SIGNED, b"x-payment:"))
        }

    def close(self):
        self._socket.close()


@pytest.fixture
def seller():
    with contextlib.ExitStack() as closing:

        def make(*steps):
            made = Seller(*steps)
            closing.callback(made.close)
            return made

        yield make


@pytest.fixture
def world(tmp_path):
    """Where a buyer sits: his key, and a folder for what is temporary."""
    key = tmp_path / "key"
    key.write_text(x402.BUYER_KEY)
    key.chmod(0o600)
    (tmp_path / "tmp").mkdir()
    return tmp_path


def start(world, *words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE):
    return subprocess.Popen(
        [binary(), "pay", *words],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        cwd=world,
        env=os.environ | {"TMPDIR": str(world / "tmp")},
    )


def ended(process, limit=40):
    try:
        out, err = process.communicate(timeout=limit)
    finally:
        process.kill()
    text = (out or b"") + err
    assert x402.BUYER_KEY[2:12].encode() not in text
    # Whatever a seller sends, it moves no cursor.
    assert b"\x1b" not in err and b"\x07" not in err
    return process.returncode, (out or b"").decode("latin-1"), err.decode()


def pay(world, url, *words, **how):
    return ended(start(world, url, "--key-file=key", "--timeout=3s", *words, **how))


def receipt(**said):
    message = {"success": True, "transaction": "0x" + "a" * 64, "network": "eip155:84532", "payer": x402.BUYER} | said
    return f"PAYMENT-RESPONSE: {encoded(message)}"


def by_words(value):
    """What a case is called: not by all its bytes."""
    return value if isinstance(value, str) else ""


SERVED = answer(200, receipt(), body=b"hello")


@pytest.mark.parametrize(
    "said, told",
    [
        (answer(402, f"PAYMENT-REQUIRED: {encoded({'x402Version': 2, 'accepts': []})}"), "accepts is empty"),
        (answer(402, *[f"PAYMENT-REQUIRED: {encoded({'x402Version': 2, 'accepts': [entry()]})}"] * 2), "more than one header"),
        (terms(body=json.dumps({"x402Version": 2, "accepts": [entry(amount="9000")]}).encode()), "contradicts itself"),
        (terms(entry(amount="0")), "more than 0"),
        (terms(entry(amount="-1000")), "amount must be"),
        (terms(entry(amount=str(2**256))), "amount must be"),
        (terms(entry(amount=str(2**256 - 1))), "more than the 0.01 USDC"),
        (terms(entry(amount="10001")), "more than the 0.01 USDC"),
        (terms(entry(maxTimeoutSeconds=10**18)), "maxTimeoutSeconds must be"),
        (terms(entry(extra={"name": "USD Coin", "version": "2"})), '"USDC", version "2"'),
        (terms(entry(extra={"name": "\x1b[2J", "version": "2"})), "\\x1b[2J"),
        (terms(entry(payTo=USDC)), "payTo must be"),
        (terms(entry(asset="0x" + "1" * 40)), "token is not known here"),
        (terms(REAL), "--allow-mainnet"),
        (terms(*[entry(scheme="upto")] * 64), "only \"exact\" can be paid"),
        (terms(*[entry()] * 65), "more than 64"),
        (answer(402, "PAYMENT-REQUIRED: " + "A" * 200_000), "header"),
        (answer(402, *[f"X-{i}: {'b' * 8000}" for i in range(20)]), "header"),
        (answer(402, body=b"[" * 200_000), "none of x402 v1"),
        (answer(302, "Location: http://127.0.0.1:1/"), "redirects are not followed"),
        (b"\x16\x03\x01 nothing of HTTP", ""),
    ],
    ids=by_words,
)
def test_no_payment_is_signed_for_terms_that_are_wrong(world, seller, said, told):
    lying = seller(said)
    code, out, err = pay(world, lying.url)
    assert code == 1, err
    assert told in err
    assert lying.payments == set() and len(lying.asked) <= 2
    assert list((world / "tmp").iterdir()) == []


def kept_in(err):
    return re.search(r"--payment-file (\S+),", err)[1]


@pytest.mark.parametrize(
    "said, told, tries",
    [
        # Another price, another receiver: he was paid what he asked for first, or not at all.
        (terms(entry(amount="2000")), "the server answered 402 to the payment", 1),
        (terms(entry(payTo="0x" + "2" * 40)), "the server answered 402 to the payment", 1),
        (answer(307, "Location: http://127.0.0.1:1/pay-me"), "redirects are not followed", 1),
        (answer(500, body=b'{"error":"\\u001b[31mpay again"}'), "\\x1b[31mpay again; it may have been charged", 1),
        (answer(503), "not known whether the payment settled", 1),
        (answer(200, body=b"")[:12], "not known whether the payment settled", 6),
        (answer(200, f"X: {'x' * 200_000}"), "not known whether the payment settled", 1),
        (answer(999, body=b"?"), "the server answered 999", 1),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "not known whether the payment settled", 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx", "not known whether the payment settled", 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "not known whether the payment settled", 1),
    ],
    ids=by_words,
)
def test_one_payment_is_made_and_the_last_words_say_what_is_known(world, seller, said, told, tries):
    def once(line):
        line.sendall(said)

    lying = seller(terms(), once)
    code, out, err = pay(world, lying.url)
    assert code == 1, err
    assert told in err
    assert len(lying.payments) == 1 and len(lying.asked) == 1 + tries
    assert re.search(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", err), "until when the payment is valid"

    # The same payment, and no key.
    kept = kept_in(err)
    assert os.stat(kept).st_mode & 0o777 == 0o600
    lying.steps = [SERVED]
    again = ended(start(world, lying.url, "--payment-file", kept))
    assert again[0] == 0 and again[1] == "hello", again
    assert "settled in transaction 0xaaa" in again[2]
    assert len(lying.payments) == 1
    assert not os.path.exists(kept), "it is spent"


def test_a_kept_payment_is_for_its_own_request_only(world, seller):
    lying = seller(terms(), answer(500))
    kept = kept_in(pay(world, lying.url)[2])
    other = seller(SERVED)
    for words, told in (
        ([other.url], "was made for GET http://127.0.0.1"),
        ([lying.url, "-d", "x"], "was made for GET"),
        ([lying.url, "--key-file=key"], "leave out --key-file"),
        ([lying.url, "--dry-run"], "leave out --dry-run"),
    ):
        code, _, err = ended(start(world, *words, "--payment-file", kept))
        assert code == 2 and told in err
    assert other.asked == [] and len(lying.asked) == 2
    other.close()
    lying.close()
    code, _, err = ended(start(world, lying.url, "--payment-file", kept, "-o", "json"), 40)
    assert code == 1 and "nothing was charged" not in err
    assert os.path.exists(kept)


@pytest.mark.parametrize(
    "headers, told",
    [
        ([], "no receipt came"),
        ([receipt(success=False, errorReason="\x1b[1mno")], "did not settle: \\x1b[1mno"),
        ([receipt(payer=x402.SELLER)], "the receipt is none of this payment: it names another payer"),
        ([receipt(network="eip155:8453")], "the receipt is none of this payment: it names another network"),
        ([receipt(transaction="\x1b]0;x\x07")], "the receipt is none of this payment: its transaction"),
        ([receipt(), receipt(payer=x402.SELLER)], "no receipt came"),
        (["PAYMENT-RESPONSE: " + "A" * 20_000], "no receipt came"),
        (["PAYMENT-RESPONSE: %%%"], "no receipt came"),
    ],
    ids=by_words,
)
def test_a_receipt_is_not_believed_without_a_look(world, seller, headers, told):
    code, out, err = pay(world, seller(terms(), answer(200, *headers, body=b"hello")).url)
    assert (code, out) == (0, "hello"), err
    assert told in err
    assert list((world / "tmp").iterdir()) == []


def drip(line):
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            line.sendall(b".")
            time.sleep(0.05)


@pytest.mark.parametrize(
    "step", [drip, lambda line: time.sleep(30), answer(503, "Retry-After: 30")], ids=["drip", "mute", "later"]
)
@pytest.mark.parametrize("how", [(signal.SIGINT,), (signal.SIGTERM, signal.SIGINT)], ids=["once", "twice"])
def test_a_signal_ends_it_at_once_with_what_is_known(world, seller, step, how):
    lying = seller(terms(), step)
    process = start(world, lying.url, "--key-file=key")
    assert lying.last_asked.wait(10)
    time.sleep(0.2)
    began = time.monotonic()
    for each in how:
        process.send_signal(each)
    code, out, err = ended(process)
    assert time.monotonic() - began < 2
    assert code == 1 and out == ""
    assert "told to stop" in err and "not known whether the payment settled" in err
    assert "T" in re.search(r"has ended \((\S+)\)", err)[1]
    assert os.path.exists(kept_in(err))


def test_a_signal_before_a_payment_ends_it_too(world, seller):
    mute = seller(lambda line: time.sleep(30))
    process = start(world, mute.url, "--key-file=key", "--output-file=out")
    while not mute.asked:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process, 3)
    assert code == 1 and "nothing was paid" in err
    assert sorted(each.name for each in world.iterdir()) == ["key", "tmp"]

    # Nobody writes the key.
    process = start(world, mute.url, "--key-file=-", "--output-file=out", stdin=subprocess.PIPE)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(3) == -signal.SIGINT
    process.communicate()
    assert sorted(each.name for each in world.iterdir()) == ["key", "tmp"]


def test_a_name_that_nobody_answers_for_keeps_nobody(world):
    (world / "resolv.conf").write_text("nameserver 127.0.0.9\noptions timeout:10 attempts:1\n")
    mounted = "mount --bind resolv.conf /etc/resolv.conf && exec \"$@\""
    words = [binary(), "pay", "http://shop.example.com/", "--timeout=1s"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.9", 53))
        process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", mounted, "sh", *words], stderr=subprocess.PIPE, cwd=world
        )
        began = time.monotonic()
        assert b"cannot resolve shop.example.com: no answer in time" in process.stderr.readline()
        assert time.monotonic() - began < 4
        # The system still waits for the name server; who is at the terminal need not.
        while process.poll() is None and time.monotonic() < began + 6:
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        assert process.poll() == -signal.SIGINT
        process.stderr.close()


def test_a_paid_body_is_never_lost_with_its_file(world, seller):
    shop = seller(terms(), SERVED)
    for path in (str(world), str(world / "none" / "out"), "/proc/self/none"):
        code, _, err = pay(world, shop.url, f"--output-file={path}")
        assert code == 2 and "--output-file" in err
    assert shop.asked == [], "it was found before anything was asked"

    code, out, err = pay(world, shop.url, "--output-file=/dev/full")
    assert (code, out) == (1, "hello")
    assert "No space left on device; the body goes to standard output" in err

    shop = seller(terms(), SERVED)
    code, out, _ = pay(world, shop.url, "--output-file=/dev/full", "-o", "json")
    assert code == 1 and json.loads(out)["body"] == "hello" and "bodyFile" not in json.loads(out)

    # What was there stays where nothing was served.
    (world / "out").write_text("before")
    assert pay(world, seller(terms(), answer(409)).url, "--output-file=out")[0] == 1
    assert (world / "out").read_text() == "before"
    assert pay(world, seller(terms(), SERVED).url, "--output-file=out")[:2] == (0, "")
    assert (world / "out").read_text() == "hello"
    assert sorted(each.name for each in world.iterdir()) == ["key", "out", "tmp"]


def test_a_large_answer_is_not_fetched_again_and_again(world, seller):
    sent = []

    def flood(line):
        line.sendall(b"HTTP/1.1 503 Later\r\nRetry-After: 1\r\n\r\n")
        with contextlib.suppress(OSError):
            while sum(sent) < 500_000_000:
                sent.append(line.send(b"x" * 1_000_000))

    code, _, err = pay(world, seller(terms(), flood).url)
    assert code == 1 and "not known whether the payment settled" in err
    assert sum(sent) < 140_000_000
