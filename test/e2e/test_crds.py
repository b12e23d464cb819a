"""The three CRDs on the real API server: good and bad objects, defaults, columns, and who may write what."""

import copy
import json

import pytest

from cluster import Cluster, KubectlError
from stack import offer, x402

NAMESPACE = "default"


@pytest.fixture(scope="module")
def cluster():
    with Cluster(traefik=False, controller_manager=False) as started:
        yield started


def changed(base, path, value):
    """A copy of `base` with one field set, or taken away where the value is None."""
    out = copy.deepcopy(base)
    *parents, last = path.split(".")
    at = out
    for name in parents:
        at = at.setdefault(name, {})
    if value is None:
        at.pop(last, None)
    else:
        at[last] = value
    return out


def try_apply(cluster, what):
    """Whether the server takes it; it keeps nothing. The refusal's text, or None."""
    try:
        cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(what))
    except KubectlError as refused:
        return str(refused)
    return None


GOOD = offer("good", namespace=NAMESPACE)

ROUTE = {
    "apiVersion": "obol.org/v1alpha1",
    "kind": "PaymentRoute",
    "metadata": {"name": "good-payment", "namespace": NAMESPACE},
    "spec": {
        "pattern": "/services/good/*",
        "price": "1000",
        "asset": x402.USDC,
        "payTo": x402.SELLER,
        "network": "eip155:84532",
        "facilitatorURL": "https://facilitator.example.com",
    },
}

REQUEST = {
    "apiVersion": "obol.org/v1alpha1",
    "kind": "RegistrationRequest",
    "metadata": {"name": "good-registration", "namespace": NAMESPACE},
    "spec": {
        "name": "good",
        "endpoint": "https://api.example.com/services/good",
        "chain": "base-sepolia",
        "registry": "0x8004A818BFB912233c491871b3d84c89A494BD9e",
        "agentURI": "https://api.example.com/.well-known/agent-registration/1.json",
        "desiredState": "Active",
    },
}


@pytest.mark.parametrize(
    "path, value",
    [
        ("spec.payment.price", {"perRequest": "1"}),
        ("spec.payment.price", {"perMTok": "2.5"}),
        ("spec.payment.price", {"perHour": "0.6"}),
        ("spec.payment.network", "eip155:8453"),
        ("spec.path", "/v1/good"),
        ("spec.hostname", "api.example.com"),
        ("spec.routes", [{"path": "/free/*", "gate": "free"}, {"path": "/dear", "price": {"perRequest": "1"}}]),
        ("spec.drainAt", "2030-01-01T00:00:00Z"),
        ("spec.upstream.port", 65535),
    ],
)
def test_good_offers_are_taken(cluster, path, value):
    assert try_apply(cluster, changed(GOOD, path, value)) is None


@pytest.mark.parametrize(
    "path, value, words",
    [
        *[
            ("spec.payment.price.perRequest", price, ("price",))
            for price in ("0,01", "abc", "-1", "0", "0.000", "1e3", " 1", "+1", "0." + "0" * 29 + "1", "")
        ],
        ("spec.payment.price", {}, ("price",)),
        ("spec.payment.payTo", "0x" + "1" * 39, ("payTo", "40")),
        ("spec.payment.payTo", "0x" + "g" * 40, ("payTo",)),
        ("spec.payment.payTo", None, ("payTo",)),
        ("spec.payment.network", None, ("network",)),
        ("spec.payment.scheme", "upto", ("scheme",)),
        ("spec.payment.maxTimeoutSeconds", 0, ("maxTimeoutSeconds",)),
        ("spec.upstream.port", 0, ("port",)),
        ("spec.upstream.port", 70000, ("port",)),
        ("spec.upstream.healthPath", "health", ("healthPath",)),
        ("spec.upstream.service", None, ("service",)),
        *[("spec.path", path, ("path",)) for path in ("services", "/a//b", "/a/../b", "/a/./b", "/a/", "/a?b", "/a b")],
        ("spec.hostname", "Not A Host", ("hostname",)),
        ("spec.routes", [{"path": "/a"}, {"path": "/a"}], ("routes",)),
        ("spec.routes", [{"path": "/../a"}], ("path",)),
        ("spec.routes", [{"path": f"/{i}"} for i in range(129)], ("routes", "128")),
        ("spec.drainGracePeriod", "soon", ("drainGracePeriod",)),
        ("spec.type", "dataset", ("type",)),
    ],
)
def test_bad_offers_are_refused_with_the_field_named(cluster, path, value, words):
    refusal = try_apply(cluster, changed(GOOD, path, value))
    assert refusal is not None
    for word in words:
        assert word in refusal


@pytest.mark.parametrize(
    "base, path, value",
    [
        (ROUTE, "spec.price", "0"),
        (ROUTE, "spec.price", "0.1"),
        (ROUTE, "spec.network", "base-sepolia"),
        (ROUTE, "spec.payTo", "0x1"),
        (ROUTE, "spec.facilitatorURL", "ftp://x"),
        (ROUTE, "spec.pattern", "services"),
        (REQUEST, "spec.desiredState", "Tombstoned"),
        (REQUEST, "spec.registry", "0x1"),
    ],
)
def test_bad_children_are_refused(cluster, base, path, value):
    assert try_apply(cluster, base) is None
    refusal = try_apply(cluster, changed(base, path, value))
    assert refusal is not None and path.split(".")[1] in refusal


def test_defaults_columns_and_names(cluster):
    sparse = changed(changed(GOOD, "spec.type", None), "spec.upstream.healthPath", None)
    cluster.apply([sparse, ROUTE, REQUEST])
    try:
        spec = cluster.get("so", "good", NAMESPACE)["spec"]
        assert spec["type"] == "http" and spec["payment"]["scheme"] == "exact"
        assert spec["upstream"]["healthPath"] == "/health"
        for short, columns in (
            ("so", ("TYPE", "PRICE", "NETWORK", "READY", "AGE")),
            ("pr", ("PATTERN", "PRICE", "NETWORK", "ADMITTED", "AGE")),
            ("rr", ("CHAIN", "PHASE", "AGENTID", "AGE")),
        ):
            header = cluster.kubectl("get", short, "-n", NAMESPACE).splitlines()[0].split()
            assert set(columns) <= set(header)
        names = cluster.kubectl("get", "obol", "-n", NAMESPACE, "-o", "name").split()
        assert len(names) == 3
    finally:
        cluster.kubectl("delete", "so,pr,rr", "--all", "-n", NAMESPACE)


def may(cluster, role, verb, resource, subresource=""):
    try:
        cluster.kubectl("auth", "can-i", verb, resource, f"--subresource={subresource}", "-n", NAMESPACE, role=role)
    except KubectlError:
        return False
    return True


def test_each_role_writes_only_what_is_its_own(cluster):
    writers = {
        ("patch", "serviceoffers.obol.org", "status"): {"controller"},
        ("patch", "paymentroutes.obol.org", ""): {"controller"},
        ("patch", "paymentroutes.obol.org", "status"): {"verifier"},
        ("patch", "registrationrequests.obol.org", ""): {"controller"},
        ("patch", "registrationrequests.obol.org", "status"): {"registrar"},
        ("patch", "httproutes.gateway.networking.k8s.io", ""): {"controller"},
        ("patch", "middlewares.traefik.io", ""): {"controller"},
        ("delete", "paymentroutes.obol.org", ""): {"controller"},
        ("delete", "serviceoffers.obol.org", ""): set(),
        ("get", "secrets", ""): set(),
    }
    for (verb, resource, subresource), roles in writers.items():
        able = {role for role in ("controller", "verifier", "registrar") if may(cluster, role, verb, resource, subresource)}
        assert able == roles, (verb, resource, subresource)
    assert not may(cluster, "verifier", "list", "serviceoffers.obol.org")
    assert may(cluster, "verifier", "watch", "paymentroutes.obol.org")


def test_the_status_is_a_subresource(cluster):
    cluster.apply(GOOD)
    try:
        patch = '{"status": {"phase": "Ready"}}'
        cluster.kubectl("patch", "so", "good", "-n", NAMESPACE, "--type=merge", "-p", patch)
        assert "status" not in cluster.get("so", "good", NAMESPACE)
    finally:
        cluster.kubectl("delete", "so", "good", "-n", NAMESPACE)
