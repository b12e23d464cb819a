"""The verifier over TLS: its certificate, the change of it as Kubernetes does that, and files that do not fit."""

import concurrent.futures
import contextlib
import http.client
import os
import ssl
import time

import pytest
import x402
from cluster import wait_until
from cluster.certs import Certs
from stack import ADDRESS, NAMESPACE, offer
from test_bad_input import KUBECONFIG, assert_refused, run
from test_gate_faults import Shop

PORT, HEALTH_PORT = 8443, 8444
# docs/configuration.md: the files are read again every 10 s.
PERIOD = 10


class Mount:
    """A Secret's files as Kubernetes mounts and changes them: all at once, by renaming the link ..data."""

    def __init__(self, folder):
        self.certificate, self.key = folder / "tls.crt", folder / "tls.key"
        self._folder = folder
        self._versions = 0
        folder.mkdir()
        self.certificate.symlink_to("..data/tls.crt")
        self.key.symlink_to("..data/tls.key")

    def publish(self, certificate, key):
        self._versions += 1
        version = self._folder / f"..version{self._versions}"
        version.mkdir()
        for name, content in (("tls.crt", certificate), ("tls.key", key)):
            if content is not None:
                (version / name).write_bytes(content)
        link = self._folder / "..data_tmp"
        link.symlink_to(version.name)
        os.replace(link, self._folder / "..data")


class Identity:
    """A certificate for the verifier from an authority of its own, and its key."""

    def __init__(self, folder):
        made = Certs(folder)
        made.create([f"IP:{ADDRESS}"], {})
        self.certificate = made.certificate("server").read_bytes()
        self.key = made.key("server").read_bytes()
        self.trust = ssl.create_default_context(cafile=made.ca)


class Gate:
    """The verifier with TLS, and how it is asked."""

    def __init__(self, stack, folder):
        self.stack = stack
        self._folder = folder
        self._made = 0
        self.mount = Mount(folder / "mount")
        self.identity = self.new_identity()
        self.show(self.identity)
        files = [f"--tls-cert-file={self.mount.certificate}", f"--tls-key-file={self.mount.key}"]
        flags = ["--threads=2", f"--config={stack.config}", *files]
        self.process = stack.another_verifier("tls-verifier", PORT, HEALTH_PORT, *flags)

    def new_identity(self):
        self._made += 1
        return Identity(self._folder / f"identity{self._made}")

    def show(self, identity):
        self.mount.publish(identity.certificate, identity.key)

    def connect(self, identity):
        """A connection to a verifier that must prove to be `identity`."""
        return identity.trust.wrap_socket(self.stack.cluster.connect(ADDRESS, PORT), server_hostname=ADDRESS)

    def shows(self, identity):
        """Whether new connections get that certificate, on every thread: the kernel deals them out."""
        try:
            for _ in range(16):
                self.connect(identity).close()
        except (ssl.SSLCertVerificationError, ConnectionError):
            return False
        return True

    def becomes(self, identity):
        wait_until(lambda: self.shows(identity), PERIOD + 3, "new connections get the certificate", interval=0.2)

    def asks_for_payment(self, identity):
        with self.connect(identity) as line:
            return status(line) == 402

    def payment(self):
        """A header that has never been used, signed by a real client's key."""
        with self.connect(self.identity) as line:
            required = x402.decode_header(ask(line).headers["PAYMENT-REQUIRED"])["accepts"][0]
        return x402.sign(self.stack.scripts, 2, required, valid_before="+600")

    def buys(self, payment):
        with self.connect(self.identity) as line:
            return status(line, payment)


def question(payment=None):
    """What Traefik asks, with a buyer's payment or without."""
    paid = f"Payment-Signature: {payment}\r\n" if payment else ""
    return (
        f"GET /verify/{NAMESPACE}/tls HTTP/1.1\r\nHost: {ADDRESS}\r\nX-Forwarded-Uri: /services/tls/a\r\n"
        f"X-Forwarded-Method: GET\r\nX-Forwarded-Host: gate.test\r\nX-Forwarded-Proto: http\r\n{paid}\r\n".encode()
    )


def ask(line, payment=None):
    """The answer to one more request on a connection."""
    line.sendall(question(payment))
    with http.client.HTTPResponse(line) as answer:
        answer.begin()
        answer.read()
        return answer


def status(line, payment=None):
    return ask(line, payment).status


@pytest.fixture(scope="module")
def gate(stack, scripted, tmp_path_factory):
    made = Gate(stack, tmp_path_factory.mktemp("tls"))
    stack.cluster.apply(offer("tls", facilitator="scripted"))
    stack.wait_condition("tls", "Ready")
    wait_until(lambda: made.shows(made.identity), 10, "the verifier speaks TLS")
    wait_until(lambda: made.asks_for_payment(made.identity), 10, "it has the route")
    yield made
    assert made.process.stop(timeout=40) == 0
    stack.cluster.delete("serviceoffer", "tls", ns=NAMESPACE)


def test_it_serves_with_the_certificate_that_it_was_given(gate):
    assert gate.asks_for_payment(gate.identity)
    with pytest.raises(ssl.SSLCertVerificationError):
        gate.connect(gate.new_identity())


def test_a_new_certificate_is_for_new_connections_and_old_ones_go_on(gate):
    fresh = gate.new_identity()
    with contextlib.ExitStack() as open_lines:
        kept = [open_lines.enter_context(gate.connect(gate.identity)) for _ in range(8)]
        assert {status(line) for line in kept} == {402}
        began = time.monotonic()
        gate.show(fresh)
        gate.becomes(fresh)
        assert time.monotonic() - began < PERIOD + 3
        assert {status(line) for line in kept} == {402}
    assert gate.asks_for_payment(fresh)
    assert not gate.shows(gate.identity)
    gate.identity = fresh


def broken(kind, old, new):
    """Files of which no server can be made."""
    half = len(new.certificate) // 2
    return {
        "key of another": (new.certificate, old.key),
        "half a certificate": (new.certificate[:half], new.key),
        "half of the chain": (new.certificate + old.certificate[:half], new.key),
        "half a key": (new.certificate, new.key[: len(new.key) // 2]),
        "no key": (new.certificate, None),
    }[kind]


@pytest.mark.parametrize("kind", ["key of another", "half a certificate", "half of the chain", "half a key", "no key"])
def test_files_that_do_not_fit_leave_the_old_certificate(gate, kind):
    fresh = gate.new_identity()
    seen = len(gate.process.log())
    gate.mount.publish(*broken(kind, gate.identity, fresh))
    complaint = "keeping the old certificate"
    wait_until(lambda: complaint in gate.process.log()[seen:], PERIOD + 3, "the log tells", interval=0.2)
    assert gate.shows(gate.identity)
    assert gate.asks_for_payment(gate.identity)
    assert "PRIVATE" not in gate.process.log()


def test_whole_files_after_broken_ones_are_used(gate):
    fresh = gate.new_identity()
    gate.mount.publish(fresh.certificate, gate.identity.key)
    gate.show(fresh)
    gate.becomes(fresh)
    assert gate.asks_for_payment(fresh)
    gate.identity = fresh


def test_plain_http_on_the_tls_port_harms_nobody(gate):
    with contextlib.ExitStack() as open_lines:
        for _ in range(20):
            line = open_lines.enter_context(gate.stack.cluster.connect(ADDRESS, PORT, 20))
            line.sendall(f"GET /verify/{NAMESPACE}/tls HTTP/1.1\r\nHost: {ADDRESS}\r\n\r\n".encode())
            # At most an alert, and the end: an unpaid question must not be answered here.
            with contextlib.suppress(ConnectionError):
                assert b"HTTP/" not in line.makefile("rb").read()
        # Silent ones, and some that stop within the handshake.
        for begun in (b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03") * 7:
            line = open_lines.enter_context(gate.stack.cluster.connect(ADDRESS, PORT))
            line.sendall(begun)
        assert gate.shows(gate.identity)
        assert gate.asks_for_payment(gate.identity)
    assert gate.process.running


def say_farewell(line):
    """Ends the stream (close_notify), as Go's and others' clients do before they close the connection."""
    line.setblocking(False)
    with contextlib.suppress(ssl.SSLWantReadError):
        line.unwrap()


@pytest.mark.parametrize("ends", ["the connection", "the stream", "both", "both, another question before"])
def test_a_buyer_that_leaves_gets_its_grant_with_the_next_try(gate, ends):
    shop, payment = Shop(gate.stack), gate.payment()
    shop.script(settle="held-settled")
    with gate.connect(gate.identity) as line:
        line.sendall(question(payment))
        wait_until(lambda: shop.counts()["settle"] == 1, 5, "the payment is being settled", interval=0.02)
        if "before" in ends:
            line.sendall(question())
        if ends != "the connection":
            say_farewell(line)
        if ends != "the stream":
            line.close()
        # It waits for the settlement, like every copy of a payment.
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            again = pool.submit(gate.buys, payment)
            shop.go()
            assert again.result() == 200
    assert shop.counts() == {"verify": 1, "settle": 1}
    assert gate.buys(payment) == 409
    shop.script()


def test_files_that_do_not_fit_end_a_start(tmp_path):
    one, other = Identity(tmp_path / "one"), Identity(tmp_path / "other")
    kubeconfig, certificate, key = tmp_path / "kubeconfig", tmp_path / "tls.crt", tmp_path / "tls.key"
    kubeconfig.write_text(KUBECONFIG)
    certificate.write_bytes(one.certificate)

    def start(*flags):
        ports = ["--health-listen=127.0.0.1:0", "--listen=127.0.0.1:0"]
        return run("--role=verifier", *ports, f"--kubeconfig={kubeconfig}", *flags)

    both = (f"--tls-cert-file={certificate}", f"--tls-key-file={key}")
    for alone in both:
        assert_refused(start(alone), "--tls-cert-file", "--tls-key-file", code=2)
    assert_refused(start(*both), "--tls-key-file", str(key))
    for wrong in (other.key, one.key[: len(one.key) // 2], b""):
        key.write_bytes(wrong)
        assert_refused(start(*both), "private key")
    key.write_bytes(one.key)
    certificate.write_bytes(one.certificate[:100])
    assert_refused(start(*both), "certificate")
