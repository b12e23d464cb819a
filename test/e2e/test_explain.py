"""`portitor explain` says of any URL what the live gateway and the live verifier say."""

import json
import os
import random

import pytest
from cluster import wait_until
from stack import ADDRESS, GATEWAY, VERIFIER_PORT, offer

NAMESPACE = "explained"
SEED = int(os.environ.get("PORTITOR_SEED", "20261128"))
NOBODY = 9  # a port where nobody listens
COUNT = 400 if os.environ.get("PORTITOR_LONG") else 150


def market():
    """Offers whose paths lie beside each other and whose rules overlap."""
    shop = offer("shop", price="0.001", namespace=NAMESPACE)
    shop["spec"]["path"] = "/x/shop"
    shop["spec"]["routes"] = [
        {"path": "/", "gate": "free"},
        {"path": "/docs/*", "gate": "free"},
        {"path": "/docs/secret", "gate": "paid", "price": {"perRequest": "0.2"}},
        {"path": "/*/report", "gate": "paid", "price": {"perRequest": "0.03"}},
        {"path": "/a/*", "gate": "paid", "price": {"perRequest": "0.004"}},
    ]
    shopping = offer("shopping", price="0.05", namespace=NAMESPACE)
    shopping["spec"]["path"] = "/x/shopping"
    hosted = offer("hosted", price="0.6", namespace=NAMESPACE)
    hosted["spec"] |= {"path": "/x/hosted", "hostname": "elsewhere.example.com"}
    down = offer("down", price="0.7", namespace=NAMESPACE, service="nobody")
    down["spec"]["path"] = "/x/down"
    down["spec"]["upstream"]["port"] = NOBODY
    return [shop, shopping, hosted, down]


@pytest.fixture(scope="module")
def sold(stack):
    stack.cluster.service(NAMESPACE, "hello", 9000)
    stack.cluster.service(NAMESPACE, "nobody", NOBODY)
    for each in market():
        stack.cluster.apply(each)
    for name in ("shop", "shopping"):
        stack.wait_condition(name, "Ready", namespace=NAMESPACE)
    for path in ("/x/shop/paid", "/x/shopping"):
        wait_until(lambda path=path: stack.get(path).status == 402, 10, f"{path} answers 402")
    wait_until(lambda: stack.get("/x/down").status == 503, 40, "what is down is not sold")
    yield
    stack.remove_offers(NAMESPACE)


def some_path(random_from):
    pieces = [
        "x", "shop", "shopping", "hosted", "docs", "secret", "a", "report", "Shop", "..", ".", "", "%2e%2e", "..%2F",
        "a%2Fb", "a;b=1", "%64ocs", "docs%00", "a%5Cb", "a%25b", "ü", "a b", "%zz", "%", "a+b", "x" * 300, "~", "%7e",
        "^", "(y)!", 'q"', "a|b", "[x]", "..%5C", "ü%2Fdocs",
    ]  # fmt: skip
    begin = random_from.choice(["/x/shop", "/x/shop", "/x/shopping", "/x/hosted", "/x/down", "/x", "", "/X/shop"])
    rest = [random_from.choice(pieces) for _ in range(random_from.randint(0, 4))]
    path = "/".join([begin, *rest]) if rest else begin
    query = random_from.choice(["", "", "", "?a=1", "?x=/x/shop/docs", "?", "?a=%2F.."])
    return (path or "/") + query


def sendable(path):
    """As curl puts it on its request line: only what cannot stand there is escaped."""
    return path.replace(" ", "%20")


def said_by_gateway(stack, method, path):
    answer = stack.cluster.http(method, GATEWAY + sendable(path))
    price = json.loads(answer.body)["accepts"][0]["maxAmountRequired"] if answer.status == 402 and answer.body else None
    # Only what refuses says its route to the client: what is granted is the service's own answer.
    return answer.status, answer.headers["X-Portitor-Route"], price


def said_by_verifier(stack, method, told, query):
    """The same of the verifier itself, asked as the gateway asks it."""
    headers = {
        "X-Forwarded-Uri": told["path"] + query,
        "X-Forwarded-Method": method,
        "X-Forwarded-Host": told["host"],
        "X-Forwarded-Proto": "http",
    }
    answer = stack.cluster.http("GET", f"http://{ADDRESS}:{VERIFIER_PORT}/verify/{told['offer']}", headers)
    price = json.loads(answer.body)["accepts"][0]["maxAmountRequired"] if answer.status == 402 else None
    return answer.status, answer.headers["X-Portitor-Route"], price


def explained(stack, method, paths):
    done = stack.portitor("explain", "-f", "-", "-o", "json", f"--method={method}", stdin="\n".join(paths))
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_it_agrees_with_the_gateway_on_any_path(stack, sold, method):
    random_from = random.Random(f"{SEED}-{method}")
    paths = [some_path(random_from) for _ in range(COUNT)]
    told = explained(stack, method, paths)
    assert len(told) == len(paths)
    wrong = []
    for path, each in zip(paths, told):
        status, route, price = said_by_gateway(stack, method, path)
        if each["outcome"] == "free":
            # The service answers what it likes; the gate let it pass.
            agrees = route is None and status not in (402, 403, 503)
        elif each["outcome"] == "gateway":
            agrees = route is None and status == each["status"]
        else:
            charge = each["charge"] or {}
            agrees = (status, route, price) == (each["status"], each["offer"] or None, charge.get("amount") or None)
        if each["bound"]:
            query = path[path.find("?") :] if "?" in path else ""
            direct = said_by_verifier(stack, method, each, query)
            amount = (each["charge"] or {}).get("amount") or None
            agrees = agrees and direct == (each["status"], each["offer"], amount)
        if not agrees:
            wrong.append((path, (status, route, price), each["status"], each["outcome"], each["offer"], each["why"]))
    assert not wrong, f"seed {SEED}: {wrong[:5]} and {len(wrong)} in all"
    seen = {each["outcome"] for each in told}
    assert {"free", "payment_required", "gateway", "bad_request", "suspended"} <= seen, "the paths are worth the test"


def test_it_tells_a_seller_what_applies_and_why(stack, sold):
    done = stack.portitor("explain", f"{GATEWAY}/x/shop/docs/secret?a=1", "--show-402")
    assert done.returncode == 0, done.stderr
    assert "402, and 0.2 USDC on Base Sepolia buys it" in done.stdout
    assert "/docs/secret, the most specific of the offer's rules that holds this path" in done.stdout
    assert "HTTPRoute explained/so-shop, rules[0] (PathPrefix /x/shop)" in done.stdout
    assert "settings: the ConfigMap portitor/portitor-config" in done.stdout
    assert "the query decides neither route nor price" in done.stdout
    shown = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("  {")))
    assert shown == json.loads(stack.get("/x/shop/docs/secret").body)


def test_another_host_is_another_offer_s(stack, sold):
    def of(url):
        return json.loads(stack.portitor("explain", url, "-o", "json").stdout)[0]

    assert of("http://elsewhere.example.com/x/hosted/docs/a")["offer"] == f"{NAMESPACE}/hosted"
    assert of("/x/shop/docs/a")["offer"] == f"{NAMESPACE}/shop"
    assert of("/x/hosted")["status"] == 404
    assert of("/nothing/here")["status"] == 404
    nowhere = stack.portitor("explain", "nonsense")
    assert nowhere.returncode == 2 and "write a URL such as" in nowhere.stderr


def test_a_way_around_the_gate_is_said_to_be_one(stack, sold):
    wide = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "wide-open", "namespace": NAMESPACE},
        "spec": {
            "parentRefs": [{"name": "traefik-gateway", "namespace": "traefik"}],
            "rules": [
                {
                    "matches": [{"path": {"type": "Exact", "value": "/x/elsewhere"}}],
                    "backendRefs": [{"name": "hello", "port": 9000}],
                }
            ],
        },
    }
    stack.cluster.apply(wide)
    try:
        wait_until(lambda: stack.get("/x/elsewhere").status != 404, 10, "Traefik serves it")
        told = json.loads(stack.portitor("explain", "/x/elsewhere", "-o", "json").stdout)[0]
        assert told["unpaid"] and "explained/wide-open" in told["why"]
        assert "passes WITHOUT payment" in stack.portitor("explain", "/x/elsewhere").stdout
    finally:
        stack.cluster.delete("httproute", "wide-open", ns=NAMESPACE)
