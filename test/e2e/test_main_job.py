"""The main job on real parts: an offer becomes a route, is paid for by real buyers, and goes without a trace."""

import concurrent.futures
import datetime
import json
import threading
import time

import pytest
import registry
import x402
from cluster import wait_until
from on_chain import Operator
from polling import UnpaidPoller
from restarts import Kubelet
from stack import GATEWAY, NAMESPACE, offer

KINDS = ("serviceoffer", "paymentroute", "registrationrequest", "httproute", "middleware")


def required(answer):
    """The two readings of one 402: (v2 requirement, v1 requirement)."""
    v2 = x402.decode_header(answer.headers["PAYMENT-REQUIRED"])
    v1 = json.loads(answer.body)
    assert (v2["x402Version"], v1["x402Version"]) == (2, 1)
    assert len(v2["accepts"]) == len(v1["accepts"]) == 1
    return v2["accepts"][0], v1["accepts"][0]


def assert_requirements(answer, price):
    assert answer.status == 402
    assert answer.headers["Cache-Control"] == "no-store"
    v2, v1 = required(answer)
    assert v2["amount"] == v1["maxAmountRequired"] == str(price)
    assert v2["network"] == x402.NETWORK_V2 and v1["network"] == x402.NETWORK_V1
    for each in (v2, v1):
        assert each["scheme"] == "exact"
        assert each["asset"].lower() == x402.USDC.lower()
        assert each["payTo"].lower() == x402.SELLER.lower()
        assert each["extra"] == {"name": "USDC", "version": "2", "paymentFlow": "upfront"}


def children(stack, name, namespace=NAMESPACE):
    """What exists of an offer, as kubectl names it."""
    found = [
        f"{kind}.{stack.cluster.api.kind(kind).group}/{each['metadata']['name']}"
        for kind in KINDS
        for each in stack.cluster.get(kind, ns=namespace)["items"]
    ]
    return [each for each in found if each.split("/")[1] in (name, f"x402-{name}", f"so-{name}") or f"/{name}-" in each]


def wait_sold(stack, name, path=None, namespace=NAMESPACE):
    stack.wait_condition(name, "Ready", namespace=namespace)
    wait_until(lambda: stack.get(path or f"/services/{name}").status == 402, 30, f"{name} answers 402")


def remove(stack, *names):
    stack.cluster.delete("serviceoffer", *names, ns=NAMESPACE, missing_ok=True)


def audited(stack, since, user, uri_end, stage):
    """When the API server had the first successful write of `user` to a path with that end, in Unix seconds."""
    for event in stack.cluster.audit_events():
        if datetime.datetime.fromisoformat(event[stage]).timestamp() < since:
            continue
        path = event["requestURI"].partition("?")[0]
        writes = event["verb"] in ("create", "patch") and event.get("responseStatus", {}).get("code", 0) < 300
        if event["user"]["username"].endswith(user) and path.endswith(uri_end) and writes:
            return datetime.datetime.fromisoformat(event[stage]).timestamp()
    raise AssertionError(f"{user} has written no {uri_end}")


@pytest.fixture
def operator(stack):
    """The registrar has a key and a chain with a registry; without, as in the other tests, nothing is on chain."""
    with Operator(stack, registry.add_to(stack)) as it:
        yield it


def test_an_offer_is_sold_and_registered_and_leaves_nothing_behind(stack, operator, capsys):
    path = "/services/hello/some/page?x=1"
    since = time.time()
    with UnpaidPoller(stack, path) as poller:
        time.sleep(0.2)
        # With kubectl, as a seller does.
        stack.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(offer("hello", registration=True)))
        wait_until(lambda: poller.first(402), 10, "the path answers 402")
        for kind in ("UpstreamHealthy", "PaymentGateReady", "RoutePublished", "Registered", "Ready"):
            stack.wait_condition("hello", kind)
        assert stack.conditions("hello")["Registered"][1] == "Confirmed"
        agent, = operator.agents()
        told = stack.cluster.get("serviceoffer", "hello", NAMESPACE)["status"]
        assert (told["agentId"], told["registrationTxHash"]) == (str(agent.id), agent.transaction)
        shown = stack.portitor("sell", "status", "hello", "-n", NAMESPACE).stdout
        assert f"agent {agent.id} on base-sepolia, transaction {agent.transaction}" in shown, shown
        listed = stack.cluster.kubectl("get", "registrationrequests", "-n", NAMESPACE, "-o", "wide")
        row, = [line.split() for line in listed.splitlines() if line.startswith("hello-registration ")]
        assert {"Confirmed", str(agent.id), agent.transaction} <= set(row), listed
        document = json.loads(stack.get(agent.uri.removeprefix(GATEWAY)).body)
        assert (document["name"], document["active"]) == ("hello", True)
        assert_requirements(stack.get(path), 1000)

        for version in (2, 1):
            before = stack.chain.balance(x402.SELLER)
            bought = stack.buy(version, path)
            assert bought["status"] == 200, bought
            seen = json.loads(bought["body"])
            assert seen["path"] == "/some/page?x=1"
            assert seen["headers"]["x-payer"] == x402.BUYER.lower()
            assert not {"x-payment", "payment-signature"} & seen["headers"].keys()
            assert stack.chain.balance(x402.SELLER) - before == 1000

            settled = len(stack.chain.settlements())
            again = stack.get(path, [(bought["paymentHeaderName"], bought["paymentHeader"])])
            assert again.status == 409
            assert json.loads(again.body)["error"] == "payment_already_used"
            assert "PAYMENT-REQUIRED" not in again.headers and b"accepts" not in again.body
            assert len(stack.chain.settlements()) == settled

        left = time.monotonic()
        stack.cluster.kubectl("delete", "serviceoffer", "hello", "-n", NAMESPACE, "--timeout=60s")
        gone = time.monotonic()
        wait_until(lambda: stack.get(path).status == 404, 10, "the path answers 404")
        wait_until(lambda: children(stack, "hello") == [], 10, "nothing is left")
        time.sleep(0.2)
    assert operator.chain.uri_of(agent.id).startswith("data:application/json;base64,")
    assert operator.agents() == [agent]
    assert poller.free_rides() == []
    assert poller.answers[0][1] == poller.answers[-1][1] == 404
    created = audited(stack, since, "admin", "/serviceoffers", "requestReceivedTimestamp")
    admitted = audited(stack, since, ":portitor-verifier", "/hello-payment/status", "stageTimestamp")
    with capsys.disabled():
        print(
            f"\n  creation to admitted {1000 * (admitted - created):.0f} ms, "
            f"to the first 402 {1000 * (poller.first(402) - created):.0f} ms (Traefik's throttle is 2 s); "
            f"deleted in {1000 * (gone - left):.0f} ms; unpaid answers {poller.statuses()}\n"
            f"  agent {agent.id} of {agent.owner}, registered by {agent.transaction}"
        )


def test_two_offers_at_once_keep_their_own_prices(stack):
    prices = {"cheap": ("0.001", 1000), "dear": ("0.05", 50000)}
    stack.cluster.apply([offer(name, price) for name, (price, _) in prices.items()])
    try:
        for name in prices:
            wait_sold(stack, name)
        for name, (_, atomic) in prices.items():
            assert_requirements(stack.get(f"/services/{name}/a"), atomic)
            before = stack.chain.balance(x402.SELLER)
            assert stack.buy(2, f"/services/{name}/a")["status"] == 200
            assert stack.chain.balance(x402.SELLER) - before == atomic
        # A payment for the cheap one does not open the dear one.
        v2, _ = required(stack.get("/services/cheap/a"))
        header = x402.sign(stack.scripts, 2, v2)
        assert stack.get("/services/dear/a", [("PAYMENT-SIGNATURE", header)]).status == 402
    finally:
        remove(stack, *prices)


def test_a_new_price_is_the_one_that_is_asked(stack):
    stack.cluster.apply(offer("moving", "0.001"))
    try:
        wait_sold(stack, "moving")
        stack.cluster.apply(offer("moving", "0.002"))
        wait_until(lambda: required(stack.get("/services/moving"))[0]["amount"] == "2000", 10, "the new price is asked")
    finally:
        remove(stack, "moving")


def test_killing_the_controller_fails_no_paid_request(stack):
    def sold(path):
        return stack.cluster.access_log.read_text().count(f'{path} HTTP/1.1" 200')

    stack.cluster.apply(offer("steady"))
    try:
        wait_sold(stack, "steady")
        with x402.PayLoop(stack.scripts, f"{GATEWAY}/services/steady/x", rate=10) as traffic:
            wait_until(lambda: sold("/services/steady/x") > 0, 20, "it is sold")
            for _ in range(3):
                time.sleep(1.5)
                stack.cluster.processes["controller"].kill()
                time.sleep(0.5)
                stack.start_role("controller")
            wait_until(lambda: sold("/services/steady/x") >= 60, 30, "much was sold meanwhile")
        assert traffic.summary["failures"] == []
        assert traffic.summary["ok"] == traffic.summary["sent"] >= 60
        stack.wait_ready("controller")
        stack.wait_condition("steady", "Ready")
    finally:
        remove(stack, "steady")


def test_the_verifier_sells_while_the_api_server_is_away(stack):
    stack.cluster.apply(offer("lonely"))
    try:
        wait_sold(stack, "lonely")
        # A leader that cannot renew its Lease in time ends.
        with Kubelet(stack):
            stack.cluster.processes["apiserver"].kill()
            try:
                assert stack.buy(2, "/services/lonely/x")["status"] == 200
                assert stack.health("verifier", "/readyz").status == 200
            finally:
                stack.cluster.processes["apiserver"].start().wait_ready()
        stack.wait_condition("lonely", "Ready")
        stack.wait_gateway()
    finally:
        remove(stack, "lonely")


def test_nothing_is_given_away_while_the_facilitator_is_down(stack):
    stack.cluster.apply(offer("patient"))
    try:
        wait_sold(stack, "patient")
        v2, _ = required(stack.get("/services/patient/x"))
        header = x402.sign(stack.scripts, 2, v2)
        stack.facilitator.stop()
        try:
            refused = stack.get("/services/patient/x", [("PAYMENT-SIGNATURE", header)])
            assert refused.status == 503
            assert int(refused.headers["Retry-After"]) > 0
            assert "PAYMENT-REQUIRED" not in refused.headers
        finally:
            stack.facilitator.start()
        # The same payment, sent again, is as good as new: nothing had been charged.
        assert stack.get("/services/patient/x", [("PAYMENT-SIGNATURE", header)]).status == 200
        assert stack.get("/services/patient/x", [("PAYMENT-SIGNATURE", header)]).status == 409
    finally:
        remove(stack, "patient")


def test_copies_of_one_payment_at_once_buy_one_answer(stack):
    stack.cluster.apply(offer("crowded"))
    try:
        wait_sold(stack, "crowded")
        v2, _ = required(stack.get("/services/crowded/x"))
        header = x402.sign(stack.scripts, 2, v2)
        before = stack.chain.balance(x402.SELLER)
        start = threading.Barrier(12)

        def send(_):
            start.wait()
            return stack.cluster.http("GET", f"{GATEWAY}/services/crowded/x", [("PAYMENT-SIGNATURE", header)], timeout=30).status

        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            statuses = sorted(pool.map(send, range(12)))
        assert statuses == [200] + [409] * 11
        assert stack.chain.balance(x402.SELLER) - before == 1000
    finally:
        remove(stack, "crowded")


def test_children_deleted_or_edited_by_hand_come_back(stack):
    stack.cluster.apply(offer("mended"))
    try:
        wait_sold(stack, "mended")
        with UnpaidPoller(stack, "/services/mended/x") as poller:
            for kind, name in (("middleware", "x402-mended"), ("httproute", "so-mended"), ("paymentroute", "mended-payment")):
                stack.cluster.delete(kind, name, ns=NAMESPACE)
                wait_until(lambda: stack.cluster.get(kind, name, NAMESPACE), 5, f"{name} is back")
            stack.cluster.patch("paymentroute", "mended-payment", {"spec": {"price": "1"}}, NAMESPACE)
            wait_until(
                lambda: stack.cluster.get("paymentroute", "mended-payment", NAMESPACE)["spec"]["price"] == "1000",
                5,
                "the price is put right",
            )
            wait_sold(stack, "mended")
        assert poller.free_rides() == []
    finally:
        remove(stack, "mended")


def test_a_dead_upstream_is_not_sold(stack):
    stack.cluster.service(NAMESPACE, "dead", 9999)
    dead = offer("unlucky", service="dead")
    dead["spec"]["upstream"]["port"] = 9999
    stack.cluster.apply(dead)
    try:
        stack.wait_condition("unlucky", "UpstreamHealthy", "False")
        wait_until(lambda: stack.get("/services/unlucky").status == 503, 30, "nobody is asked to pay")
        assert stack.conditions("unlucky")["Ready"][0] == "False"
    finally:
        remove(stack, "unlucky")


def test_offers_that_cannot_be_priced_say_so_and_are_never_free(stack):
    """What the schema lets through and only the operator's networks can judge."""
    bad = {
        "fine-grained": (offer("fine-grained", "0.0000001"), "InvalidPrice"),
        "nowhere": (offer("nowhere", network="base-sepola"), "UnknownNetwork"),
        "unbacked": (offer("unbacked", facilitator="unheard-of"), "UnknownFacilitator"),
    }
    stack.cluster.apply(offer("innocent"))
    try:
        wait_sold(stack, "innocent")
        with UnpaidPoller(stack, "/services/fine-grained/x") as poller:
            stack.cluster.apply([each for each, _ in bad.values()])
            for name, (_, reason) in bad.items():
                stack.wait_condition(name, "PaymentGateReady", "False")
                status, why, message = stack.conditions(name)["Ready"]
                assert (status, why) == ("False", reason)
                assert message
                assert stack.get(f"/services/{name}/x").status == 404
            assert_requirements(stack.get("/services/innocent"), 1000)
        assert poller.free_rides() == []
        # A good offer that is made bad by an edit is taken down, not left at its old terms, and comes back.
        stack.cluster.apply(offer("innocent", "0.0000001"))
        wait_until(lambda: stack.get("/services/innocent").status == 404, 10, "the route is taken down")
        stack.cluster.apply(offer("innocent", "0.003"))
        wait_sold(stack, "innocent")
        assert_requirements(stack.get("/services/innocent"), 3000)
    finally:
        remove(stack, "innocent", *bad)


def test_an_encoded_way_out_of_a_free_path_is_refused(stack):
    mixed = offer("mixed")
    mixed["spec"]["routes"] = [{"path": "/free/*", "gate": "free"}, {"path": "/dear", "price": {"perRequest": "0.05"}}]
    stack.cluster.apply(mixed)
    try:
        wait_sold(stack, "mixed")
        assert stack.get("/services/mixed/free/page").status == 200
        assert_requirements(stack.get("/services/mixed/dear"), 50000)
        assert_requirements(stack.get("/services/mixed/other"), 1000)
        for way in ("free/..%2Fdear", "free/..%2fdear", "free/%2E%2E%2Fdear", "..%2Fother", "free%2F..%2Fdear", "free/a;x"):
            assert stack.get(f"/services/mixed/{way}").status in (400, 403), way
        for way in ("free/../dear", "free/%2e%2e/dear", "free//../dear"):
            assert stack.get(f"/services/mixed/{way}").status == 402, way
        # A word that an upstream may take for ours does not get past.
        assert b"0x1" not in stack.get("/services/mixed/free/page", [("X_Payer", "0x1")]).body
    finally:
        remove(stack, "mixed")


def test_a_namespace_goes_with_its_offers(stack):
    stack.cluster.service("fleeting", "hello", 9000)
    stack.cluster.apply(offer("guest", namespace="fleeting", registration=True))
    stack.wait_condition("guest", "Ready", namespace="fleeting")
    stack.cluster.delete("namespace", "fleeting", timeout=90)
    assert stack.cluster.get("namespace", "fleeting") is None
    wait_until(lambda: stack.get("/services/guest").status == 404, 10, "the path answers 404")


def test_at_rest_nothing_is_written(stack):
    stack.cluster.apply(offer("resting", registration=True))
    try:
        wait_sold(stack, "resting")
        stack.wait_condition("resting", "Registered")
        time.sleep(2)
        before = len(stack.cluster.audit_events())
        time.sleep(10)
        writes = [
            (event["user"]["username"], event["verb"], event["requestURI"])
            for event in stack.cluster.audit_events()[before:]
            if event["verb"] not in ("get", "list", "watch") and ":portitor-" in event["user"]["username"]
        ]
        assert [each for each in writes if "/leases/" not in each[2]] == []
    finally:
        remove(stack, "resting")
