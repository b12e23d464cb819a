"""An offer with an end: it is sold until its grace period is over, then nothing of it is left to be sold."""

import json
import time

import pytest
from cluster import wait_until
from kube_client import KubeClient
from oracle import CHILDREN
from polling import UnpaidPoller
from restarts import controller_down
from stack import offer

NAMESPACE = "ending"


@pytest.fixture(scope="module")
def client(stack):
    stack.cluster.service(NAMESPACE, "hello", 9000)
    yield KubeClient(stack.cluster)
    stack.remove_offers(NAMESPACE)


def sell(stack, client, made):
    name = made["metadata"]["name"]
    assert client.create("serviceoffers", made, NAMESPACE)[0] == 201
    stack.wait_condition(name, "Ready", namespace=NAMESPACE)
    wait_until(lambda: stack.get(path_of(name)).status == 402, 10, f"{name} answers 402")


def end(client, name, after, grace):
    """Says when the end begins, in whole seconds from now, and how long the grace is."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + after))
    change = {"spec": {"drainAt": at, "drainGracePeriod": grace}}
    assert client.patch("serviceoffers", name, NAMESPACE, change)[0] == 200


def path_of(name):
    return f"/services/{name}/x"


def phase(client, name):
    return client.get("serviceoffers", name, NAMESPACE)["status"]["phase"]


def is_listed(stack, name):
    return name in [each["name"] for each in json.loads(stack.get("/api/services.json").body)["services"]]


def children(client, name):
    return [kind for kind, pattern in CHILDREN.items() if client.get(kind, pattern.format(name), NAMESPACE)]


def test_it_is_sold_while_it_drains_and_then_taken_down(stack, client):
    name = "fading"
    sell(stack, client, offer(name, namespace=NAMESPACE))
    wait_until(lambda: is_listed(stack, name), 10, "it is listed")
    with UnpaidPoller(stack, path_of(name)) as poller:
        end(client, name, after=2, grace="12s")
        wait_until(lambda: phase(client, name) == "Draining", 10, "it drains")
        assert stack.conditions(name, NAMESPACE)["Draining"][:2] == ("True", "Draining")
        assert stack.conditions(name, NAMESPACE)["Ready"][0] == "True"
        wait_until(lambda: not is_listed(stack, name), 5, "it is not listed any more")
        assert stack.buy(2, path_of(name))["status"] == 200
        assert phase(client, name) == "Draining"
        wait_until(lambda: phase(client, name) == "Drained", 20, "it has drained")
        wait_until(lambda: children(client, name) == [], 10, "its children are gone")
        wait_until(lambda: stack.get(path_of(name)).status == 404, 10, "it answers 404")
    assert poller.free_rides() == []
    assert stack.conditions(name, NAMESPACE)["RoutePublished"][:2] == ("False", "Drained")
    assert "drainAt" in stack.conditions(name, NAMESPACE)["Ready"][2]


def test_it_comes_back_when_its_end_is_taken_away(stack, client):
    name = "revived"
    sell(stack, client, offer(name, namespace=NAMESPACE))
    end(client, name, after=-60, grace="1s")
    wait_until(lambda: children(client, name) == [], 20, "its children are gone")
    assert client.patch("serviceoffers", name, NAMESPACE, {"spec": {"drainAt": None, "drainGracePeriod": None}})[0] == 200
    stack.wait_condition(name, "Ready", namespace=NAMESPACE)
    wait_until(lambda: stack.get(path_of(name)).status == 402, 10, "it answers 402 again")
    assert "Draining" not in stack.conditions(name, NAMESPACE)


def test_its_path_is_free_for_another_once_it_has_drained(stack, client):
    sell(stack, client, offer("older", namespace=NAMESPACE))
    # Its name comes after the other's: both may be of the same second.
    heir = offer("successor", "0.002", namespace=NAMESPACE)
    heir["spec"]["path"] = "/services/older"
    assert client.create("serviceoffers", heir, NAMESPACE)[0] == 201
    stack.wait_condition("successor", "RoutePublished", "False", namespace=NAMESPACE)
    assert stack.conditions("successor", NAMESPACE)["RoutePublished"][1] == "PathConflict"
    with UnpaidPoller(stack, path_of("older")) as poller:
        end(client, "older", after=1, grace="1s")
        stack.wait_condition("successor", "Ready", timeout=30, namespace=NAMESPACE)
        wait_until(lambda: stack.get(path_of("older")).status == 402, 10, "the heir answers 402")
    assert poller.free_rides() == []


def test_an_end_that_passes_while_the_controller_is_down_is_caught_up_with(stack, client):
    name = "overslept"
    sell(stack, client, offer(name, namespace=NAMESPACE))
    with UnpaidPoller(stack, path_of(name)) as poller:
        with controller_down(stack):
            end(client, name, after=1, grace="1s")
            time.sleep(3)
            assert children(client, name) == list(CHILDREN)
        wait_until(lambda: children(client, name) == [], 20, "its children are gone")
        assert phase(client, name) == "Drained"
    assert poller.free_rides() == []


def test_a_drained_offer_is_deleted_like_any_other(stack, client):
    name = "over"
    sell(stack, client, offer(name, namespace=NAMESPACE, registration=True))
    end(client, name, after=-60, grace="1s")
    wait_until(lambda: children(client, name) == [], 20, "its children are gone")
    # What is on chain stays as long as the offer does.
    assert client.get("registrationrequests", f"{name}-registration", NAMESPACE)
    client.delete("serviceoffers", name, NAMESPACE)
    wait_until(lambda: client.get("serviceoffers", name, NAMESPACE) is None, 20, "it is gone")
    assert client.get("registrationrequests", f"{name}-registration", NAMESPACE) is None
