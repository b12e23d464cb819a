"""Portitor's CRDs over the predecessor's, with its objects stored: offers are sold and registered, nothing of its objects
is lost or written, and with its own CRDs back all is as it was. test_beside_the_predecessor.py has the other way."""

import time

import predecessor
import pytest
from cluster import chart, tools, wait_until
from stack import NAMESPACE, Stack, offer
from test_beside_the_predecessor import make_theirs, wait_for_theirs
from test_predecessor_schemas import knows_ours

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def versions(cluster):
    """Of all its objects: another one with every write."""
    return {
        (kind, each["metadata"]["name"]): each["metadata"]["resourceVersion"]
        for kind in ("serviceoffer", "registrationrequest")
        for each in cluster.get(kind, ns=NAMESPACE)["items"]
    }


@pytest.fixture(scope="module")
def upgraded():
    with Stack(traefik_throttle="300ms") as stack:
        make_theirs(stack)
        stack.versions = versions(stack.cluster)
        ours = [each for each in chart.objects(tools.program("helm")) if each["kind"] == "CustomResourceDefinition"]
        for each in ours:
            stack.cluster.apply(each)
        wait_until(lambda: knows_ours(stack.cluster), 30, "the project's schemas are served")
        for role in ("controller", "verifier", "registrar"):
            stack.start_role(role)
            stack.wait_ready(role)
        yield stack


def test_an_offer_is_sold_and_its_registration_taken_up(upgraded):
    upgraded.cluster.apply(offer("ours", registration=True))
    upgraded.wait_condition("ours", "Ready")
    wait_until(lambda: upgraded.get("/services/ours").status == 402, 10, "it answers 402")
    bought = upgraded.buy(2, "/services/ours")
    assert bought["status"] == 200, bought
    # Nobody has configured a chain here; what matters is that the request was made and answered.
    wait_until(lambda: upgraded.conditions("ours").get("Registered", ("",))[0] == "True", 20, "Registered is settled")
    assert upgraded.cluster.get("serviceoffer", "ours", NAMESPACE)["status"]["phase"] == "Ready"


def test_nothing_of_theirs_is_lost_or_written(upgraded):
    time.sleep(2)
    now = predecessor.stored(upgraded.cluster)
    assert predecessor.lost(upgraded.before, now) == []
    written = versions(upgraded.cluster)
    assert {name: written[name] for name in upgraded.versions} == upgraded.versions


def test_with_their_own_crds_back_all_is_as_it_was(upgraded):
    upgraded.cluster.delete("serviceoffer", "ours", ns=NAMESPACE)
    upgraded.stop_roles()
    config = f"--kubeconfig={upgraded.cluster.kubeconfig}"
    done = upgraded.portitor("release-finalizers", config, "--release-namespace=portitor")
    assert done.returncode == 0, done.stderr
    assert versions(upgraded.cluster) == upgraded.versions
    for each in predecessor.crds():
        name = each["metadata"]["name"]
        live = upgraded.cluster.get("crd", name)
        version = {"resourceVersion": live["metadata"]["resourceVersion"]}
        status, said = upgraded.cluster.api.request("PUT", f"{CRDS}/{name}", each | {"metadata": each["metadata"] | version})
        assert status == 200, said
    # Their storage begins anew, and answers 429 meanwhile.
    wait_for_theirs(upgraded.cluster)
    assert predecessor.stored(upgraded.cluster) == upgraded.before
