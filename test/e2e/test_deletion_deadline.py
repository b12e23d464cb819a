"""What cannot be ended in time does not hold an offer for ever: it is let go, and that is said where it is looked for."""

import pytest
from cluster import wait_until
from kube_client import KubeClient
from restarts import restart
from stack import offer

NAMESPACE = "overdue"
DEADLINE = 6  # seconds


@pytest.fixture(scope="module")
def client(stack):
    """With a controller whose deadline is short enough to wait for."""
    restart(stack, "controller", f"--deletion-deadline={DEADLINE}s")
    stack.cluster.service(NAMESPACE, "hello", 9000)
    yield KubeClient(stack.cluster)
    stack.remove_offers(NAMESPACE)
    restart(stack, "controller")


def sell_registered(stack, client, name):
    """A sold offer of whose registration there is a record on chain, which the registrar has no chain to retire on."""
    assert client.create("serviceoffers", offer(name, namespace=NAMESPACE, registration=True), NAMESPACE)[0] == 201
    stack.wait_condition(name, "Registered", namespace=NAMESPACE)
    record = {"phase": "Confirmed", "agentId": "4711", "txHash": "0x" + "ab" * 32}
    assert client.patch_status("registrationrequests", f"{name}-registration", NAMESPACE, record)[0] == 200


def left_on_chain(stack):
    text = stack.health("controller", "/metrics").body.decode()
    (line,) = [each for each in text.splitlines() if each.startswith("portitor_registrations_left_on_chain_total")]
    return int(line.split()[-1])


def events(client, reason):
    return [each["note"] for each in client.list("events", NAMESPACE).values() if each["reason"] == reason]


def test_a_registration_that_cannot_be_retired_is_let_go_and_named(stack, client):
    sell_registered(stack, client, "stranded")
    before = left_on_chain(stack)
    client.delete("serviceoffers", "stranded", NAMESPACE)
    # The route goes at once; only the registration is waited for.
    wait_until(lambda: client.get("paymentroutes", "stranded-payment", NAMESPACE) is None, 4, "it is not sold any more")
    assert client.get("serviceoffers", "stranded", NAMESPACE)
    assert "the registration" in stack.conditions("stranded", NAMESPACE)["Ready"][2]
    wait_until(lambda: client.get("serviceoffers", "stranded", NAMESPACE) is None, DEADLINE + 10, "it is let go")
    assert client.get("registrationrequests", "stranded-registration", NAMESPACE) is None
    wait_until(lambda: events(client, "RegistrationLeftOnChain"), 5, "an Event says so")
    (said,) = events(client, "RegistrationLeftOnChain")
    assert "4711" in said and "0x" + "ab" * 32 in said and "base-sepolia" in said
    assert left_on_chain(stack) == before + 1
    assert "RegistrationLeftOnChain" in stack.cluster.processes["controller"].log()


@pytest.mark.parametrize("kind, name", [("httproutes", "so-held"), ("paymentroutes", "held-payment")])
def test_a_finalizer_of_somebody_else_holds_the_offer_no_longer_than_that(stack, client, kind, name):
    assert client.create("serviceoffers", offer("held", namespace=NAMESPACE), NAMESPACE)[0] == 201
    stack.wait_condition("held", "Ready", namespace=NAMESPACE)
    assert client.patch(kind, name, NAMESPACE, {"metadata": {"finalizers": ["example.com/wait"]}})[0] == 200
    client.delete("serviceoffers", "held", NAMESPACE)
    wait_until(lambda: client.get("serviceoffers", "held", NAMESPACE) is None, DEADLINE + 10, "it is let go")
    # Theirs is theirs: it goes when they let it.
    child = client.get(kind, name, NAMESPACE)
    assert child["metadata"]["finalizers"] == ["example.com/wait"]
    assert client.patch(kind, name, NAMESPACE, {"metadata": {"finalizers": None}})[0] == 200
    wait_until(lambda: client.get(kind, name, NAMESPACE) is None, 20, f"{name} is gone")


def test_a_namespace_that_goes_takes_no_events_and_goes_all_the_same(stack, client):
    before = left_on_chain(stack)
    stack.cluster.service("overdue-too", "hello", 9000)
    made = offer("sunk", namespace="overdue-too", registration=True)
    assert client.create("serviceoffers", made, "overdue-too")[0] == 201
    stack.wait_condition("sunk", "Registered", namespace="overdue-too")
    record = {"phase": "Confirmed", "agentId": "0"}
    assert client.patch_status("registrationrequests", "sunk-registration", "overdue-too", record)[0] == 200
    stack.cluster.delete("namespace", "overdue-too", wait=False)
    wait_until(lambda: stack.cluster.get("namespace", "overdue-too") is None, 60, "the namespace is gone")
    assert left_on_chain(stack) == before + 1
