"""`portitor pay`, the buyer, on a real gateway, facilitator and chain."""

import json
import os
import pty
import select
import shlex
import subprocess
import time

import pytest
import transcript
import x402
from cluster import wait_until
from stack import GATEWAY, NAMESPACE, ROOT, SCRIPTED_PORT, offer
from test_gate_faults import Shop

PRICE = 1000
URL = f"{GATEWAY}/services/pay"
PAGE = ROOT / "docs" / "pay.md"
WORDS = f"0.001 USDC on Base Sepolia to {x402.SELLER} for {URL}"


@pytest.fixture(scope="module")
def sold(stack, scripted):
    offers = {
        "pay": offer("pay"),
        # The real one serves no main network.
        "pay-real": offer("pay-real", network="base", facilitator="scripted"),
        "pay-doubt": offer("pay-doubt", facilitator="scripted"),
    }
    stack.cluster.http("GET", f"http://127.0.0.1:{SCRIPTED_PORT}/script?supported=everywhere")
    for name, made in offers.items():
        stack.cluster.apply(made)
    for name in offers:
        wait_until(lambda name=name: stack.get(f"/services/{name}").status == 402, 30, f"{name} asks for payment")
    yield
    stack.cluster.delete("serviceoffer", *offers, ns=NAMESPACE)


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key"
    path.write_text(x402.BUYER_KEY + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def pay(stack, sold):
    """Runs `portitor pay`; the key is in nothing that it says."""

    def run(*words, **options):
        done = stack.portitor("pay", *words, **options)
        assert x402.BUYER_KEY[2:12] not in done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def moved(stack):
    """What the buyer has paid and the seller has got since the test began."""

    def balances():
        return [stack.chain.balance(who) for who in (x402.BUYER, x402.SELLER)]

    before = balances()

    def difference():
        buyer, seller = balances()
        return before[0] - buyer, seller - before[1]

    return difference


def test_without_a_key_it_shows_the_terms(pay, moved):
    done = pay(URL)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert f"402, x402 v2: {URL} asks for" in done.stderr
    assert f"nothing was paid; it would be {WORDS}" in done.stderr
    assert moved() == (0, 0)


@pytest.mark.parametrize("version", [2, 1])
def test_it_buys_for_exactly_the_price(pay, key_file, moved, version):
    done = pay(f"{URL}/a?b=c", "--key-file", str(key_file), f"--x402-version={version}")
    assert done.returncode == 0, done.stderr
    assert f"402, x402 v{version}:" in done.stderr
    assert f"paying {WORDS}/a?b=c from {x402.BUYER}" in done.stderr
    assert "served: status 200" in done.stderr
    # The body alone, as the service wrote it.
    assert json.loads(done.stdout)["path"] == "/a?b=c"
    assert moved() == (PRICE, PRICE)


def test_programs_get_one_object(pay, moved, tmp_path):
    body = tmp_path / "body"
    words = ["-d", '{"a":1}', "-H", "X-Mine: yes", "--key-file=-", "-o", "json", f"--output-file={body}"]
    done = pay(URL, *words, stdin=x402.BUYER_KEY + "\n")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["result"], told["status"], told["bodyFile"]) == ("served", 200, str(body))
    assert told["payment"]["payer"] == x402.BUYER
    assert (told["payment"]["amount"], told["payment"]["tries"]) == (str(PRICE), 1)
    asked = json.loads(body.read_text())["headers"]
    assert (asked["content-length"], asked["content-type"], asked["x-mine"]) == ("7", "application/json", "yes")
    assert moved() == (PRICE, PRICE)


def test_it_pays_nothing_above_the_limit_nor_on_another_network(pay, key_file, moved):
    key = f"--key-file={key_file}"
    for words, told in (
        ([URL, key, "--max-amount=0.0009"], "more than the 0.0009 USDC of --max-amount"),
        ([URL, key, "--network=avalanche-fuji"], "another network than --network allows"),
        ([f"{GATEWAY}/services/pay-real", key], "eip155:8453 is no test network"),
        ([f"{GATEWAY}/services/pay-real", key, "--allow-mainnet"], "over plain http whoever reads along"),
    ):
        done = pay(*words)
        assert done.returncode == 1, done.stderr
        assert "nothing is paid: 0.001 USDC on Base" in done.stderr and told in done.stderr
        assert "paying" not in done.stderr
    dry = pay(URL, key, "--dry-run")
    assert dry.returncode == 0 and f"it would be {WORDS}" in dry.stderr
    assert moved() == (0, 0)


def test_a_key_that_others_can_read_is_refused(pay, key_file, moved):
    key_file.chmod(0o640)
    done = pay(URL, "--key-file", str(key_file))
    assert done.returncode == 2
    assert "chmod 600" in done.stderr
    assert moved() == (0, 0)


def test_who_cannot_pay_is_told_so(pay, key_file):
    # An account that nobody ever pays, whatever runs before on the same chain.
    key_file.write_text("0x" + "5a" * 32)
    done = pay(URL, "--key-file", str(key_file))
    assert done.returncode == 1
    assert "the server answered 402 to the payment" in done.stderr
    assert "insufficient" in done.stderr


def test_a_settlement_in_doubt_is_asked_for_again_and_paid_once(stack, pay, key_file, moved):
    shop = Shop(stack)
    # It settles, and nobody hears of it; then the same payment is asked about again.
    shop.script(verify="relayed", settle="lost,close,close,relayed")
    done = pay(f"{GATEWAY}/services/pay-doubt", "--key-file", str(key_file))
    settled = shop.counts()["settle"]
    shop.script()
    assert done.returncode == 0, (done.stderr, settled)
    assert "the same payment was sent" in done.stderr, settled
    assert moved() == (PRICE, PRICE)


def test_a_key_that_is_typed_is_not_shown(stack, sold, moved):
    ours, theirs = pty.openpty()
    command = stack.cluster.wrap([stack._program, "pay", URL])
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=stack.cluster.environment(), start_new_session=True
    )
    os.close(theirs)
    shown, typed, deadline = b"", False, time.monotonic() + 20
    try:
        while time.monotonic() < deadline and select.select([ours], [], [], 20)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                break
            if b"not shown" in shown and not typed:
                typed = True
                os.write(ours, x402.BUYER_KEY.encode() + b"\n")
        assert process.wait(10) == 0, shown
    finally:
        process.kill()
        os.close(ours)
    assert b"served: status 200" in shown
    assert x402.BUYER_KEY[2:12].encode() not in shown
    assert moved() == (PRICE, PRICE)


def test_the_page_shows_what_the_command_prints(stack, sold, key_file, moved):
    (key_file.parent / ".test-key").symlink_to(key_file)
    shown = "https://shop.example/services/hello"
    page = PAGE.read_text()
    printed = []
    for step in transcript.steps(page):
        command = step.command.replace("~", str(key_file.parent)).replace(shown, URL)
        done = stack.portitor(*shlex.split(command)[1:], cwd=key_file.parent)
        assert done.returncode == 0 and done.stdout == "", done.stderr
        # The page speaks of https.
        warned = f"warning: {GATEWAY} is plain http: whoever reads along can use the payment for himself\n"
        assert done.stderr.count(warned) == ("paying" in done.stderr)
        printed.append(done.stderr.replace(warned, "").replace(URL, shown))
    assert len(printed) > 1 and moved() == (PRICE, PRICE)
    if os.environ.get("PORTITOR_UPDATE_DOCS"):
        PAGE.write_text(transcript.rewritten(page, printed))
        return
    for step, now in zip(transcript.steps(page), printed):
        assert not transcript.difference(step.shown, now), f"docs/pay.md is stale: $ {step.command}"
