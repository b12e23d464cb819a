"""Kinds and rights that go away are waited for and named; nothing hangs for want of them, and all goes on with them."""

import re

import pytest
from cluster import wait_until
from stack import NAMESPACE, offer
from test_main_job import children, remove, wait_sold

MIDDLEWARES = "middlewares.traefik.io"


def readiness(stack):
    answer = stack.health("controller", "/readyz")
    return answer.status, bytes(answer.body).decode()


def test_offers_are_deleted_without_traefiks_kind_and_go_on_with_it(stack):
    process = stack.cluster.processes["controller"]
    crd = stack.cluster.get("customresourcedefinition", MIDDLEWARES)
    crd = {key: crd[key] for key in ("apiVersion", "kind", "spec")} | {
        "metadata": {"name": MIDDLEWARES, "annotations": crd["metadata"].get("annotations", {})}
    }
    stack.cluster.apply(offer("leaving"))
    stack.cluster.apply(offer("staying"))
    try:
        wait_sold(stack, "leaving")
        wait_sold(stack, "staying")
        stack.cluster.delete("customresourcedefinition", MIDDLEWARES)
        wait_until(lambda: readiness(stack)[0] == 503, 30, "the controller is not ready")
        assert MIDDLEWARES in readiness(stack)[1], readiness(stack)
        assert stack.health("controller", "/healthz").status == 200
        # Whatever was known of Middlewares is known to be gone.
        stack.cluster.delete("serviceoffer", "leaving", ns=NAMESPACE, timeout=30)
        assert stack.conditions("staying")["Ready"][0] == "False"
        # What cannot be put right is not told as if it had been.
        assert not [line for line in process.log().splitlines() if "DriftRepaired" in line and "staying" in line]
        # Nor does a controller that starts without the kind hang.
        assert process.stop(timeout=40) == 0
        stack.cluster.apply(offer("leaving"))
        stack.start_role("controller")
        process = stack.cluster.processes["controller"]
        wait_until(lambda: stack.conditions("leaving").get("Ready"), 30, "it works without the kind")
        stack.cluster.delete("serviceoffer", "leaving", ns=NAMESPACE, timeout=30)
        assert readiness(stack)[0] == 503
        assert process.running
        assert len(re.findall("waiting for what is missing", process.log())) == 1
    finally:
        stack.cluster.apply(crd)
        wait_until(lambda: readiness(stack)[0] == 200, 60, "the controller is ready again")
    try:
        wait_sold(stack, "staying")
        assert len(children(stack, "staying")) == 4
    finally:
        remove(stack, "leaving", "staying")


@pytest.mark.parametrize("kind", ["referencegrants", "endpointslices", "services"])
def test_a_right_that_is_missing_is_named_and_holds_up_no_deletion(stack, kind):
    rules = stack.cluster.get("clusterrole", "portitor-controller")["rules"]
    without = [each for each in rules if kind not in each["resources"]]
    assert len(without) == len(rules) - 1
    stack.cluster.apply(offer("held"))
    try:
        wait_sold(stack, "held")
        assert stack.cluster.processes["controller"].stop(timeout=40) == 0
        stack.cluster.patch("clusterrole", "portitor-controller", {"rules": without})
        asks = stack.cluster.role_api("controller")
        wait_until(lambda: not asks.may("list", kind), 10, "the API server has seen it")
        stack.start_role("controller")
        denied = re.compile(rf"{kind}[^;\n]*: this account may not list or watch")
        wait_until(lambda: denied.search(readiness(stack)[1]), 30, "the kind is named")
        assert readiness(stack)[0] == 503
        # What cannot be judged stays as it is; what is deleted goes.
        assert stack.conditions("held")["Ready"][0] == "True"
        stack.cluster.delete("serviceoffer", "held", ns=NAMESPACE, timeout=30)
        stack.cluster.apply(offer("held"))
        stack.cluster.patch("clusterrole", "portitor-controller", {"rules": rules})
        wait_until(lambda: readiness(stack)[0] == 200, 60, "the controller is ready again")
        wait_sold(stack, "held")
    finally:
        stack.cluster.patch("clusterrole", "portitor-controller", {"rules": rules})
        remove(stack, "held")


def test_hosts_by_labels_wait_for_namespaces_and_hold_up_no_deletion(stack):
    """That right goes with such an entry in the chart; here nobody has given it."""
    config = stack.cluster.directory / "by-labels.yaml"
    entry = "- {host: a.labels.test, namespaceSelector: {matchLabels: {sells: 'yes'}}}\n"
    config.write_text(stack.config.read_text() + entry)
    stack.cluster.apply(offer("held"))
    try:
        wait_sold(stack, "held")
        assert stack.cluster.processes["controller"].stop(timeout=40) == 0
        stack.start_role("controller", f"--config={config}")
        wait_until(lambda: "namespaces" in readiness(stack)[1], 30, "the kind is named")
        assert stack.conditions("held")["Ready"][0] == "True"
        stack.cluster.delete("serviceoffer", "held", ns=NAMESPACE, timeout=30)
    finally:
        assert stack.cluster.processes["controller"].stop(timeout=40) == 0
        stack.start_role("controller")
        stack.wait_ready("controller")
        remove(stack, "held")
