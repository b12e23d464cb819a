"""The discovery documents, through the gateway as agents and buyers get them: what is sold is listed, and nothing else."""

import datetime
import json
import pathlib
import time

import pytest
import x402
from audit import AuditTail
from cluster import wait_until
from stack import ADDRESS, DISCOVERY_PORT, GATEWAY, NAMESPACE, binary, offer

SERVICES = "/api/services.json"
REGISTRATIONS = "/.well-known/agent-registration.json"
ROUTE = "portitor-discovery"
FILE_TYPE = "https://eips.ethereum.org/EIPS/eip-8004#registration-v1"


@pytest.fixture
def sold(stack):
    """Makes offers and waits until they are sold; they go with the test."""
    made = []

    def make(name, **more):
        made.append(name)
        stack.cluster.apply(offer(name, **more))
        stack.wait_condition(name, "Ready")
        return stack.cluster.get("serviceoffer", name, NAMESPACE)

    yield make
    for name in made:
        stack.cluster.delete("serviceoffer", name, ns=NAMESPACE, missing_ok=True)


def get_json(stack, path):
    answer = stack.get(path)
    assert answer.status == 200, (path, answer.status, answer.body)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    return json.loads(answer.body)


def services(stack):
    """The entries of services.json by name."""
    return {each["name"]: each for each in get_json(stack, SERVICES)["services"]}


def agents(stack):
    return {each["name"]: each for each in get_json(stack, REGISTRATIONS)["agents"]}


def wait_published(stack):
    wait_until(lambda: stack.get(SERVICES).status == 200, 15, "the documents are published")


def wait_listed(stack, name, listed=True, timeout=5):
    wait_until(lambda: (name in services(stack)) == listed, timeout, f"{name} is {'' if listed else 'not '}listed")


def route(stack):
    return stack.cluster.get("httproute", ROUTE, "portitor")


def patch(stack, kind, name, what, namespace=NAMESPACE, subresource=None):
    stack.cluster.patch(kind, name, what, namespace, subresource=subresource)


def document_path(found):
    return f"/.well-known/agent-registration/{found['metadata']['uid']}.json"


def test_an_offer_is_listed_as_it_is_sold_without_a_payment(stack, sold):
    wait_published(stack)
    assert stack.get("/.well-known/agent-registration/no-such-offer.json").status == 404
    assert "listed" not in services(stack)
    found = sold("listed", price="0.0125", registration=True)
    wait_listed(stack, "listed")
    uri = GATEWAY + document_path(found)
    entry = services(stack)["listed"]
    assert entry["asset"].pop("address").lower() == x402.USDC.lower()
    assert entry == {
        "name": "listed",
        "type": "http",
        "endpoint": f"{GATEWAY}/services/listed",
        "description": "the service listed",
        "price": "0.0125",
        "priceAtomicUnits": "12500",
        "priceUnit": "perRequest",
        "priceModel": "per-request",
        "payTo": x402.SELLER,
        "network": "base-sepolia",
        "caip2Network": "eip155:84532",
        "chainId": 84532,
        "asset": {
            "symbol": "USDC",
            "decimals": 6,
            "transferMethod": "eip3009",
            "eip712Domain": {"name": "USDC", "version": "2"},
        },
        "agentURI": uri,
    }
    assert agents(stack)["listed"] == {"name": "listed", "agentURI": uri, "endpoint": entry["endpoint"]}

    # The registrar finds the document at the very URL that it registers.
    wait_until(lambda: stack.cluster.get("registrationrequest", "listed-registration", NAMESPACE), 10, "it is requested")
    request = stack.cluster.get("registrationrequest", "listed-registration", NAMESPACE)
    assert request["spec"]["agentURI"] == uri
    assert get_json(stack, document_path(found)) == {
        "type": FILE_TYPE,
        "name": "listed",
        "description": "the service listed",
        "services": [{"name": "web", "endpoint": entry["endpoint"]}],
        "x402Support": True,
        "active": True,
        "registrations": [],
    }
    # What it sells is behind the gate all the same.
    wait_until(lambda: stack.get("/services/listed/x").status == 402, 10, "the offer itself answers 402")


@pytest.fixture
def no_registrar(stack):
    """Stops the registrar when called; it is there again afterwards."""
    yield lambda: stack.cluster.processes["registrar"].stop(timeout=40)
    if not stack.cluster.processes["registrar"].running:
        stack.start_role("registrar")
        stack.wait_ready("registrar")


def test_an_agents_document_names_its_id_and_says_when_it_ends(stack, sold, no_registrar):
    """The test plays the registrar, who has no chain here."""
    wait_published(stack)
    path = document_path(sold("numbered", registration=True))
    name = "numbered-registration"
    stack.wait_condition("numbered", "Registered")
    assert no_registrar() == 0
    patch(stack, "registrationrequest", name, {"status": {"phase": "Confirmed", "agentId": "0"}}, subresource="status")
    registry = stack.cluster.get("registrationrequest", name, NAMESPACE)["spec"]["registry"]
    expected = {"agentId": 0, "agentRegistry": f"eip155:84532:{registry}"}
    wait_until(lambda: get_json(stack, path)["registrations"] == [expected], 5, "the document names it")
    wait_until(lambda: expected in get_json(stack, REGISTRATIONS)["registrations"], 5, "the list names it")

    # As long as the chain leads to the document it is there.
    stack.cluster.delete("serviceoffer", "numbered", ns=NAMESPACE, wait=False)
    wait_listed(stack, "numbered", listed=False)
    assert expected not in get_json(stack, REGISTRATIONS)["registrations"]
    ending = get_json(stack, path)
    assert (ending["active"], ending["x402Support"], ending["registrations"]) == (False, False, [expected])
    patch(stack, "registrationrequest", name, {"status": {"phase": "Retired"}}, subresource="status")
    wait_until(lambda: stack.get(path).status == 404, 10, "the document has gone with the offer")


def test_a_draining_offer_is_unlisted_and_still_sold(stack, sold):
    wait_published(stack)
    found = sold("draining", registration=True)
    wait_listed(stack, "draining")
    path = document_path(found)
    assert get_json(stack, path)["active"] is True
    # Unlisted at the minute that it names, without any further event.
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=6)
    patch(stack, "serviceoffer", "draining", {"spec": {"drainAt": soon.strftime("%Y-%m-%dT%H:%M:%SZ")}})
    wait_until(lambda: stack.conditions("draining").get("Draining"), 15, "it drains")
    wait_listed(stack, "draining", listed=False, timeout=2)
    assert "draining" not in agents(stack)
    assert get_json(stack, path)["active"] is False
    assert stack.get("/services/draining").status == 402
    patch(stack, "serviceoffer", "draining", {"spec": {"drainAt": None}})
    wait_listed(stack, "draining")
    assert get_json(stack, path)["active"] is True


def test_an_offer_whose_upstream_is_dead_is_unlisted(stack, sold):
    wait_published(stack)
    port = 9017
    command = ["/usr/bin/python3", pathlib.Path(__file__).with_name("upstream.py"), ADDRESS, str(port)]
    upstream = stack.cluster.popen(command, "mortal")
    stack.cluster.service(NAMESPACE, "mortal", port)
    mortal = offer("mortal", service="mortal", registration=True)
    mortal["spec"]["upstream"] |= {"port": port, "healthPath": "/health"}
    stack.cluster.apply(mortal)
    try:
        stack.wait_condition("mortal", "Ready", timeout=30)
        wait_listed(stack, "mortal")
        upstream.stop()
        wait_listed(stack, "mortal", listed=False, timeout=30)
        path = document_path(stack.cluster.get("serviceoffer", "mortal", NAMESPACE))
        assert get_json(stack, path)["active"] is False
        stack.cluster.popen(command, "mortal")
        wait_listed(stack, "mortal", timeout=30)
    finally:
        stack.cluster.delete("serviceoffer", "mortal", ns=NAMESPACE)
        stack.cluster.processes["mortal"].stop()


def test_a_deleted_offer_leaves_no_document(stack, sold):
    wait_published(stack)
    found = sold("leaving", registration=True)
    wait_listed(stack, "leaving")
    assert stack.get(document_path(found)).status == 200
    stack.cluster.delete("serviceoffer", "leaving", ns=NAMESPACE)
    wait_listed(stack, "leaving", listed=False, timeout=2)
    assert "leaving" not in agents(stack)
    answer = stack.get(document_path(found))
    assert answer.status == 404
    assert json.loads(answer.body) == {"error": "not_found"}


def test_a_client_that_has_a_document_gets_304(stack, sold):
    wait_published(stack)
    found = sold("cached", registration=True)
    wait_listed(stack, "cached")
    for path in (SERVICES, REGISTRATIONS, document_path(found)):
        first = stack.get(path)
        tag = first.headers["ETag"]
        assert tag.startswith('"') and tag.endswith('"')
        assert first.headers["Cache-Control"] == "public, max-age=5"
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = stack.get(path, [("If-None-Match", known)])
            assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
        assert stack.get(path, [("If-None-Match", '"other"')]).status == 200
        head = stack.get(path, method="HEAD")
        assert (head.status, head.body, head.headers["ETag"]) == (200, b"", tag)
        assert head.headers["Content-Length"] == str(len(first.body))
        refused = stack.get(path, method="POST")
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
    before = stack.get(SERVICES).headers["ETag"]
    sold("newcomer")
    wait_listed(stack, "newcomer")
    assert stack.get(SERVICES, [("If-None-Match", before)]).status == 200


def test_the_route_is_put_right_when_it_is_deleted_or_edited(stack):
    wait_published(stack)
    first = route(stack)
    service = stack.cluster.get("service", "portitor-controller", "portitor")
    assert [each["uid"] for each in first["metadata"]["ownerReferences"]] == [service["metadata"]["uid"]]

    tail = AuditTail(stack.cluster)
    stack.cluster.delete("httproute", ROUTE, ns="portitor")
    wait_until(lambda: (route(stack) or first)["metadata"]["uid"] != first["metadata"]["uid"], 10, "the route is back", 0.05)
    assert tail.seconds_to_repair("portitor-controller", "httproutes", ROUTE) < 1
    assert route(stack)["spec"] == first["spec"]
    wait_published(stack)

    edits = [
        {"spec": {"hostnames": ["nowhere.example"]}},
        {"spec": {"rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}]}},
        {"metadata": {"labels": None, "ownerReferences": None}},
    ]
    for edit in edits:
        tail = AuditTail(stack.cluster)
        patch(stack, "httproute", ROUTE, edit, "portitor")

        def as_before():
            now = route(stack)
            meta, meant = now["metadata"], first["metadata"]
            return now["spec"] == first["spec"] and all(meta.get(key) == meant[key] for key in ("labels", "ownerReferences"))

        wait_until(as_before, 10, f"{edit} is undone", 0.05)
        assert tail.seconds_to_repair("portitor-controller", "httproutes", ROUTE) < 1
    wait_published(stack)

    # Once it is as it should be nobody writes it any more.
    version = route(stack)["metadata"]["generation"]
    time.sleep(2)
    assert route(stack)["metadata"]["generation"] == version
    since = time.time()
    time.sleep(2)
    writes = [
        event
        for event in stack.cluster.audit_events()
        if event["verb"] in ("patch", "create", "update", "delete")
        and f"/httproutes/{ROUTE}" in event["requestURI"]
        and event["user"]["username"].endswith(":portitor-controller")
        and datetime.datetime.fromisoformat(event["stageTimestamp"]).timestamp() > since
    ]
    assert writes == []


def test_a_replica_that_does_not_lead_serves_the_same(stack, sold):
    wait_published(stack)
    sold("shared", registration=True)
    wait_listed(stack, "shared")
    port, health = 8094, 8095
    command = [
        binary(),
        "--role=controller",
        f"--kubeconfig={stack.cluster.role_kubeconfig('controller')}",
        f"--listen={ADDRESS}:{port}",
        f"--health-listen={ADDRESS}:{health}",
        f"--public-url={GATEWAY}",
        f"--discovery-service=portitor/portitor-controller:{DISCOVERY_PORT}",
        f"--config={stack.config}",
        "--allow-insecure-facilitator",
        "--log-format=json",
    ]
    second = stack.cluster.popen(command, "second-controller", env={"POD_NAME": "second", "POD_UID": "second"})
    try:
        def ask(path):
            try:
                return stack.cluster.http("GET", f"http://{ADDRESS}:{port}{path}")
            except OSError:
                return None

        wait_until(lambda: (ask(SERVICES) or None) and ask(SERVICES).status == 200, 15, "the other one serves")
        for path in (SERVICES, REGISTRATIONS):
            mine, theirs = stack.get(path), ask(path)
            assert (mine.body, mine.headers["ETag"]) == (theirs.body, theirs.headers["ETag"])
        holder = stack.cluster.get("lease", "portitor-controller", "portitor")["spec"]["holderIdentity"]
        assert "second" not in holder
    finally:
        assert second.stop(timeout=20) == 0
