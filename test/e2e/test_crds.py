"""The three CRDs on the real API server: good and bad objects, defaults, columns, and who may write what."""

import copy
import re

import pytest
import x402

from cluster import Cluster
from cluster.api import MERGE_PATCH
from kube_client import KubeClient
from kube_client import path as path_of
from stack import offer

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


@pytest.fixture(scope="module")
def client(cluster):
    return KubeClient(cluster)


def try_apply(client, what):
    """Whether the server takes it; it keeps nothing. The refusal's text, or None."""
    kind = what["kind"].lower() + "s"
    status, answer = client.request("POST", path_of(kind, NAMESPACE) + "?dryRun=All&fieldValidation=Strict", what)
    return None if status == 201 else answer["message"]


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
        ("spec.routes", [{"path": "/"}, {"path": "/*"}, {"path": "/users/*/export"}, {"path": "/.well-known/x"}]),
        ("spec.drainAt", "2030-01-01T00:00:00Z"),
        ("spec.drainAt", "2030-01-01T00:00:00.5+02:30"),
        ("spec.drainAt", "1970-01-01T00:00:00Z"),
        ("spec.drainAt", "2200-01-01T00:00:00+00:01"),
        ("spec.drainGracePeriod", ""),
        ("spec.drainGracePeriod", "1h0m0s"),
        ("spec.drainGracePeriod", "87599h59m60s"),
        ("spec.upstream.port", 65535),
    ],
)
def test_good_offers_are_taken(client, path, value):
    assert try_apply(client, changed(GOOD, path, value)) is None


DECIMAL = 'must be a decimal amount of the asset with a point, such as "0.01"'
NOT_ZERO = "must be more than zero; to give something away, write a route with gate: free"
SEGMENTS = 'must not hold the segments "." and ".."'


@pytest.mark.parametrize(
    "path, value, field, words",
    [
        *[
            ("spec.payment.price", {model: price}, f"spec.payment.price.{model}", words)
            for model, price, words in (
                ("perRequest", "0,01", DECIMAL),
                ("perRequest", "abc", DECIMAL),
                ("perRequest", "-1", DECIMAL),
                ("perRequest", "+1", DECIMAL),
                ("perRequest", " 1", DECIMAL),
                ("perRequest", "1e3", DECIMAL),
                ("perRequest", "01", DECIMAL),
                ("perRequest", "1.", DECIMAL),
                ("perRequest", "", DECIMAL),
                ("perRequest", "0." + "0" * 29 + "1", DECIMAL),
                ("perRequest", "1" + "0" * 18, DECIMAL),
                ("perRequest", "1" * 65, "64"),
                ("perRequest", "0", NOT_ZERO),
                ("perRequest", "0.000", NOT_ZERO),
                ("perRequest", 1, "must be of type string"),
                ("perMTok", "0,01", DECIMAL),
                ("perMTok", "0", NOT_ZERO),
                ("perHour", "-1", DECIMAL),
                ("perHour", "0.0", NOT_ZERO),
            )
        ],
        ("spec.payment.price", {}, "spec.payment.price", 'such as perRequest: "0.01"'),
        ("spec.payment.price", None, "spec.payment.price", "Required"),
        ("spec.payment", None, "spec.payment", "Required"),
        ("spec.payment.payTo", "0x" + "1" * 39, "spec.payment.payTo", "exactly 40 hexadecimal digits; check that none"),
        ("spec.payment.payTo", "0x" + "1" * 41, "spec.payment.payTo", "exactly 40 hexadecimal digits"),
        ("spec.payment.payTo", "0x" + "g" * 40, "spec.payment.payTo", "exactly 40 hexadecimal digits"),
        ("spec.payment.payTo", "1" * 40, "spec.payment.payTo", "0x and exactly 40"),
        ("spec.payment.payTo", "0x" + "0" * 40, "spec.payment.payTo", "must not be the zero address"),
        ("spec.payment.asset", {"address": "0x" + "0" * 40}, "spec.payment.asset.address", "must not be the zero address"),
        ("spec.payment.payTo", None, "spec.payment.payTo", "Required"),
        ("spec.payment.network", None, "spec.payment.network", "Required"),
        ("spec.payment.scheme", "upto", "spec.payment.scheme", '"exact"'),
        ("spec.payment.settlement", "later", "spec.payment.settlement", '"beforeResponse"'),
        ("spec.payment.asset", {"address": "USDC"}, "spec.payment.asset.address", "must be an address"),
        ("spec.upstream.port", 0, "spec.upstream.port", "greater than or equal to 1"),
        ("spec.upstream.port", 70000, "spec.upstream.port", "less than or equal to 65535"),
        ("spec.upstream.port", "80", "spec.upstream.port", "must be of type integer"),
        ("spec.upstream.service", None, "spec.upstream.service", "Required"),
        *[
            ("spec.path", path, "spec.path", words)
            for path, words in (
                ("services", 'must start with "/"'),
                ("/a?b", "such as /services/hello"),
                ("/a b", "such as /services/hello"),
                ("/a%2Fb", "such as /services/hello"),
                ("/a/*", "such as /services/hello"),
                ("/a;b", "such as /services/hello"),
            )
        ],
        ("spec.hostname", "Not A Host", "spec.hostname", "such as api.example.com"),
        ("spec.hostname", "https://a.example", "spec.hostname", "without scheme, port and wildcard"),
        ("spec.hostname", "*.example.com", "spec.hostname", "without scheme, port and wildcard"),
        ("spec.routes", [{"path": f"/{i}"} for i in range(129)], "spec.routes", "at most 128"),
        ("spec.routes", [{"path": "/a"}, {"path": "b"}], "spec.routes[1].path", "such as /report or /files/*"),
        ("spec.routes", [{"gate": "free"}], "spec.routes[0].path", "Required"),
        ("spec.routes", [{"path": "/a", "gate": "gratis"}], "spec.routes[0].gate", '"free"'),
        ("spec.routes", [{"path": "/a", "price": {"perRequest": "0"}}], "spec.routes[0].price.perRequest", NOT_ZERO),
        ("spec.registration.chain", "Base Sepolia", "spec.registration.chain", "such as base-sepolia"),
        *[
            ("spec.routes", [{"path": "/a"}, {"path": path}], "spec.routes[1].path", words)
            for path, words in (
                ("*/b", 'must start with "/"'),
                ("/a?b", "such as /report or /files/*"),
                ("/a#b", "such as /report or /files/*"),
                ("/a%2fb", "such as /report or /files/*"),
                ("/a%2Fb", "such as /report or /files/*"),
                ("/a ", "such as /report or /files/*"),
            )
        ],
        ("spec.drainAt", "tomorrow", "spec.drainAt", "date-time"),
        ("spec.type", "dataset", "spec.type", '"inference"'),
        ("spec.paymnt", {}, "spec.paymnt", "unknown field"),
    ],
)
def test_bad_offers_are_refused_with_the_field_and_what_to_do(client, path, value, field, words):
    refusal = try_apply(client, changed(GOOD, path, value))
    assert refusal is not None
    assert f"{field}:" in refusal or f'"{field}"' in refusal, refusal
    assert words in refusal


@pytest.mark.parametrize(
    "base, path, value, field, words",
    [
        (ROUTE, "spec.price", "0", "spec.price", "decimal digits, more than zero"),
        (ROUTE, "spec.price", "0.1", "spec.price", "atomic units"),
        (ROUTE, "spec.price", "-1", "spec.price", "atomic units"),
        (ROUTE, "spec.price", None, "spec.price", "Required"),
        (ROUTE, "spec.network", "base-sepolia", "spec.network", "such as eip155:8453"),
        (ROUTE, "spec.asset", "USDC", "spec.asset", "must be an address"),
        (ROUTE, "spec.payTo", "0x" + "0" * 40, "spec.payTo", "must not be the zero address"),
        (ROUTE, "spec.payTo", "0x1", "spec.payTo", "exactly 40 hexadecimal digits"),
        (ROUTE, "spec.facilitatorURL", "ftp://x", "spec.facilitatorURL", "http or https URL"),
        (ROUTE, "spec.facilitatorURL", None, "spec.facilitatorURL", "Required"),
        (ROUTE, "spec.pattern", "services", "spec.pattern", "such as /services/hello/*"),
        (ROUTE, "spec.pattern", "/a/../*", "spec.pattern", SEGMENTS),
        (ROUTE, "spec.rules", [{"pattern": "/a", "gate": "paid"}], "spec.rules[0]", "a paid rule has a price"),
        (ROUTE, "spec.rules", [{"pattern": "/a", "gate": "free", "price": "1"}], "spec.rules[0]", "a free one has none"),
        (ROUTE, "spec.rules", [{"pattern": "/a", "gate": "paid", "price": "0"}], "spec.rules[0].price", "more than zero"),
        (ROUTE, "spec.rules", [{"pattern": "/a"}], "spec.rules[0].gate", "Required"),
        (ROUTE, "spec.rules", [{"pattern": "/a*", "gate": "free"}], "spec.rules[0].pattern", "as a whole segment only"),
        (ROUTE, "spec.rules", [{"pattern": "/a/", "gate": "free"}], "spec.rules[0].pattern", "must not end with"),
        (REQUEST, "spec.desiredState", "Tombstoned", "spec", "must be Active or Retired"),
        (REQUEST, "spec.registry", "0x1", "spec.registry", "exactly 40 hexadecimal digits"),
        (REQUEST, "spec.agentURI", "example.com", "spec.agentURI", "http or https URL"),
        (REQUEST, "spec.chain", "", "spec", "chain: write the name or the CAIP-2 id of a network"),
        (REQUEST, "spec.name", None, "spec", "name, chain, registry and agentURI are required"),
        (REQUEST, "spec.agentId", "0x16", "spec.agentId", "in decimal digits"),
        (REQUEST, "spec.agentId", "9" * 78, "spec.agentId", "at most 256 bits"),
        (REQUEST, "spec.document", "x" * 8193, "spec.document", "8192"),
    ],
)
def test_bad_children_are_refused(client, base, path, value, field, words):
    refusal = try_apply(client, changed(base, path, value))
    assert refusal is not None
    assert f"{field}:" in refusal and words in refusal, refusal


@pytest.mark.parametrize(
    "base, path, value",
    [
        (ROUTE, "spec.suspended", True),
        (ROUTE, "spec.pattern", "/*"),
        (ROUTE, "spec.rules", [{"pattern": "/a/*", "gate": "free"}, {"pattern": "/b", "gate": "paid", "price": "1"}]),
        (ROUTE, "spec.price", "1" + "0" * 77),
        (REQUEST, "spec.desiredState", "Retired"),
        (REQUEST, "spec.privateKeySecret", {"name": "n", "key": "k"}),
        (REQUEST, "spec.metadata", {"a": "b"}),
        (REQUEST, "spec.agentId", "0"),
        (REQUEST, "spec.document", "x" * 8192),
    ],
)
def test_good_children_are_taken(client, base, path, value):
    assert try_apply(client, changed(base, path, value)) is None


@pytest.fixture
def objects(cluster):
    """A sparse offer and its children, and no others."""
    sparse = copy.deepcopy(GOOD)
    del sparse["spec"]["type"], sparse["spec"]["registration"], sparse["spec"]["upstream"]["healthPath"]
    sparse["spec"]["routes"] = [{"path": "/dear"}]
    cluster.apply([sparse, ROUTE, REQUEST])
    yield
    for short in ("so", "payroute", "rr"):
        names = [each["metadata"]["name"] for each in cluster.get(short, ns=NAMESPACE)["items"]]
        cluster.delete(short, *names, ns=NAMESPACE)


def patch(cluster, kind, name, what, subresource=None):
    cluster.patch(kind, name, what, NAMESPACE, subresource=subresource)


def table(cluster, short):
    """The one row that kubectl shows, by column."""
    # An empty one is only spaces: the header says where each begins.
    header, row = cluster.kubectl("get", short, "-n", NAMESPACE).splitlines()
    names = list(re.finditer(r"\S+", header))
    ends = [name.start() for name in names[1:]] + [len(row)]
    return {name[0]: row[name.start() : end].strip() for name, end in zip(names, ends)}


def test_defaults_are_filled_in(cluster, objects):
    spec = cluster.get("so", "good", NAMESPACE)["spec"]
    assert spec["type"] == "http"
    assert spec["upstream"]["healthPath"] == "/health"
    assert spec["payment"]["scheme"] == "exact"
    assert spec["payment"]["maxTimeoutSeconds"] == 300
    assert spec["payment"]["settlement"] == "beforeResponse"
    assert spec["routes"] == [{"path": "/dear", "gate": "paid"}]
    route = cluster.get("payroute", "good-payment", NAMESPACE)["spec"]
    defaults = {"priceModel": "per-request", "maxTimeoutSeconds": 300, "settlement": "beforeResponse", "suspended": False}
    assert defaults.items() <= route.items()
    without = changed(REQUEST, "spec.desiredState", None)
    without["metadata"]["name"] = "other"
    cluster.apply(without)
    assert cluster.get("rr", "other", NAMESPACE)["spec"]["desiredState"] == "Active"


def test_columns_and_names(cluster, objects):
    condition = {"type": "Admitted", "status": "True", "reason": "Served", "message": "m"}
    ready = condition | {"type": "Ready", "status": "False", "reason": "UpstreamDown"}
    patch(cluster, "payroute", "good-payment", {"status": {"admitted": True, "conditions": [condition]}}, "status")
    patch(cluster, "so", "good", {"status": {"endpoint": "https://a.example/x", "conditions": [ready]}}, "status")
    patch(cluster, "rr", "good-registration", {"status": {"phase": "Confirmed", "agentId": "0"}}, "status")
    for short, columns in (
        (
            "so",
            {
                "NAME": "good",
                "TYPE": "http",
                "PRICE": "0.001",
                "NETWORK": "base-sepolia",
                "READY": "False",
                "REASON": "UpstreamDown",
                "URL": "https://a.example/x",
            },
        ),
        (
            "payroute",
            {
                "NAME": "good-payment",
                "PATTERN": "/services/good/*",
                "PRICE": "1000",
                "NETWORK": "eip155:84532",
                "ADMITTED": "true",
                "REASON": "Served",
            },
        ),
        (
            "rr",
            {
                "NAME": "good-registration",
                "CHAIN": "base-sepolia",
                "STATE": "Active",
                "PHASE": "Confirmed",
                "AGENTID": "0",
            },
        ),
    ):
        row = table(cluster, short)
        assert row.pop("AGE")
        assert row == columns
    assert len(cluster.kubectl("get", "obol", "-n", NAMESPACE, "-o", "name").split()) == 3


def test_the_registrar_gets_its_whole_record_back(cluster, objects):
    record = {
        "operation": "setMetadata",
        "key": "k" * 64,
        "account": x402.SELLER,
        "nonce": 0,
        "attempt": 1,
        "transactionHashes": ["0x" + "1" * 64],
        "rawTransaction": "0x" + "1" * 65534,
        "fromBlock": 0,
        "startedAt": "2026-01-01T00:00:00Z",
        "minedTransaction": "0x" + "1" * 64,
        "minedBlock": 0,
        "minedBlockHash": "0x" + "2" * 64,
    }
    status = {
        "phase": "Submitted",
        "observedGeneration": 1,
        "agentId": "0",
        "writeAhead": record,
        "previousURI": "x" * 65536,
        "sentAt": "2026-01-01T00:00:00Z",
        "changedAt": "2026-01-01T00:00:00Z",
        "failures": 0,
    }
    patch(cluster, "rr", "good-registration", {"status": status}, "status")
    assert cluster.get("rr", "good-registration", NAMESPACE)["status"] == status


def test_a_new_object_shows_empty_columns(cluster, objects):
    assert table(cluster, "so")["READY"] == "" and table(cluster, "payroute")["ADMITTED"] == ""


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
    apis = {role: cluster.role_api(role) for role in ("controller", "verifier", "registrar")}
    for (verb, resource, subresource), roles in writers.items():
        able = {role for role, api in apis.items() if api.may(verb, resource, NAMESPACE, subresource)}
        assert able == roles, (verb, resource, subresource)
    assert not apis["verifier"].may("list", "serviceoffers.obol.org", NAMESPACE)
    assert apis["verifier"].may("watch", "paymentroutes.obol.org", NAMESPACE)


def write(cluster, role, path, what):
    """One PATCH with the role's token. The answer's status and message."""
    url = f"/apis/obol.org/v1alpha1/namespaces/{NAMESPACE}/{path}"
    status, answer = cluster.role_api(role).request("PATCH", url, what, MERGE_PATCH)
    return status, answer.get("message", "")


def test_what_each_token_can_write_in_fact(cluster, objects):
    admitted, price = {"status": {"admitted": True}}, {"spec": {"price": "1"}}
    offer_path, route, request = "serviceoffers/good", "paymentroutes/good-payment", "registrationrequests/good-registration"

    def refused(role, path, what):
        status, message = write(cluster, role, path, what)
        assert status == 403 and "cannot patch resource" in message, message

    refused("verifier", route, price)
    refused("verifier", offer_path, {"spec": {"hostname": "a.example"}})
    refused("verifier", f"{offer_path}/status", {"status": {"phase": "x"}})
    refused("verifier", f"{request}/status", {"status": {"phase": "Confirmed"}})
    refused("controller", f"{route}/status", admitted)
    refused("controller", f"{request}/status", {"status": {"phase": "Confirmed"}})
    refused("registrar", request, {"spec": {"name": "x"}})
    refused("registrar", f"{route}/status", admitted)
    refused("registrar", f"{offer_path}/status", {"status": {"phase": "x"}})

    # Through the status one cannot reach the spec, nor the other way round.
    assert write(cluster, "verifier", f"{route}/status", admitted | price)[0] == 200
    live = cluster.get("payroute", "good-payment", NAMESPACE)
    assert live["status"] == {"admitted": True} and live["spec"]["price"] == "1000"
    assert write(cluster, "controller", route, price | {"status": {"admitted": False}})[0] == 200
    live = cluster.get("payroute", "good-payment", NAMESPACE)
    assert live["status"] == {"admitted": True} and live["spec"]["price"] == "1"
    assert write(cluster, "controller", f"{offer_path}/status", {"status": {"phase": "x"}})[0] == 200
    assert write(cluster, "registrar", f"{request}/status", {"status": {"phase": "Failed"}})[0] == 200


def test_the_status_is_a_subresource(cluster, objects):
    before = cluster.get("so", "good", NAMESPACE)["metadata"]
    patch(cluster, "so", "good", {"status": {"phase": "Ready"}})
    assert "status" not in cluster.get("so", "good", NAMESPACE)
    patch(cluster, "so", "good", {"status": {"phase": "Ready"}, "spec": {"hostname": "a.example"}}, "status")
    after = cluster.get("so", "good", NAMESPACE)
    assert after["status"] == {"phase": "Ready"}
    assert "hostname" not in after["spec"]
    # Only the spec counts generations.
    assert after["metadata"]["generation"] == before["generation"] == 1
    patch(cluster, "so", "good", {"spec": {"hostname": "a.example"}})
    assert cluster.get("so", "good", NAMESPACE)["metadata"]["generation"] == 2
