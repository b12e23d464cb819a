"""A credential of an upstream goes to the gateway of its offer, for paid requests, and to nobody else."""

import json

import pytest
import x402
from cluster import wait_until
from stack import ADDRESS, GATEWAY, NAMESPACE, SCRIPTED_PORT, VERIFIER_PORT, offer

SECRET = "upstream-secret"
PAID, FREE = "a", "docs/a"


class Vault:
    """Two offers with a credential, each with a free path."""

    def __init__(self, stack):
        self.stack = stack

    def sell(self, name):
        made = offer(name, facilitator="scripted")
        made["spec"]["upstream"]["credential"] = "upstream"
        made["spec"]["routes"] = [{"path": "/docs/*", "gate": "free"}]
        self.stack.cluster.apply(made)
        self.stack.wait_condition(name, "Ready")

    def ask(self, name, target, path=PAID, payment=None):
        """Whoever reaches the verifier's port asks as Traefik does."""
        forwarded = [
            ("X-Forwarded-Uri", f"/services/{name}/{path}"),
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Host", GATEWAY.partition("://")[2]),
            ("X-Forwarded-Proto", "http"),
        ]
        if payment:
            forwarded.append(("Payment-Signature", payment))
        return self.stack.cluster.http("GET", f"http://{ADDRESS}:{VERIFIER_PORT}{target}", forwarded, timeout=25)

    def payment(self, name):
        refused = self.stack.get(f"/services/{name}/{PAID}")
        required = x402.decode_header(refused.headers["PAYMENT-REQUIRED"])["accepts"][0]
        return x402.sign(self.stack.scripts, 2, required, valid_before="+600")

    def counts(self):
        return json.loads(self.stack.cluster.http("GET", f"http://127.0.0.1:{SCRIPTED_PORT}/counts").body)

    def assert_refused(self, name, target):
        """By whatever token that is not the offer's own; and no payment is taken."""
        before = self.counts()
        for path in (PAID, FREE):
            for answer in (self.ask(name, target, path), self.ask(name, target, path, self.payment(name))):
                assert answer.status == 403, answer
                assert json.loads(answer.body)["error"] == "wrong_token"
                assert SECRET not in f"{answer.headers}{answer.body}" and "Authorization" not in answer.headers
        assert self.counts() == before


@pytest.fixture(scope="module")
def vault(stack, scripted):
    it = Vault(stack)
    stack.cluster.http("GET", f"http://127.0.0.1:{SCRIPTED_PORT}/script?")
    for name in ("vault", "safe"):
        it.sell(name)
    yield it
    for name in ("vault", "safe"):
        stack.cluster.delete("serviceoffer", name, ns=NAMESPACE)


def test_through_the_gateway_the_upstream_sees_it_where_it_is_paid(vault):
    headers = [("Payment-Signature", vault.payment("vault")), ("Authorization", "mine")]
    bought = vault.stack.get(f"/services/vault/{PAID}", headers)
    assert bought.status == 200, bought
    assert json.loads(bought.body)["headers"]["authorization"] == f"Bearer {SECRET}"
    # What is free has no Authorization at all: neither the operator's nor the client's.
    free = vault.stack.get(f"/services/vault/{FREE}", [("Authorization", "mine")])
    assert free.status == 200, free
    assert "authorization" not in json.loads(free.body)["headers"]
    _, _, message = vault.stack.conditions("vault")["PaymentGateReady"]
    assert "without the credential" in message


def test_who_reaches_the_port_gets_none_without_the_offers_own_token(vault):
    own, other = (vault.stack.gate_target(name) for name in ("vault", "safe"))
    bare, _, token = own.partition("?")
    assert bare == f"/verify/{NAMESPACE}/vault" and token.startswith("token=")
    assert vault.ask("vault", own).status == 402
    for target in (bare, "/verify", f"{bare}?token=", f"{bare}?{other.partition('?')[2]}", f"{own}0"):
        vault.assert_refused("vault", target)


def test_the_token_of_an_offer_is_worth_nothing_for_the_next_of_its_name(vault):
    old = vault.stack.gate_target("safe")
    vault.stack.cluster.delete("serviceoffer", "safe", ns=NAMESPACE)
    wait_until(lambda: not vault.stack.cluster.get("serviceoffer", "safe", NAMESPACE), 20, "the offer is gone")
    vault.sell("safe")
    wait_until(lambda: vault.stack.get(f"/services/safe/{PAID}").status == 402, 20, "the gate asks for payment")
    assert vault.stack.gate_target("safe") != old
    vault.assert_refused("safe", old)


def test_no_token_is_shown_by_commands_or_logs(vault):
    token = vault.stack.gate_target("vault").partition("token=")[2]
    assert len(token) == 64
    for words in (
        ("once", "-n", NAMESPACE, "-v"),
        ("once", "-n", NAMESPACE, "-v", "-o", "json"),
        ("explain", f"/services/vault/{PAID}", "-n", NAMESPACE),
        ("explain", f"/services/vault/{PAID}", "-n", NAMESPACE, "-o", "json"),
        ("sell", "status", "vault", "-n", NAMESPACE),
        ("doctor",),
    ):
        done = vault.stack.portitor(*words)
        assert token not in done.stdout + done.stderr, words
        assert done.stdout, (words, done.stderr)
    for role in ("controller", "verifier"):
        assert token not in vault.stack.cluster.processes[role].log()
