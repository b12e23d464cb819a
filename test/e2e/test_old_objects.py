"""Offers that the schema takes, as the predecessor's does, and that cannot be sold: they stay writable, are withheld with a
condition that helps, and harm nobody."""

import json
import time

import pytest
from audit import AuditTail
from cluster import wait_until
from kube_client import KubeClient
from stack import offer

NAMESPACE = "yesterday"
PATH = "/services/alice"


def placed(name, price="0.001", **spec):
    made = offer(name, price, namespace=NAMESPACE)
    made["spec"] |= spec
    return made


THIEF = placed("thief", "0.002", path=PATH, drainAt="2261-12-31T00:00:00Z", drainGracePeriod="99999h")
NEVER = placed("never", drainAt="9999-12-31T23:59:59-23:59")
SLASHES = placed("slashes", routes=[{"path": "/report/", "gate": "free"}, {"path": "/report"}])
ASTERISK = placed("asterisk", routes=[{"path": "/*", "gate": "free"}, {"path": "/premium*"}])
OLD = (THIEF, NEVER, SLASHES, ASTERISK)


@pytest.fixture(scope="module")
def client(stack):
    stack.cluster.service(NAMESPACE, "hello", 9000)
    yield KubeClient(stack.cluster)
    stack.cluster.kubectl("delete", "namespace", NAMESPACE, "--timeout=90s")


@pytest.fixture(scope="module")
def old(stack, client):
    """The audit log since they were stored, beside an offer whose path one of them wants."""
    assert client.create("serviceoffers", placed("alice"), NAMESPACE)[0] == 201
    stack.wait_condition("alice", "Ready", namespace=NAMESPACE)
    wait_until(lambda: price_at(stack, PATH) == "1000", 10, "alice is sold")
    time.sleep(1)  # Ages count in seconds.
    tail = AuditTail(stack.cluster)
    for each in OLD:
        assert client.create("serviceoffers", each, NAMESPACE)[0] == 201
    return tail


def price_at(stack, path):
    answer = stack.get(path)
    return answer.status == 402 and json.loads(answer.body)["accepts"][0]["maxAmountRequired"]


def refusal(stack, name):
    """What holds the offer back."""
    stack.wait_condition(name, "PaymentGateReady", "False", namespace=NAMESPACE)
    status, reason, message = stack.conditions(name, NAMESPACE)["PaymentGateReady"]
    assert (status, reason) == ("False", "InvalidSpec")
    return message


def test_a_date_at_the_end_of_the_clock_takes_no_path_from_an_older_offer(stack, client, old):
    assert "spec.drainAt must be a time from 1970 to 2199" in refusal(stack, "thief")
    assert "spec.drainAt must be a time from 1970 to 2199" in refusal(stack, "never")
    prices = set()
    end = time.monotonic() + 3
    while time.monotonic() < end:
        prices.add(price_at(stack, PATH))
    assert prices == {"1000"}
    for name in ("thief", "never"):
        about = [each for each in old.writes("portitor-controller") if each.name in (name, f"so-{name}")]
        assert [each for each in about if each.kind == "httproutes"] == []
        assert len(about) <= 4, about
    assert [each.verb for each in old.writes("portitor-controller", kind="httproutes", name="so-alice")] == []


def test_what_was_stored_can_still_be_written(stack, client, old):
    for each in OLD:
        name = each["metadata"]["name"]
        labels = {"metadata": {"labels": {"seen": "yes"}}}
        assert client.patch("serviceoffers", name, NAMESPACE, labels)[0] == 200
        # But never for nothing.
        free = {"spec": {"payment": {"price": {"perRequest": "0"}}}}
        assert client.patch("serviceoffers", name, NAMESPACE, free)[0] == 422


@pytest.mark.parametrize(
    "name, words, routes",
    [
        ("slashes", ["spec.routes[0].path", "write /report for the path"], [{"path": "/report"}]),
        ("asterisk", ["spec.routes[1].path", "write /premium/* for all below"], [{"path": "/premium/*"}]),
    ],
)
def test_a_path_with_two_readings_is_not_sold_until_it_has_one(stack, client, old, name, words, routes):
    message = refusal(stack, name)
    assert all(each in message for each in words), message
    for below in ("", "/report", "/report/", "/premium-data", "/premium"):
        assert stack.get(f"/services/{name}{below}").status == 404
    assert client.patch("serviceoffers", name, NAMESPACE, {"spec": {"routes": routes}})[0] == 200
    stack.wait_condition(name, "Ready", namespace=NAMESPACE)
    wait_until(lambda: stack.get(f"/services/{name}").status == 402, 10, f"{name} is sold")
