"""The gate when others fail: a facilitator that lies, hangs or goes away, buyers that misbehave, signals."""

import base64
import concurrent.futures
import contextlib
import http.client
import itertools
import json
import pathlib
import threading
import time
import urllib.parse

import pytest
import x402
from cluster import wait_until
from stack import ADDRESS, NAMESPACE, SCRIPTED_PORT, VERIFIER_PORT, offer

GATE = f"http://{ADDRESS}:{VERIFIER_PORT}"


class Shop:
    """One offer whose facilitator the test writes."""

    def __init__(self, stack):
        self.stack = stack
        self._target = None

    def script(self, **what):
        self._control("/script?" + urllib.parse.urlencode(what))

    def go(self):
        """Lets the facilitator do what a script of held-KIND holds."""
        self._control("/go")

    def counts(self):
        return json.loads(self._control("/counts").body)

    def payment(self):
        """A header that has never been used, signed by a real client's key."""
        required = x402.decode_header(self.ask().headers["PAYMENT-REQUIRED"])["accepts"][0]
        return x402.sign(self.stack.scripts, 2, required, valid_before="+600")

    def ask(self, payment=None, path="/services/scripted/a", timeout=25, headers=()):
        """The verifier's own answer, asked as Traefik does."""
        return self.stack.cluster.http("GET", GATE + self.target(), [*_forwarded(payment, path), *headers], timeout=timeout)

    def target(self):
        self._target = self._target or self.stack.gate_target("scripted")
        return self._target

    def _control(self, path):
        return self.stack.cluster.http("GET", f"http://127.0.0.1:{SCRIPTED_PORT}{path}")


def _forwarded(payment, path="/services/scripted/a"):
    out = [
        ("X-Forwarded-Uri", path),
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Host", "gate.test"),
        ("X-Forwarded-Proto", "http"),
    ]
    return out + [("Payment-Signature", payment)] if payment else out


class KeptLine(http.client.HTTPConnection):
    """Asks again and again over one connection: a flood must not use up the machine's ports."""

    def __init__(self, shop):
        super().__init__(ADDRESS, VERIFIER_PORT, timeout=25)
        self._shop = shop

    def connect(self):
        self.sock = self._shop.stack.cluster.connect(self.host, self.port, self.timeout)

    def ask(self, payment):
        """The answer's status."""
        self.request("GET", self._shop.target(), headers=dict(_forwarded(payment)))
        with self.getresponse() as answer:
            answer.read()
            return answer.status


@pytest.fixture(scope="module")
def shop(stack, scripted):
    made = offer("scripted", facilitator="scripted")
    made["spec"]["upstream"]["credential"] = "upstream"
    stack.cluster.apply(made)
    stack.wait_condition("scripted", "Ready")
    it = Shop(stack)
    wait_until(lambda: it.ask().status == 402, 10, "the gate asks for payment")
    yield it
    stack.cluster.delete("serviceoffer", "scripted", ns=NAMESPACE)


@pytest.fixture(autouse=True)
def healthy(shop):
    """Each test begins with a facilitator that works and has been seen to."""
    yield
    shop.script()
    wait_until(lambda: shop.ask(shop.payment()).status == 200, 70, "the circuit is closed again", interval=1)


def assert_not_now(answer):
    assert answer.status in (502, 503), answer
    assert int(answer.headers["Retry-After"]) > 0
    assert b"accepts" not in answer.body and "PAYMENT-REQUIRED" not in answer.headers


@pytest.mark.parametrize("kind", ["empty", "types", "list", "html", "redirect", "huge", "error", "busy", "close"])
def test_a_verify_that_is_no_answer_takes_nothing(shop, kind):
    payment = shop.payment()
    shop.script(verify=kind)
    assert_not_now(shop.ask(payment))
    assert shop.counts()["settle"] == 0
    shop.script()
    wait_until(lambda: shop.ask(payment).status == 200, 15, "the same payment buys")
    assert shop.counts()["settle"] == 1


def test_signatures_that_a_facilitator_throws_at_do_not_stop_the_sale_for_others(shop):
    shop.script(verify="relayed")
    unreadable = x402.decode_header(shop.payment())
    # The end of an ERC-6492 signature, and nothing before it that can be decoded.
    unreadable["payload"]["signature"] = "0x" + "00" * 40 + "6492" * 16
    for nonce in range(8):
        unreadable["payload"]["authorization"]["nonce"] = f"0x{nonce:064x}"
        assert shop.ask(x402.encode_header(unreadable)).status == 502
    shop.script()
    assert shop.ask(shop.payment()).status == 200


def strangers_payments(like, first):
    """Payments of ever other payers from the `first` on, without any key: 66 bytes of rubbish, and the end that ERC-6492
    gives to what only a facilitator can judge."""
    made = x402.decode_header(like)
    made["payload"]["signature"] = "0x" + "11" * 66 + "6492" * 16
    for payer in itertools.count(first):
        made["payload"]["authorization"]["from"] = f"0x{payer:040x}"
        yield x402.encode_header(made)


@pytest.mark.parametrize("kind", ["error", "bad-gateway", "busy", "too-many", "close", "hang"])
def test_a_flood_of_strangers_signatures_stops_no_honest_buyer(shop, kind):
    honest = [shop.payment() for _ in range(10)]
    like = shop.payment()
    shop.script(strangers=kind)
    over = threading.Event()

    def keep_asking(first):
        payments = strangers_payments(like, first)
        with contextlib.closing(KeptLine(shop)) as line:
            return {line.ask(payment) for payment in itertools.takewhile(lambda _: not over.is_set(), payments)}

    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        asked = [pool.submit(keep_asking, 1 + 1_000_000 * each) for each in range(100)]
        try:
            wait_until(lambda: shop.counts()["verify"] > 0, 10, "the flood has begun")
            for payment in honest:
                began = time.monotonic()
                assert shop.ask(payment).status == 200
                assert time.monotonic() - began < 4
                time.sleep(0.2)
        finally:
            over.set()
        assert set().union(*(each.result() for each in asked)) <= {502, 503}


@pytest.mark.parametrize("kind", ["empty", "types", "html", "redirect", "huge", "error", "pending", "close"])
def test_a_settlement_of_unknown_outcome_is_resolved_and_never_asked_for_again(shop, kind):
    payment = shop.payment()
    shop.script(settle=kind)
    for _ in range(2):
        assert_not_now(shop.ask(payment))
    shop.script(settle="refused")
    assert_not_now(shop.ask(payment))
    shop.script()
    answers = []
    wait_until(lambda: answers.append(shop.ask(payment)) or answers[-1].status == 200, 15, "the grant comes")
    assert {each.status for each in answers[:-1]} <= {502, 503}
    assert shop.ask(payment).status == 409


def test_refusals_are_a_new_402_with_the_reason(shop):
    for script, reason in (({"verify": "invalid"}, "insufficient_funds"), ({"settle": "refused"}, "insufficient_funds")):
        payment = shop.payment()
        shop.script(**script)
        answer = shop.ask(payment)
        assert answer.status == 402
        assert x402.decode_header(answer.headers["PAYMENT-REQUIRED"])["error"] == reason
    payment = shop.payment()
    shop.script(settle="used")
    answer = shop.ask(payment)
    assert answer.status == 409 and "PAYMENT-REQUIRED" not in answer.headers


def test_a_facilitator_that_hangs_drips_or_is_slow_is_answered_for_in_time(shop):
    """A slow settlement is waited for all the same: the same payment gets its grant."""
    payments = [shop.payment() for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for script in ({"verify": "hang,drip"}, {"settle": "slow"}):
            shop.script(**script)
            began = time.monotonic()
            answers = pool.map(shop.ask, payments[:2])
            # Others are served all the while.
            assert shop.ask().status == 402
            for answer in answers:
                assert_not_now(answer)
            assert time.monotonic() - began < 21
            slow, payments = payments[:2], payments[2:]
    for payment in slow:
        wait_until(lambda: shop.ask(payment).status == 200, 10, "the settlement is granted")
        assert shop.ask(payment).status == 409
    assert shop.counts() == {"verify": 2, "settle": 2}


def test_one_payment_at_once_many_times_buys_one_answer(shop):
    payment = shop.payment()
    shop.script(delay="0.5")
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        statuses = sorted(answer.status for answer in pool.map(lambda _: shop.ask(payment), range(12)))
    assert statuses == [200] + [409] * 11
    assert shop.counts() == {"verify": 1, "settle": 1}


def test_a_buyer_that_hangs_up_gets_its_grant_with_the_next_try(shop):
    payment = shop.payment()
    shop.script(settle="held-settled")
    with pytest.raises(OSError):
        shop.ask(payment, timeout=1.3)
    wait_until(lambda: shop.counts()["settle"] == 1, 5, "the payment is being settled")
    shop.go()
    time.sleep(0.5)
    shop.script()
    assert shop.ask(payment).status == 200
    assert shop.counts()["settle"] == 0
    assert shop.ask(payment).status == 409


def test_a_buyer_that_leaves_with_more_questions_on_the_way_gets_its_grant_with_the_next_try(shop):
    payment = shop.payment()
    unpaid = (
        f"GET {shop.stack.gate_target('scripted')} HTTP/1.1\r\nHost: {ADDRESS}\r\nX-Forwarded-Uri: /services/scripted/a\r\n"
        "X-Forwarded-Method: GET\r\nX-Forwarded-Host: gate.test\r\nX-Forwarded-Proto: http\r\n"
    )
    shop.script(settle="held-settled")
    with shop.stack.cluster.connect(ADDRESS, VERIFIER_PORT) as line:
        line.sendall(f"{unpaid}Payment-Signature: {payment}\r\n\r\n".encode())
        wait_until(lambda: shop.counts()["settle"] == 1, 5, "the payment is being settled", interval=0.02)
        line.sendall(f"{unpaid}\r\n".encode() * 3)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        again = pool.submit(shop.ask, payment)
        shop.go()
        assert again.result().status == 200
    assert shop.counts() == {"verify": 1, "settle": 1}
    assert shop.ask(payment).status == 409


def test_the_payment_buys_what_it_was_first_shown_for(shop):
    payment = shop.payment()
    assert shop.ask(payment, path="/services/scripted/a?x=1").status == 200
    for path in ("/services/scripted/a?x=2", "/services/scripted/a", "/services/scripted/b"):
        assert shop.ask(payment, path=path).status == 409


def test_the_upstream_gets_its_credential_and_nobody_else(shop):
    bought = shop.stack.get("/services/scripted/a", [("Payment-Signature", shop.payment()), ("Authorization", "mine")])
    assert bought.status == 200, bought
    assert json.loads(bought.body)["headers"]["authorization"] == "Bearer upstream-secret"
    for answer in (shop.ask(), shop.ask("e30="), shop.stack.get("/services/scripted/a")):
        assert "upstream-secret" not in f"{answer.headers}{answer.body}"
    for role in ("controller", "verifier"):
        assert "upstream-secret" not in shop.stack.cluster.processes[role].log()


def base64_of(content):
    return base64.b64encode(content).decode()


def hostile():
    """Payment headers that no client would send."""
    deep = b"[" * 100_000
    yield base64_of(deep[:12_000])
    yield base64_of(b'{"x402Version":2,"x402Version":1}')
    yield base64_of(b'{"x402Version":2,"accepted":{"scheme":"\\ud800"}}')
    yield base64_of(b"\xff\xfe")
    yield "A" * 20_000
    yield "-_-_"
    yield "e30"
    yield "e30="


def test_hostile_payments_are_400_and_cost_no_memory(shop):
    def resident():
        pid = shop.stack.cluster.processes["verifier"].pid
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096

    everything = list(hostile())
    shop.script()
    for payment in everything:
        assert shop.ask(payment).status == 400, payment[:40]
    before = resident()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(lambda i: shop.ask(everything[i % len(everything)]).status, range(2000)))
    assert statuses == {400}
    assert resident() - before < 10e6
    assert shop.counts()["verify"] == 0


@pytest.mark.parametrize(
    "bytes_sent, expected",
    [
        (b"garbage\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", b"431"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"GET /verify/x/y HTTP/1.1\r\nHost: x\r\n\r\n" * 50, b"503"),
    ],
)
def test_hostile_bytes_are_refused_and_others_served(shop, bytes_sent, expected):
    with shop.stack.cluster.connect(ADDRESS, VERIFIER_PORT) as line:
        line.sendall(bytes_sent)
        assert line.recv(12).split(b" ")[1] == expected
        assert shop.ask().status == 402


def test_slow_headers_end_with_408(shop):
    with shop.stack.cluster.connect(ADDRESS, VERIFIER_PORT, 25) as line:
        line.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        began = time.monotonic()
        answer = line.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert 10 < time.monotonic() - began < 20


def test_sigterm_finishes_what_is_paid(shop):
    """Not ready at once, the settlement is finished and its buyer served, exit code 0."""
    payment = shop.payment()
    shop.script(settle="held-settled")
    verifier = shop.stack.cluster.processes["verifier"]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(shop.ask, payment)
        wait_until(lambda: shop.counts()["settle"] == 1, 5, "the payment is being settled")
        stopped = concurrent.futures.ThreadPoolExecutor(1).submit(verifier.stop, 30)
        wait_until(lambda: shop.stack.health("verifier", "/readyz").status in (0, 503), 2, "it is not ready any more")
        assert not asked.done()
        shop.go()
        assert asked.result().status == 200
    assert stopped.result() == 0
    shop.script()
    shop.stack.start_role("verifier")
    shop.stack.wait_ready("verifier")
    # Its memory of the payment is gone; the gateway and the chain are not.
    assert shop.ask().status == 402


def test_the_api_server_away_is_no_affair_of_buyers(shop):
    """Paid and unpaid traffic goes on; what changed meanwhile is caught up with."""
    server = shop.stack.cluster.processes["apiserver"]
    payments = [shop.payment() for _ in range(3)]
    server.pause()
    try:
        for payment in payments:
            assert shop.ask(payment).status == 200
            assert shop.ask().status == 402
            time.sleep(4)
        assert shop.stack.health("verifier", "/readyz").status == 200
    finally:
        server.resume()
    wait_until(lambda: shop.stack.cluster.get("serviceoffer", "scripted", NAMESPACE), 30, "the API server is back")
    assert shop.ask().status == 402
    # A leader that could not renew its lease ends, and Kubernetes starts it again.
    for role in ("controller", "registrar"):
        if not shop.stack.cluster.processes[role].running:
            shop.stack.start_role(role)
        shop.stack.wait_ready(role, timeout=30)
    wait_until(lambda: suspended(shop, True), 30, "the verifier has learnt of a change")
    wait_until(lambda: suspended(shop, False), 30, "and of the next one")


def suspended(shop, wanted):
    """Sets it by hand, which the controller undoes, and says whether the gate has followed."""
    if wanted:
        shop.stack.cluster.patch("paymentroute", "scripted-payment", {"spec": {"suspended": True}}, NAMESPACE)
    answer = shop.ask()
    return answer.status == (503 if wanted else 402)
