"""The controller looks for itself: at the gate, from where buyers come, and at what a runtime serves."""

import json
import time

import pytest

from stack import GATEWAY, NAMESPACE, UPSTREAM_PORT, offer
from test_main_job import remove, wait_until


def foreign_route(name, rule, kind="Exact", path="/services", **match):
    """A route of somebody else for one path."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "parentRefs": [{"name": "traefik-gateway", "namespace": "traefik"}],
            "rules": [{"matches": [{"path": {"type": kind, "value": path}} | match]} | rule],
        },
    }


def open_door(name, service):
    """What lets requests past an offer's gate and is no HTTPRoute."""
    rule = {
        "kind": "Rule",
        "match": f"PathPrefix(`/services/{name}`)",
        "priority": 10_000_000,
        "services": [{"name": service, "port": UPSTREAM_PORT}],
    }
    return {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "IngressRoute",
        "metadata": {"name": f"door-{name}", "namespace": NAMESPACE},
        "spec": {"routes": [rule]},
    }


def published(stack, name):
    """uid and matches of an offer's HTTPRoute; None where there is none."""
    route = stack.cluster.get("httproute", f"so-{name}", NAMESPACE)
    return route and (route["metadata"]["uid"], route["spec"]["rules"][0]["matches"])


def reason(stack, name):
    return stack.conditions(name).get("RoutePublished", ("", "", ""))[1]


@pytest.fixture
def site(stack):
    """A Service beside the offer's, which answers everything with 200."""
    stack.cluster.service(NAMESPACE, "site", UPSTREAM_PORT)
    return {"backendRefs": [{"name": "site", "port": UPSTREAM_PORT}]}


def events(stack, name):
    """The reasons of an offer's Events."""
    found = stack.cluster.get("events", ns=NAMESPACE)["items"]
    return [each["reason"] for each in found if each["involvedObject"]["name"] == name]


def is_on_sale(stack, name):
    """Published, and not only tried."""
    route = published(stack, name)
    return route is not None and any(match["path"]["type"] != "Exact" for match in route[1])


def test_an_offer_is_ready_once_its_gate_is_proved(stack):
    stack.cluster.apply(offer("proved"))
    try:
        stack.wait_condition("proved", "Ready")
        status, reason, message = stack.conditions("proved")["RoutePublished"]
        assert (status, reason) == ("True", "Published")
        assert "refuses it unpaid" in message
    finally:
        remove(stack, "proved")


def test_a_gate_that_is_seen_open_takes_the_route_down_and_is_tried_again(stack, site):
    stack.cluster.apply(open_door("leaky", "site"))
    try:
        wait_until(lambda: stack.get("/services/leaky/any").status == 200, 20, "the door is open")
        stack.cluster.apply(offer("leaky"))
        wait_until(lambda: reason(stack, "leaky") == "GateOpen", 30, "the open gate is told")
        wait_until(lambda: published(stack, "leaky") is None, 5, "the HTTPRoute is gone")
        assert stack.conditions("leaky")["Ready"][:2] == ("False", "GateOpen")
        wait_until(lambda: "GateOpen" in events(stack, "leaky"), 5, "an Event tells it")

        # It stays down, also when the controller starts anew.
        assert stack.cluster.processes["controller"].stop(timeout=40) == 0
        stack.start_role("controller")
        stack.wait_ready("controller")
        time.sleep(2)
        assert not is_on_sale(stack, "leaky")
        assert reason(stack, "leaky") == "GateOpen"

        # Another spec is a reason to try, not to publish: the door is open still.
        seen = []
        stack.cluster.apply(offer("leaky", price="0.002"))
        wait_until(lambda: published(stack, "leaky"), 10, "it is tried")
        seen.append(published(stack, "leaky")[1])
        wait_until(lambda: published(stack, "leaky") is None, 20, "the trial is over")
        assert reason(stack, "leaky") == "GateOpen"
        [[match]] = seen
        assert match["path"]["type"] == "Exact"
        assert len(match["path"]["value"]) == len("/services/leaky/") + 32

        # With the door closed a trial ends well, and the offer is published by itself.
        stack.cluster.delete("ingressroute", "door-leaky", ns=NAMESPACE)
        wait_until(lambda: stack.get("/services/leaky/any").status == 404, 20, "the door is closed")
        stack.cluster.apply(foreign_route("any-change", site, path="/elsewhere"))
        stack.wait_condition("leaky", "Ready", timeout=60)
        assert published(stack, "leaky")[1][0]["path"] == {"type": "PathPrefix", "value": "/services/leaky"}
        wait_until(lambda: stack.get("/services/leaky/any").status == 402, 10, "it is sold")
    finally:
        stack.cluster.delete("ingressroute", "door-leaky", ns=NAMESPACE, missing_ok=True)
        stack.cluster.delete("httproute", "any-change", ns=NAMESPACE, missing_ok=True)
        remove(stack, "leaky")


def test_a_route_of_somebody_else_takes_no_offer_down(stack, site):
    stack.cluster.apply(offer("target"))
    try:
        stack.wait_condition("target", "Ready")
        route = published(stack, "target")
        # A path that a proof might ask for, on which somebody answers for free; then that goes again.
        for path in ("/services/target/portitor-gate-proof", "/services/target/0123456789abcdef"):
            stack.cluster.apply(foreign_route("trick", site, path=path))
            wait_until(lambda asked=path: stack.get(asked).status == 200, 10, "the trick is served")
            restart_controller(stack)
            time.sleep(3)
            assert stack.conditions("target")["Ready"][0] == "True"
            stack.cluster.delete("httproute", "trick", ns=NAMESPACE)
            time.sleep(1)
            assert stack.conditions("target")["Ready"][0] == "True"

        # All of its paths: its buyers do get something else. That is said, and nothing is taken down.
        stack.cluster.apply(foreign_route("grab", site, "PathPrefix", "/services/target", method="GET"))
        wait_until(lambda: stack.get("/services/target/any").status == 200, 10, "the grab is served")
        restart_controller(stack)
        wait_until(lambda: reason(stack, "target") == "ForeignRoute", 20, "the other route is named")
        assert f"HTTPRoute {NAMESPACE}/grab, spec.rules[0]" in stack.conditions("target")["RoutePublished"][2]
        assert published(stack, "target") == route
        tell_of_the_grab(stack)
        stack.cluster.delete("httproute", "grab", ns=NAMESPACE)
        stack.wait_condition("target", "Ready", timeout=60)
        assert published(stack, "target") == route
        assert stack.get("/services/target/any").status == 402
    finally:
        stack.cluster.delete("httproute", "trick", "grab", ns=NAMESPACE, missing_ok=True)
        remove(stack, "target")


def tell_of_the_grab(stack):
    """Whoever asks is told of the same rule."""
    rule = f"HTTPRoute {NAMESPACE}/grab, spec.rules[0] (PathPrefix /services/target)"
    status = stack.portitor("sell", "status", "target", "-n", NAMESPACE).stdout
    assert rule in status and "RoutePublished is False (ForeignRoute): Have the rule" in status
    (once,) = json.loads(stack.portitor("once", f"{NAMESPACE}/target", "-o", "json").stdout)["offers"]
    said = {each["type"]: each for each in once["conditions"]}["RoutePublished"]
    assert said["reason"] == "ForeignRoute" and rule in said["message"]
    told = json.loads(stack.portitor("explain", f"{GATEWAY}/services/target/any", "-o", "json").stdout)[0]
    assert told["unpaid"] and f"{NAMESPACE}/grab" in told["why"]
    assert any("target asks for this place, and is not sold (ForeignRoute)" in each for each in told["remarks"])
    done = stack.portitor("doctor", "--only=gate", "--only=offers", "-n", NAMESPACE, "-o", "json")
    found = {each["check"]: each for each in json.loads(done.stdout)["findings"] if each["verdict"] != "ok"}
    assert rule in found["RoutePublished ForeignRoute"]["advice"]
    assert rule in found[f"{NAMESPACE}/target by gateway-url"]["words"]


def restart_controller(stack):
    """Then everything is proved anew."""
    assert stack.cluster.processes["controller"].stop(timeout=40) == 0
    stack.start_role("controller")
    stack.wait_ready("controller")


def test_a_gate_that_cannot_be_proved_is_not_published_but_stays(stack):
    elsewhere = {"filters": [{"type": "RequestRedirect", "requestRedirect": {"hostname": "elsewhere.test"}}]}
    stack.cluster.apply(foreign_route("shadow", elsewhere, "PathPrefix", "/services/hidden", method="GET"))
    try:
        wait_until(lambda: stack.get("/services/hidden/any").status == 302, 10, "the foreign route is served")
        stack.cluster.apply(offer("hidden"))
        wait_until(lambda: reason(stack, "hidden") == "GateNotProved", 40, "that nothing is proved is told")
        message = stack.conditions("hidden")["RoutePublished"][2]
        assert GATEWAY in message and "HTTP 302" in message and f"HTTPRoute {NAMESPACE}/shadow" in message
        assert stack.get("/services/hidden/other", method="POST").status == 402
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
