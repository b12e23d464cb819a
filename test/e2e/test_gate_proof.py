"""The controller looks for itself: at the gate, from where buyers come, and at what a runtime serves."""

import time

import pytest

from stack import GATEWAY, NAMESPACE, UPSTREAM_PORT, offer
from test_main_job import remove, wait_until


def foreign_route(name, path, rule):
    """A route of somebody else for one path, more specific than an offer's."""
    match = {"path": {"type": "Exact", "value": path}}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "parentRefs": [{"name": "traefik-gateway", "namespace": "traefik"}],
            "rules": [{"matches": [match]} | rule],
        },
    }


def proof_path(name):
    return f"/services/{name}/portitor-gate-proof"


@pytest.fixture
def site(stack):
    """A Service beside the offer's, which answers everything with 200."""
    stack.cluster.service(NAMESPACE, "site", UPSTREAM_PORT)
    return {"backendRefs": [{"name": "site", "port": UPSTREAM_PORT}]}


def events(stack, name):
    """The reasons of an offer's Events."""
    found = stack.cluster.get("events", ns=NAMESPACE)["items"]
    return [each["reason"] for each in found if each["involvedObject"]["name"] == name]


def test_an_offer_is_ready_once_its_gate_is_proved(stack):
    stack.cluster.apply(offer("proved"))
    try:
        stack.wait_condition("proved", "Ready")
        status, reason, message = stack.conditions("proved")["RoutePublished"]
        assert (status, reason) == ("True", "Published")
        assert "refuses it unpaid" in message
    finally:
        remove(stack, "proved")


def test_a_gate_that_is_seen_open_takes_the_route_down(stack, site):
    stack.cluster.apply(foreign_route("free-ride", proof_path("leaky"), site))
    try:
        wait_until(lambda: stack.get(proof_path("leaky")).status == 200, 10, "the foreign route is served")
        stack.cluster.apply(offer("leaky"))
        wait_until(
            lambda: stack.conditions("leaky").get("RoutePublished", ("", "", ""))[1] == "GateOpen",
            30,
            "the open gate is told",
        )
        wait_until(
            lambda: stack.cluster.get("httproute", "so-leaky", NAMESPACE) is None, 5, "the HTTPRoute is gone"
        )
        assert stack.conditions("leaky")["Ready"][:2] == ("False", "GateOpen")
        wait_until(lambda: "GateOpen" in events(stack, "leaky"), 5, "an Event tells it")

        # It stays down, also when the controller starts anew.
        stack.cluster.delete("httproute", "free-ride", ns=NAMESPACE)
        assert stack.cluster.processes["controller"].stop(timeout=40) == 0
        stack.start_role("controller")
        stack.wait_ready("controller")
        time.sleep(2)
        assert stack.cluster.get("httproute", "so-leaky", NAMESPACE) is None
        assert stack.conditions("leaky")["RoutePublished"][1] == "GateOpen"

        stack.cluster.apply(offer("leaky", price="0.002"))
        stack.wait_condition("leaky", "Ready")
    finally:
        stack.cluster.delete("httproute", "free-ride", ns=NAMESPACE, missing_ok=True)
        remove(stack, "leaky")


def test_a_gate_that_cannot_be_proved_is_not_published_but_stays(stack):
    elsewhere = {"filters": [{"type": "RequestRedirect", "requestRedirect": {"hostname": "elsewhere.test"}}]}
    stack.cluster.apply(foreign_route("shadow", proof_path("hidden"), elsewhere))
    try:
        wait_until(lambda: stack.get(proof_path("hidden")).status == 302, 10, "the foreign route is served")
        stack.cluster.apply(offer("hidden"))
        wait_until(
            lambda: stack.conditions("hidden").get("RoutePublished", ("", "", ""))[1] == "GateNotProved",
            40,
            "that nothing is proved is told",
        )
        message = stack.conditions("hidden")["RoutePublished"][2]
        assert GATEWAY in message and "HTTP 302" in message
        assert stack.get("/services/hidden/other").status == 402
        stack.cluster.delete("httproute", "shadow", ns=NAMESPACE)
        stack.wait_condition("hidden", "Ready", timeout=60)
    finally:
        stack.cluster.delete("httproute", "shadow", ns=NAMESPACE, missing_ok=True)
        remove(stack, "hidden")


def test_an_offer_that_gives_everything_away_has_no_gate_to_prove(stack):
    free = offer("gift")
    free["spec"]["routes"] = [{"path": "/", "gate": "free"}, {"path": "/*", "gate": "free"}]
    stack.cluster.apply(free)
    try:
        stack.wait_condition("gift", "Ready")
        wait_until(lambda: stack.get("/services/gift/any").status == 200, 10, "it is given away")
        assert stack.get("/services/gift").status == 200
    finally:
        remove(stack, "gift")


@pytest.mark.parametrize("runtime", ["ollama", "vllm"])
def test_the_runtime_lists_the_model_or_not(stack, runtime):
    name = f"model-{runtime}"
    wanted = offer(name)
    wanted["spec"] |= {"type": "inference", "model": {"name": "qwen3:0.6b", "runtime": runtime}}
    stack.cluster.apply(wanted)
    try:
        stack.wait_condition(name, "ModelReady")
        assert stack.conditions(name)["ModelReady"][1] == "Listed"
        wanted["spec"]["model"]["name"] = "another"
        stack.cluster.apply(wanted)
        stack.wait_condition(name, "ModelReady", status="False")
        assert stack.conditions(name)["ModelReady"][1] == "NotListed"
        stack.wait_condition(name, "Ready")
    finally:
        remove(stack, name)
