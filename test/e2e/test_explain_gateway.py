"""`portitor explain` says of any HTTPRoute what the live gateway makes of it: hosts, listeners, filters, Middlewares
that are missing, Services that are, and the order among them."""

import base64
import json
import os
import random

import pytest
from cluster import wait_until
from cluster.components import WEB_TLS_PORT
from stack import ADDRESS, GATEWAY, UPSTREAM_PORT, VERIFIER_PORT, offer

NAMESPACE = "routed"
SEED = int(os.environ.get("PORTITOR_SEED", "20261128"))
ROUTES, REQUESTS = (80, 1200) if os.environ.get("PORTITOR_LONG") else (30, 150)
BASES = {"http": GATEWAY, "https": f"https://{ADDRESS}:{WEB_TLS_PORT}"}
ALL = {"allowedRoutes": {"namespaces": {"from": "All"}}}
NAMED = "*.named.example"
HOSTS = ["a.example.com", "b.a.example.com", "other.example", "x.named.example"]
PATHS = ["/r", "/r/a", "/r/a/b", "/r/ab", "/r/c"]


def listeners():
    """Beside the one that is there: for HTTPS, and one with a host of its own on the port of the first."""
    tls = {"certificateRefs": [{"kind": "Secret", "group": "", "name": "tls"}]}
    return [
        {"name": "tls", "protocol": "HTTPS", "port": WEB_TLS_PORT, "tls": tls} | ALL,
        {"name": "named", "protocol": "HTTP", "port": 8000, "hostname": NAMED} | ALL,
        {"name": "closed", "protocol": "HTTP", "port": 8000, "hostname": "other.example"},
    ]


def middleware(name, spec):
    where = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": where, "spec": spec}


def middlewares():
    verifier = f"http://portitor-verifier.portitor.svc:{VERIFIER_PORT}"
    return [
        middleware("gate", {"forwardAuth": {"address": f"{verifier}/verify/{NAMESPACE}/sold"}}),
        middleware("no-such-offer", {"forwardAuth": {"address": f"{verifier}/verify/{NAMESPACE}/nobody"}}),
        middleware("by-path", {"forwardAuth": {"address": f"{verifier}/verify"}}),
        middleware("plain", {"headers": {"customRequestHeaders": {"X-Plain": "1"}}}),
        middleware("chain", {"chain": {"middlewares": [{"name": "plain"}, {"name": "gate"}]}}),
        middleware("torn", {"chain": {"middlewares": [{"name": "gate"}, {"name": "missing"}]}}),
    ]


def through(name):
    ref = {"group": "traefik.io", "kind": "Middleware", "name": name}
    return {"type": "ExtensionRef", "extensionRef": ref}


def some_filters(random_from):
    redirect = {"scheme": "https", "statusCode": random_from.choice([301, 302])}
    steps = [
        through(random_from.choice(["gate", "gate", "chain", "by-path", "plain", "missing", "torn", "no-such-offer"])),
        {"type": "RequestRedirect", "requestRedirect": redirect},
        {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "X-Any", "value": "1"}]}},
        {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "hello", "port": UPSTREAM_PORT}}},
    ]
    weights = [6, 3, 2, 1]
    wanted = random_from.choice([0, 0, 1, 1, 2, 3])
    chosen = []
    while len(chosen) < wanted:
        step = random_from.choices(steps, weights)[0]
        # The schema allows one redirect, and one of each modifier.
        if step["type"] == "ExtensionRef" or step not in chosen:
            chosen.append(step)
    return chosen


def some_backends(random_from, filters):
    good = {"name": "hello", "port": UPSTREAM_PORT}
    if any(each["type"] == "RequestRedirect" for each in filters):
        return []
    return random_from.choice(
        [[good]] * 5
        + [
            [],
            [{"name": "missing", "port": 80}],
            [{"name": "hello", "port": 1}],
            [{"name": "sliceless", "port": 80}],
            [{"name": "unready", "port": 80}],
            [good | {"weight": 0}],
            [good, {"name": "missing", "port": 80}],
            [good | {"namespace": "demo"}],
        ]
    )


def some_match(random_from):
    kind = random_from.choice(["PathPrefix", "PathPrefix", "Exact"])
    match = {"path": {"type": kind, "value": random_from.choice(PATHS)}}
    if random_from.random() < 0.2:
        match["method"] = random_from.choice(["GET", "POST"])
    if random_from.random() < 0.2:
        match["queryParams"] = [{"name": "q", "value": random_from.choice(["1", "x y"])}]
    return match


def some_route(random_from, number):
    rules = []
    for _ in range(random_from.randint(1, 3)):
        filters = some_filters(random_from)
        backends = some_backends(random_from, filters)
        matches = [some_match(random_from) for _ in range(random_from.randint(1, 2))]
        rules.append({"matches": matches, "filters": filters, "backendRefs": backends})
    sections = random_from.choice([[{}]] * 3 + [["web"], ["tls"], ["named"], ["closed"], ["web", "tls"], ["none"], [8000]])
    refs = [{"sectionName": each} if isinstance(each, str) else {"port": each} if each else {} for each in sections]
    hosts = random_from.choice(
        [[], [], ["a.example.com"], ["*.example.com"], ["a.example.com"], ["x.named.example"]]
    )
    # Of a length of its own, so that fewer routes tie.
    hosts = hosts and [*hosts, f"{'x' * (20 + number)}.example"]
    return route(f"random-{number}", rules, refs, hosts)


REDIRECT = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
GOOD = [{"name": "hello", "port": UPSTREAM_PORT}]
# What is to be seen whatever the seed: (filters, backends), and what a request gets, of whom.
CASES = {
    "open": ([], GOOD, ("gateway", None)),
    "redirect": ([REDIRECT], [], ("gateway", 301)),
    "gate-redirect": ([through("gate"), REDIRECT], [], ("outside_route", 403)),
    "redirect-gate": ([REDIRECT, through("gate")], [], ("gateway", 301)),
    "redirect-missing": ([REDIRECT, through("missing")], [], ("gateway", 404)),
    "nothing": ([], [], ("gateway", 503)),
    "no-service": ([], [{"name": "missing", "port": 80}], ("gateway", 500)),
    "gone": ([through("gate"), through("missing")], GOOD, ("gateway", 404)),
    "torn": ([through("torn")], GOOD, ("gateway", 404)),
    "gated": ([through("gate")], GOOD, ("outside_route", 403)),
    "by-path": ([through("by-path")], GOOD, ("unknown_route", 403)),
}


def route(name, rules, parents=({},), hosts=()):
    parent = {"name": "traefik-gateway", "namespace": "traefik"}
    spec = {"parentRefs": [parent | each for each in parents], "rules": rules}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec | ({"hostnames": list(hosts)} if hosts else {}),
    }


def fixed_routes():
    for name, (filters, backends, _) in CASES.items():
        match = {"path": {"type": "Exact", "value": f"/case/{name}"}}
        yield route(name, [{"matches": [match], "filters": filters, "backendRefs": backends}])


def some_request(random_from):
    """(scheme, host, path with query)"""
    path = random_from.choice([*PATHS, "/elsewhere"]) + random_from.choice(["", "", "/", "/a", "/z"])
    query = random_from.choice(["", "", "?q=1", "?q=x+y&q=2", "?q=x%20y", "?q=1;2"])
    return random_from.choice(["http", "http", "https"]), random_from.choice(HOSTS), path + query


@pytest.fixture(scope="module")
def routed(stack):
    cluster = stack.cluster
    # Of the offer's own Service a route without a gate would be a way around it.
    for name in ("hello", "goods"):
        cluster.service(NAMESPACE, name, UPSTREAM_PORT)
    nowhere = {"spec": {"ports": [{"port": 80, "protocol": "TCP"}]}, "apiVersion": "v1", "kind": "Service"}
    for name in ("sliceless", "unready"):
        cluster.apply(nowhere | {"metadata": {"name": name, "namespace": NAMESPACE}})
    cluster.apply(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "unready", "namespace": NAMESPACE, "labels": {"kubernetes.io/service-name": "unready"}},
            "addressType": "IPv4",
            "ports": [{"name": "", "port": 80, "protocol": "TCP"}],
            "endpoints": [{"addresses": [ADDRESS], "conditions": {"ready": False}}],
        }
    )
    sold = offer("sold", price="0.003", namespace=NAMESPACE, service="goods")
    sold["spec"] |= {"path": "/r", "routes": [{"path": "/c/*", "gate": "free"}]}
    cluster.apply([sold, *middlewares()])
    pki = cluster.directory / "pki"
    data = {f"tls.{kind}": base64.b64encode((pki / f"server.{kind}").read_bytes()).decode() for kind in ("crt", "key")}
    where = {"name": "tls", "namespace": "traefik"}
    cluster.apply({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": where, "data": data})
    gateway = cluster.get("gateway", "traefik-gateway", "traefik")
    before = gateway["spec"]["listeners"]
    set_listeners(cluster, before + listeners())
    stack.wait_condition("sold", "Ready", namespace=NAMESPACE)
    random_from = random.Random(SEED)
    routes = [*fixed_routes(), *(some_route(random_from, i) for i in range(ROUTES))]
    for each in routes:
        cluster.apply(each)
    yield
    for each in routes:
        cluster.delete("httproute", each["metadata"]["name"], ns=NAMESPACE)
    set_listeners(cluster, before)
    stack.remove_offers(NAMESPACE)


def set_listeners(cluster, wanted):
    cluster.patch("gateway", "traefik-gateway", {"spec": {"listeners": wanted}}, "traefik")


def answer_of(stack, method, request):
    scheme, host, path = request
    answer = stack.cluster.http(method, BASES[scheme] + path, {"Host": host})
    is_upstream = answer.status == 200 and b'"headers"' in answer.body
    return answer.status, answer.headers["X-Portitor-Route"], is_upstream


def is_as_told(told, answer):
    status, route, is_upstream = answer
    if told["unpaid"] or (told["outcome"], told["status"]) == ("free", 200):
        return is_upstream
    if told["outcome"] in ("gateway", "free"):
        return (status, route) == (told["status"], None) and not is_upstream
    # A route that is not there is nobody's.
    return (status, route) == (told["status"], "" if told["outcome"] == "unknown_route" else told["offer"])


def explained(stack, method, requests):
    urls = [f"{scheme}://{host}{path}" for scheme, host, path in requests]
    done = stack.portitor("explain", "-f", "-", "-o", "json", f"--method={method}", stdin="\n".join(urls))
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def is_certain(told):
    """Where routes tie, or one of several backends fails, the gateway answers now this, now that."""
    remarks = " ".join(told["remarks"])
    return "same priority" not in remarks and "some of its backends" not in remarks and told["outcome"] != "unknown"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_agrees_with_the_gateway_on_any_route(stack, routed, method):
    random_from = random.Random(f"{SEED}-{method}")
    cases = [("http", "a.example.com", f"/case/{name}") for name in CASES]
    requests = cases + [some_request(random_from) for _ in range(REQUESTS)]
    wrong, told = [], []

    def agrees():
        told[:] = explained(stack, method, requests)
        wrong[:] = [
            (request, answer, {key: each[key] for key in ("status", "outcome", "offer", "unpaid", "why")})
            for request, each in zip(requests, told)
            if is_certain(each) and not is_as_told(each, answer := answer_of(stack, method, request))
        ]
        # Before Traefik has taken them all, nobody serves them, and that is told too.
        wrong.extend(
            (name, expected, each["why"])
            for (name, (_, _, expected)), each in zip(CASES.items(), told)
            if (each["outcome"], each["status"]) != expected
        )
        return not wrong

    try:
        wait_until(agrees, 20, "Traefik serves what is there")
    finally:
        assert not wrong, f"seed {SEED}: {wrong[:5]} and {len(wrong)} in all"
    assert sum(map(is_certain, told)) > len(told) / 3, "the routes are worth the test"
