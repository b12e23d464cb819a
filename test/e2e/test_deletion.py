"""However an offer is deleted, everything of it goes, in the order in which nothing is ever free."""

import contextlib

import oracle
import pytest
from audit import AuditTail
from cluster import wait_until
from kube_client import JSON_PATCH, KubeClient
from oracle import CHILDREN
from polling import UnpaidPoller
from restarts import controller_down
from stack import offer

NAMESPACE = "going"


@pytest.fixture(scope="module")
def client(stack):
    stack.cluster.service(NAMESPACE, "hello", 9000)
    yield KubeClient(stack.cluster)
    stack.remove_offers(NAMESPACE)


def sell(stack, client, name, price="0.001", registration=True):
    """A sold offer that is also registered."""
    made = offer(name, price, namespace=NAMESPACE, registration=registration)
    assert client.create("serviceoffers", made, NAMESPACE)[0] == 201
    oracle.assert_converges(client, NAMESPACE, [made], f"{name} is sold")
    wait_until(lambda: stack.get(f"/services/{name}/x").status == 402, 10, f"{name} answers 402")
    return made


def delete(client, name, propagation="Background"):
    assert client.delete("serviceoffers", name, NAMESPACE, propagation)[0] in (200, 202)


def is_going(client, kind, name):
    return "deletionTimestamp" in client.get(kind, name, NAMESPACE)["metadata"]


def assert_gone(stack, client, name, timeout=30):
    oracle.assert_converges(client, NAMESPACE, [], f"nothing is left of {name}", timeout)
    wait_until(lambda: stack.get(f"/services/{name}/x").status == 404, 10, f"{name} answers 404")


def assert_order(tail, name):
    """By the server's account: no child went before the one that it guards had gone."""
    when = {}
    for kind, pattern in CHILDREN.items():
        (gone,) = [each for each in tail.writes(kind=kind, name=pattern.format(name)) if each.verb == "delete"]
        when[kind] = gone
    assert when["httproutes"].done <= when["middlewares"].asked
    assert when["middlewares"].done <= when["paymentroutes"].asked


@pytest.mark.parametrize("propagation", ["Background", "Foreground", "Orphan"])
def test_every_kind_of_deletion_leaves_nothing_and_gives_nothing_away(stack, client, propagation):
    name = f"going-{propagation.lower()}"
    sell(stack, client, name)
    tail = AuditTail(stack.cluster)
    with UnpaidPoller(stack, f"/services/{name}/x") as poller:
        delete(client, name, propagation)
        assert_gone(stack, client, name)
    assert poller.free_rides() == []
    # With foreground deletion the garbage collector deletes as well, in no order: nothing was free all the same.
    if propagation != "Foreground":
        assert_order(tail, name)


@pytest.mark.parametrize("propagation", ["Background", "Foreground", "Orphan"])
def test_a_deletion_while_the_controller_is_down_is_caught_up_with(stack, client, propagation):
    name = f"missed-{propagation.lower()}"
    sell(stack, client, name)
    with UnpaidPoller(stack, f"/services/{name}/x") as poller, controller_down(stack):
        delete(client, name, propagation)
        wait_until(lambda: is_going(client, "serviceoffers", name), 5, "it waits")
    assert_gone(stack, client, name)
    assert poller.free_rides() == []


@pytest.mark.parametrize("kind", CHILDREN)
def test_a_child_that_was_deleted_by_hand_first_holds_nothing_up(stack, client, kind):
    name = f"short-of-{kind}"
    sell(stack, client, name)
    with controller_down(stack):
        client.delete(kind, CHILDREN[kind].format(name), NAMESPACE)
        delete(client, name)
    assert_gone(stack, client, name)


@pytest.mark.parametrize("kind", CHILDREN)
def test_a_finalizer_of_somebody_else_is_waited_for(stack, client, kind):
    name, foreign = f"held-{kind}", "example.com/wait"
    child = CHILDREN[kind].format(name)
    # What changes in words alone is written at most three times at once: here it is about this finalizer alone.
    sell(stack, client, name, registration=False)
    assert client.patch(kind, child, NAMESPACE, {"metadata": {"finalizers": [foreign]}})[0] == 200
    delete(client, name)
    wait_until(lambda: is_going(client, kind, child), 10, f"{child} is going")
    wait_until(lambda: child in stack.conditions(name, NAMESPACE)["Ready"][2], 5, "the condition names it")
    assert client.get(kind, child, NAMESPACE)["metadata"]["finalizers"] == [foreign]
    # What comes after it in the order is still there: the terms to the last.
    assert client.get("paymentroutes", f"{name}-payment", NAMESPACE)
    taken_off = [{"op": "remove", "path": "/metadata/finalizers"}]
    assert client.patch(kind, child, NAMESPACE, taken_off, JSON_PATCH)[0] == 200
    assert_gone(stack, client, name)


def test_the_same_name_can_be_had_again_at_once(stack, client):
    sell(stack, client, "reborn", "0.001")
    again = offer("reborn", "0.002", namespace=NAMESPACE, registration=True)
    delete(client, "reborn")
    wait_until(lambda: client.create("serviceoffers", again, NAMESPACE)[0] == 201, 20, "the name is free", 0.005)
    oracle.assert_converges(client, NAMESPACE, [again], "the new one is sold on its own terms")
    uid = client.get("serviceoffers", "reborn", NAMESPACE)["metadata"]["uid"]
    for kind in oracle.KINDS:
        for child in client.list(kind, NAMESPACE).values():
            assert [each["uid"] for each in child["metadata"]["ownerReferences"]] == [uid]
    delete(client, "reborn")
    assert_gone(stack, client, "reborn")


@pytest.mark.parametrize("down", [False, True])
def test_a_namespace_goes_with_all_its_offers(stack, client, down):
    ns = f"doomed-{down}".lower()
    stack.cluster.service(ns, "hello", 9000)
    offers = [offer(f"{ns}-{number}", namespace=ns, registration=number % 2 == 0) for number in range(6)]
    for each in offers:
        assert client.create("serviceoffers", each, ns)[0] == 201
    oracle.assert_converges(client, ns, offers, "they are sold")
    with controller_down(stack) if down else contextlib.nullcontext():
        stack.cluster.delete("namespace", ns, wait=False)
        wait_until(lambda: stack.cluster.get("namespace", ns)["status"]["phase"] == "Terminating", 10, "it is going")
    wait_until(lambda: stack.cluster.get("namespace", ns) is None, 60, "it is gone")
    for each in offers:
        path = f"/services/{each['metadata']['name']}/x"
        wait_until(lambda: stack.get(path).status == 404, 10, f"{path} answers 404")


@pytest.mark.parametrize("touched", [False, True])
def test_a_registration_that_lost_its_offer_goes_and_its_namespace_can_go(stack, client, touched):
    """Somebody takes the finalizer off while the controller is down: nobody has retired the registration then."""
    ns = f"bereft-{touched}".lower()
    stack.cluster.service(ns, "hello", 9000)
    made = offer("bereft", namespace=ns, registration=True)
    assert client.create("serviceoffers", made, ns)[0] == 201
    oracle.assert_converges(client, ns, [made], "it is sold")
    stack.wait_condition("bereft", "Registered", namespace=ns)
    request = ("registrationrequests", "bereft-registration", ns)
    with controller_down(stack):
        if touched:
            record = {"phase": "Confirmed", "agentId": "7", "txHash": "0x" + "1" * 64}
            assert client.patch_status(*request, record)[0] == 200
        taken_off = [{"op": "remove", "path": "/metadata/finalizers"}]
        assert client.patch("serviceoffers", "bereft", ns, taken_off, JSON_PATCH)[0] == 200
        assert client.delete("serviceoffers", "bereft", ns)[0] in (200, 202)
        wait_until(lambda: "deletionTimestamp" in client.get(*request)["metadata"], 30, "the collector has seen it")
    if touched:
        wait_until(lambda: client.get(*request)["spec"]["desiredState"] == "Retired", 20, "it is to be retired")
        assert client.get(*request)["metadata"]["finalizers"] == ["obol.org/portitor"]
        # The registrar of this market has no chain; somebody else has seen to it.
        record = {"phase": "Retired", "agentId": "7"}
        assert client.patch_status(*request, record)[0] == 200
    wait_until(lambda: client.get(*request) is None, 30, "it is let go")
    stack.cluster.delete("namespace", ns, wait=False)
    wait_until(lambda: stack.cluster.get("namespace", ns) is None, 60, "it is gone")
