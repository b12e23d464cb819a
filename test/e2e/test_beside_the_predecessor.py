"""Portitor where the predecessor's own two CRDs stay: PaymentRoute alone is installed, offers are sold, and nothing of
its objects and CRDs is another afterwards."""

import json
import time

import predecessor
import pytest
from audit import AuditTail
from cluster import conditions_of, wait_until
from stack import NAMESPACE, Stack, offer
from test_predecessor_schemas import can_be_listed

THEIRS = ("serviceoffers.obol.org", "registrationrequests.obol.org", "purchaserequests.obol.org")
# The server writes its findings there.
OWN_WORDS = ("status",)


def their_crds(cluster):
    out = {}
    for name in THEIRS:
        crd = predecessor.bare(cluster.get("crd", name))
        out[name] = {key: value for key, value in crd.items() if key not in OWN_WORDS}
    return out


def serves_theirs(cluster):
    _, said = cluster.api.request("GET", "/openapi/v3/apis/obol.org/v1alpha1")
    schemas = said.get("components", {}).get("schemas", {})
    request = json.dumps(schemas.get("org.obol.v1alpha1.RegistrationRequest", {}))
    offer = schemas.get("org.obol.v1alpha1.ServiceOffer", {}).get("properties", {})
    status = offer.get("status", {}).get("properties", {})
    return "serviceOfferName" in request and "agentURI" not in request and "conditions" in status and "phase" not in status


def wait_for_theirs(cluster):
    wait_until(lambda: serves_theirs(cluster), 30, "the predecessor's schemas are served")
    for kind in ("serviceoffer", "registrationrequest", "purchaserequest"):
        wait_until(lambda kind=kind: can_be_listed(cluster, kind), 30, f"{kind} is served")


def make_theirs(stack):
    """A cluster of the predecessor: its CRDs, with its objects stored, and none of Portitor's roles."""
    stack.stop_roles()
    for name in THEIRS[:2]:
        stack.cluster.delete("crd", name)
    stack.cluster.apply(predecessor.crds())
    wait_for_theirs(stack.cluster)
    stack.before = predecessor.store(stack.cluster)
    stack.crds = their_crds(stack.cluster)


@pytest.fixture(scope="module")
def peer():
    """A stack of its own on the predecessor's CRDs, with its objects stored."""
    with Stack(traefik_throttle="300ms") as stack:
        make_theirs(stack)
        for role in ("controller", "verifier", "registrar"):
            stack.start_role(role)
            stack.wait_ready(role)
        yield stack


def test_payment_route_is_served_beside_their_short_name(peer):
    assert peer.cluster.kubectl("get", "payroute", "-A", "--no-headers") == ""
    assert peer.cluster.kubectl("get", "pr", "-A", "--no-headers") == ""


def test_an_offer_is_sold_on_their_schema(peer):
    made = offer("ours", registration=True)
    made["spec"]["upstream"]["namespace"] = NAMESPACE
    peer.cluster.apply(made)
    peer.wait_condition("ours", "Ready")
    wait_until(lambda: peer.get("/services/ours").status == 402, 10, "it answers 402")
    bought = peer.buy(2, "/services/ours")
    assert bought["status"] == 200, bought
    live = peer.cluster.get("serviceoffer", "ours", NAMESPACE)
    assert "phase" not in live["status"] and live["status"]["observedGeneration"] == 1
    status, reason, message = peer.conditions("ours")["Registered"]
    assert (status, reason) == ("False", "ForeignSchema") and "lacks spec.name" in message
    assert peer.cluster.get("registrationrequest", "ours-registration", NAMESPACE) is None
    # It comes to rest: a status that the schema cannot hold is not written again and again.
    trail = AuditTail(peer.cluster)
    peer.cluster.patch("serviceoffer", "ours", {"metadata": {"labels": {"seen": "yes"}}}, NAMESPACE)
    time.sleep(2)
    assert trail.portitor_writes() == []
    assert "lack spec.name" in peer.cluster.processes["controller"].log()
    assert "ForeignSchema" in peer.cluster.processes["registrar"].log()


def test_limits_methods_and_the_clusters_own_name_hold(peer):
    made = offer("bounded", service=f"hello.{NAMESPACE}.svc.cluster.local")
    made["spec"]["upstream"]["namespace"] = NAMESPACE
    made["spec"]["limits"] = {"maxInFlight": 50, "rps": 2}
    made["spec"]["routes"] = [{"path": "/submit", "methods": ["POST"]}, {"path": "/*"}]
    peer.cluster.apply(made)
    peer.wait_condition("bounded", "Ready")
    wait_until(lambda: peer.get("/services/bounded").status == 402, 10, "it answers 402")
    time.sleep(1.5)
    assert peer.get("/services/bounded/submit").status == 403
    assert peer.get("/services/bounded/submit", method="POST").status == 402
    asked = [peer.get("/services/bounded").status for _ in range(12)]
    assert 429 in asked and set(asked) <= {402, 429}, asked
    time.sleep(1.5)
    assert peer.get("/services/bounded").status == 402
    kinds = {each["metadata"]["name"] for each in peer.cluster.get("middleware", ns=NAMESPACE)["items"]}
    assert {"inflight-bounded", "rate-bounded"} <= kinds
    peer.cluster.patch("serviceoffer", "bounded", {"spec": {"limits": None}}, NAMESPACE)
    wait_until(lambda: peer.cluster.get("middleware", "rate-bounded", NAMESPACE) is None, 20, "the limit is gone")
    wait_until(lambda: {peer.get("/services/bounded").status for _ in range(12)} == {402}, 10, "nobody is held up")
    peer.cluster.delete("serviceoffer", "bounded", ns=NAMESPACE)
    assert peer.cluster.get("middleware", "inflight-bounded", NAMESPACE) is None


def test_what_they_hold_is_left_alone_and_named(peer):
    assert predecessor.stored(peer.cluster)["serviceoffer", "http-plain"] == peer.before["serviceoffer", "http-plain"]
    config = f"--kubeconfig={peer.cluster.kubeconfig}"
    said = peer.portitor("sell", "status", "http-plain", "-n", NAMESPACE, config).stdout
    assert "Held by" in said and predecessor.FINALIZER in said
    said = peer.portitor("once", config, f"{NAMESPACE}/http-plain").stdout
    assert "the predecessor's controller holds it" in said
    done = peer.portitor("once", config, "-o", "json", f"{NAMESPACE}/ours")
    (ours,) = json.loads(done.stdout)["offers"]
    assert done.returncode == 0 and all(each["action"] == "same" for each in ours["children"]), done.stdout
    said = peer.portitor("doctor", config, "--release-namespace=portitor").stdout
    assert "offers are held by its controller" in said and f"{NAMESPACE}/" in said


# What their samples ask for beside what Portitor sells: withheld, ignored, or nothing.
LET_GO = {
    "http-nons": None,
    "agent": "NotSold",
    "async": "NotSold",
    "multi": "NotSold",
    "routes-auth": "NotSold",
    "routes-quota": "NotSold",
    "branding": "Ignored",
    "provenance": "Ignored",
    "routes-methods": "Ignored",
}


def test_what_they_let_go_is_taken_and_told_what_is_not_sold(peer):
    for name in LET_GO:
        peer.cluster.patch("serviceoffer", name, {"metadata": {"finalizers": None}}, NAMESPACE)

    def taken():
        live = {name: peer.cluster.get("serviceoffer", name, NAMESPACE) for name in LET_GO}
        ours = all(each["metadata"].get("finalizers") == ["obol.org/portitor"] for each in live.values())
        said = {name: conditions_of(each) for name, each in live.items()}
        judged = all(each.get("RoutePublished") for each in said.values())
        return said if ours and judged else None

    said = wait_until(taken, 20, "the offers are Portitor's")
    assert {name: each.get("NotSupported", {}).get("reason") for name, each in said.items()} == LET_GO
    for name, reason in LET_GO.items():
        if reason == "NotSold":
            assert said[name]["RoutePublished"]["status"] == "False", said[name]
            assert peer.cluster.get("httproute", f"so-{name}", NAMESPACE) is None
    for name in LET_GO:
        peer.before.pop(("serviceoffer", name))
        peer.cluster.delete("serviceoffer", name, ns=NAMESPACE)


def test_after_the_uninstall_nothing_of_theirs_has_changed(peer):
    peer.cluster.delete("serviceoffer", "ours", ns=NAMESPACE)
    peer.stop_roles()
    config = f"--kubeconfig={peer.cluster.kubeconfig}"
    done = peer.portitor("release-finalizers", config, "--release-namespace=portitor")
    assert done.returncode == 0, done.stderr
    peer.cluster.delete("crd", "paymentroutes.obol.org")
    assert predecessor.stored(peer.cluster) == peer.before
    assert their_crds(peer.cluster) == peer.crds
