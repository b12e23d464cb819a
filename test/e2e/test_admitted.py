"""What is called admitted is what verifiers that run now sell, and is written once however many they are; and an offer is
not sold with a facilitator that does not serve its network."""

import json
import time

import pytest
from audit import AuditTail
from cluster import wait_until
from restarts import restart
from stack import ADDRESS, GATEWAY, NAMESPACE, SCRIPTED_PORT, offer
from test_main_job import remove

NOBODY = "http://127.0.0.1:9"


def start(stack, name, port, *flags):
    """A verifier beside the stack's own, and ready."""
    files = [f"--config={stack.config}"]
    made = stack.another_verifier(name, port, port + 1, *files, *flags)
    ready = f"http://{ADDRESS}:{port + 1}/readyz"

    def is_ready():
        try:
            return stack.cluster.http("GET", ready).status == 200
        except ConnectionError:
            return False

    wait_until(is_ready, 20, f"{name} is ready")
    return made


def route(stack, name):
    return stack.cluster.get("paymentroute", f"{name}-payment", NAMESPACE)


def gate(stack, name):
    """Status and reason of PaymentGateReady."""
    return stack.conditions(name).get("PaymentGateReady", ("", "", ""))[:2]


def test_three_replicas_write_each_verdict_once(stack, record_property):
    more = [start(stack, f"replica-{port}", port) for port in (8090, 8092)]
    names = [f"thrice-{i}" for i in range(10)]
    try:
        trail = AuditTail(stack.cluster)
        stack.cluster.apply([offer(name) for name in names])
        for name in names:
            stack.wait_condition(name, "Ready")
        time.sleep(1)
        generations = sum(route(stack, name)["metadata"]["generation"] for name in names)
        writes = trail.writes("portitor-verifier", kind="paymentroutes/status")
        asked = trail.requests("portitor-verifier", kind="paymentroutes/status")
        record_property("writes", len(writes))
        record_property("requests", len(asked))
        print(f"\n  {len(writes)} writes, {len(asked)} requests, {generations} generations of {len(names)} routes")
        assert len(names) <= len(writes) <= generations
    finally:
        for each in more:
            each.stop(timeout=40)
        remove(stack, *names)


def test_who_refuses_what_is_called_admitted_is_named_and_alone_ends_it(stack):
    refuser = None
    try:
        stack.cluster.apply(offer("doubted"))
        stack.wait_condition("doubted", "Ready")

        # Beside a verifier that serves it.
        refuser = start(stack, "refuser", 8090, f"--default-facilitator={NOBODY}")
        wait_until(lambda: gate(stack, "doubted") == ("True", "RefusedBySome"), 10, "the refusal is told")
        status = route(stack, "doubted")["status"]
        assert status["admitted"] is True
        assert status["answered"] == status["asked"]["time"]
        message = stack.conditions("doubted")["PaymentGateReady"][2]
        assert status["asked"]["name"] == "refuser" and "refuser" in message and "is not on this verifier's list" in message
        assert stack.conditions("doubted")["Ready"][0] == "True"
        tell_of_the_refuser(stack)
        assert refuser.stop(timeout=40) == 0

        # Alone, on an offer that nobody has asked about.
        stack.cluster.apply(offer("alone"))
        stack.wait_condition("alone", "Ready")
        assert stack.cluster.processes["verifier"].stop(timeout=40) == 0
        began = time.monotonic()
        refuser = start(stack, "refuser", 8090, f"--default-facilitator={NOBODY}")
        stack.wait_condition("alone", "Ready", status="False", timeout=15)
        print(f"\n  not Ready {time.monotonic() - began:.1f} s after the only verifier that refuses it began")
        assert gate(stack, "alone") == ("False", "NotAdmitted")
        assert "is not on this verifier's list" in stack.conditions("alone")["Ready"][2]
        assert route(stack, "alone")["status"]["admitted"] is False
        assert refuser.stop(timeout=40) == 0
    finally:
        if refuser and refuser.running:
            refuser.stop(timeout=40)
        if not stack.cluster.processes["verifier"].running:
            stack.start_role("verifier")
            stack.wait_ready("verifier")
    try:
        stack.wait_condition("alone", "Ready")
        assert gate(stack, "alone") == ("True", "Admitted")
    finally:
        remove(stack, "doubted", "alone")


def tell_of_the_refuser(stack):
    """Whoever asks is told of it."""
    status = stack.portitor("sell", "status", "doubted", "-n", NAMESPACE)
    assert status.returncode == 0 and "PaymentGateReady is True (RefusedBySome): Tell the operator" in status.stdout
    once = stack.portitor("once", f"{NAMESPACE}/doubted", "-o", "json")
    (told,) = json.loads(once.stdout)["offers"]
    said = {each["type"]: each for each in told["conditions"]}["PaymentGateReady"]
    assert said["reason"] == "RefusedBySome" and "refuser" in said["message"]
    explained = stack.portitor("explain", f"{GATEWAY}/services/doubted/x", "-o", "json")
    remarks = json.loads(explained.stdout)[0]["remarks"]
    assert any("it depends on the verifier" in each and "refuser" in each for each in remarks), remarks
    done = stack.portitor("doctor", "--only=offers", "-n", NAMESPACE, "-o", "json")
    found = {each["check"]: each for each in json.loads(done.stdout)["findings"]}["PaymentRoutes refused by some"]
    assert found["verdict"] == "failure" and "doubted" in found["words"] and "refuser" in found["advice"]


def script(stack, **what):
    query = "&".join(f"{name}={value}" for name, value in what.items())
    stack.cluster.http("GET", f"http://127.0.0.1:{SCRIPTED_PORT}/script?{query}")


ADMITTED = ("True", "Admitted")
# Of facilitators that list nothing: what the seller reads of it. Of one that hangs it is told after a minute only.
NO_ANSWER = {"error": "HTTP 500", "unknown": "HTTP 404", "redirect": "HTTP 307: it redirects to ", "hang": None}


@pytest.fixture
def facilitators(stack, scripted):
    """The stack, whose operator lists one more for each answer that GET /supported may come to."""
    config = stack.cluster.directory / "listed.yaml"
    url = f"http://127.0.0.1:{SCRIPTED_PORT}/always"
    more = "".join(f"- {{name: {kind}, url: {url}/{kind}}}\n" for kind in ("served", *NO_ANSWER))
    config.write_text(stack.config.read_text().replace("facilitators:\n", "facilitators:\n" + more))
    for role in ("controller", "verifier"):
        restart(stack, role, f"--config={config}")
    yield stack
    for role in ("controller", "verifier"):
        restart(stack, role)


def told_of_gate(stack, name):
    return stack.conditions(name)["PaymentGateReady"][2]


def test_what_a_facilitator_lists_decides_and_no_answer_does_not(facilitators):
    stack = facilitators
    script(stack, supported="elsewhere")
    names = {kind: f"listed-{kind}" for kind in ("served", *NO_ANSWER)}
    try:
        stack.cluster.apply(offer("elsewhere", facilitator="scripted"))
        stack.cluster.apply([offer(name, facilitator=kind) for kind, name in names.items()])
        for name in names.values():
            wait_until(lambda name=name: gate(stack, name) == ADMITTED, 20, f"{name} is admitted")
            stack.wait_condition(name, "Ready")
        refused = ("False", "NetworkNotServed")
        wait_until(lambda: gate(stack, "elsewhere") == refused, 20, "the offer is not sold with one that serves others")
        stack.wait_condition("elsewhere", "Ready", status="False")
        time.sleep(2)
        assert gate(stack, "elsewhere") == refused
        assert "facilitator scripted does not serve eip155:84532" in told_of_gate(stack, "elsewhere")
        assert stack.get("/services/elsewhere/x").status == 404
        assert route(stack, "elsewhere") is None
        # One or two failures are not worth a word.
        for name in names.values():
            assert gate(stack, name) == ADMITTED and "is not known" not in told_of_gate(stack, name)
        # Asked again in time (docs/controller.md: each 30 seconds).
        script(stack, supported="served")
        stack.wait_condition("elsewhere", "Ready", timeout=40)
        assert gate(stack, "elsewhere") == ADMITTED
        # Three in a row are, and withhold nothing.
        for kind, words in NO_ANSWER.items():
            if words:
                told = f"whether its facilitator serves the network is not known, as GET /supported came to: {words}"
                wait_until(lambda told=told, kind=kind: told in told_of_gate(stack, names[kind]), 20, told)
        assert "is not known" not in told_of_gate(stack, names["served"])
        for name in names.values():
            assert gate(stack, name) == ADMITTED
            assert stack.conditions(name)["Ready"][0] == "True"
    finally:
        script(stack)
        remove(stack, "elsewhere", *names.values())


def test_an_address_and_a_time_that_lose_payments_are_withheld(stack):
    cases = {
        "mistyped": ({"payTo": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAEd"}, "WrongChecksum", "BeAed"),
        "hurried": ({"maxTimeoutSeconds": 5}, "TimeoutTooShort", "10 or more"),
    }
    try:
        for name, (fields, reason, words) in cases.items():
            stack.cluster.apply(offer(name, **fields))
            wait_until(lambda name=name, reason=reason: gate(stack, name) == ("False", reason), 20, reason)
            assert words in stack.conditions(name)["PaymentGateReady"][2]
    finally:
        remove(stack, *cases)
