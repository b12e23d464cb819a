"""Sellers who would take what is another's, with the rights of their own namespace, on the real API server and Traefik."""

import json
import sys
import threading
import time

import pytest
from cluster import wait_until
from stack import ADDRESS, GATEWAY, NAMESPACE, offer
from test_conflicts import by_hand, delete, placed
from test_main_job import wait_sold

# To Traefik, Service "two-hello" of the one and "hello" of the other are one.
HOSTILE, VICTIM = "clash", "clash-two"
HOSTILE_PORT = 9177
ANSWERS = """
import http.server, sys, time
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path.startswith("/slow"):
            time.sleep(3)
        body = b"the hostile seller's"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Answer).serve_forever()
"""


def hostile_service(stack, name, port=9000):
    """A Service of the hostile seller's that leads to a server of his own."""
    stack.cluster.service(HOSTILE, name, port)
    led_to = {"ports": [{"name": "", "port": HOSTILE_PORT, "protocol": "TCP"}]}
    stack.cluster.patch("endpointslice", name, led_to, ns=HOSTILE)


@pytest.fixture(scope="module")
def two(stack):
    command = [sys.executable, "-c", ANSWERS, ADDRESS, str(HOSTILE_PORT)]
    process = stack.cluster.popen(command, "hostile-upstream")
    stack.cluster.service(VICTIM, "hello", 9000)
    hostile_service(stack, "two-hello")
    hostile_service(stack, "plain")
    yield stack
    for namespace in (HOSTILE, VICTIM):
        stack.remove_offers(namespace)
    process.stop()


def reason_of(stack, name, namespace, kind="RoutePublished"):
    return stack.conditions(name, namespace).get(kind, ("", "", ""))[1]


def wait_reason(stack, name, namespace, reason):
    wait_until(lambda: reason_of(stack, name, namespace) == reason, 15, f"{namespace}/{name} is {reason}")


def body_of(stack, path):
    bought = stack.buy(2, path)
    assert bought["status"] == 200
    return bought["body"]


def test_a_service_of_the_same_name_for_the_gateway_answers_for_nobody(two):
    """Neither gets the other's buyers, nor the other's Service for his own price."""
    dear = offer("dear", "0.009", namespace=VICTIM)
    cheap = offer("cheap", "0.001", namespace=HOSTILE, service="two-hello")
    two.cluster.apply(dear)
    try:
        two.wait_condition("dear", "Ready", namespace=VICTIM)
        two.cluster.apply(cheap)
        wait_reason(two, "cheap", HOSTILE, "NameClash")
        time.sleep(3)
        assert two.conditions("dear", VICTIM)["Ready"][0] == "True"
        for _ in range(3):
            assert json.loads(body_of(two, "/services/dear/page"))["path"] == "/page"
        assert two.get("/services/cheap").status == 404
        # A restart does not settle it otherwise, nor does an edit of the younger one.
        two.cluster.apply(offer("cheap", "0.002", namespace=HOSTILE, service="two-hello"))
        time.sleep(1)
        assert reason_of(two, "cheap", HOSTILE) == "NameClash"
        assert two.conditions("dear", VICTIM)["Ready"][0] == "True"
        # And once the name is free, it is sold.
        two.cluster.delete("serviceoffer", "dear", ns=VICTIM)
        two.wait_condition("cheap", "Ready", namespace=HOSTILE)
    finally:
        two.remove_offers(HOSTILE)
        two.remove_offers(VICTIM)


def test_an_older_offer_that_moves_to_such_a_service_keeps_nobody_off_the_market(two):
    two.cluster.apply(offer("mover", "0.001", namespace=HOSTILE, service="plain"))
    try:
        two.wait_condition("mover", "Ready", namespace=HOSTILE)
        time.sleep(1.1)
        two.cluster.apply(offer("dear", "0.009", namespace=VICTIM))
        two.wait_condition("dear", "Ready", namespace=VICTIM)
        two.cluster.apply(offer("mover", "0.001", namespace=HOSTILE, service="two-hello"))
        wait_reason(two, "mover", HOSTILE, "NameClash")
        time.sleep(3)
        assert two.conditions("dear", VICTIM)["Ready"][0] == "True"
        assert json.loads(body_of(two, "/services/dear/page"))["path"] == "/page"
    finally:
        two.remove_offers(HOSTILE)
        two.remove_offers(VICTIM)


def test_a_route_to_such_a_service_withholds_the_offer_rather_than_sell_something_else(two):
    two.cluster.apply(offer("dear", "0.009", namespace=VICTIM))
    try:
        two.wait_condition("dear", "Ready", namespace=VICTIM)
        two.cluster.apply(by_hand("free", "/free", service="two-hello", namespace=HOSTILE))
        wait_reason(two, "dear", VICTIM, "NameClash")
        wait_until(lambda: two.get("/services/dear").status == 404, 10, "it is taken down")
        delete(two, "httproute", "free", HOSTILE)
        two.wait_condition("dear", "Ready", namespace=VICTIM)
        # A route that may not lead to such a Service is nothing to the gateway, nor here.
        stranger = by_hand("free", "/free", service="two-hello", namespace="strangers", backend_namespace=HOSTILE)
        two.cluster.service("strangers", "any", 9000)
        two.cluster.apply(stranger)
        time.sleep(2)
        assert two.conditions("dear", VICTIM)["Ready"][0] == "True"
    finally:
        delete(two, "httproute", "free", HOSTILE)
        delete(two, "httproute", "free", "strangers")
        two.remove_offers(VICTIM)


def test_a_middleware_of_the_same_name_for_the_gateway_gives_nothing_away(two):
    stack = two
    stack.cluster.apply(offer("dear", "0.009", namespace=VICTIM))
    nothing = {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "Middleware",
        "metadata": {"name": "two-x402-dear", "namespace": HOSTILE},
        "spec": {"headers": {"customRequestHeaders": {"X-Nothing": "1"}}},
    }
    try:
        stack.wait_condition("dear", "Ready", namespace=VICTIM)
        stack.cluster.apply(nothing)
        wait_reason(stack, "dear", VICTIM, "NameClash")
        wait_until(lambda: stack.get("/services/dear").status == 404, 10, "it is taken down")
        delete(stack, "middleware", "two-x402-dear", HOSTILE)
        stack.wait_condition("dear", "Ready", namespace=VICTIM)
        wait_until(lambda: stack.get("/services/dear").status == 402, 10, "it is sold again")
    finally:
        delete(stack, "middleware", "two-x402-dear", HOSTILE)
        stack.remove_offers(VICTIM)


def test_who_may_not_have_a_host_claims_nothing_there_while_his_old_route_stays(stack):
    """Not even where somebody's finalizer holds that route, so that it stays published at its old place."""
    stack.cluster.service("squatters", "hello", 9000)
    stack.cluster.apply(placed("older", "/squat/own", namespace="squatters"))
    try:
        stack.wait_condition("older", "Ready", namespace="squatters")
        stack.cluster.patch("httproute", "so-older", {"metadata": {"finalizers": ["example.com/kept"]}}, ns="squatters")
        time.sleep(1.1)
        stack.cluster.apply(placed("owner", "/squat/theirs", "squat.example.com"))
        stack.wait_condition("owner", "Ready")
        bad = placed("older", "/squat/theirs", "squat.example.com", namespace="squatters")
        bad["spec"]["payment"]["network"] = "nowhere"
        stack.cluster.apply(bad)
        time.sleep(2)
        assert stack.conditions("owner")["Ready"][0] == "True"
        assert stack.cluster.get("httproute", "so-owner", NAMESPACE)
    finally:
        if stack.cluster.get("httproute", "so-older", "squatters"):
            stack.cluster.patch("httproute", "so-older", {"metadata": {"finalizers": None}}, ns="squatters")
        stack.remove_offers("squatters")
        stack.remove_offers(NAMESPACE)


def test_a_buyer_is_under_the_limit_whatever_host_he_writes(two):
    stack = two
    few = placed("few", "/few", namespace=HOSTILE)
    few["spec"]["upstream"]["service"] = "plain"
    few["spec"]["limits"] = {"maxInFlight": 2}
    few["spec"]["routes"] = [{"path": "/slow", "gate": "free"}]
    stack.cluster.apply(few)
    try:
        stack.wait_condition("few", "Ready", namespace=HOSTILE)
        wait_until(lambda: stack.get("/few/slow").status == 200, 20, "it answers")
        seen = []

        def ask(host):
            seen.append(stack.cluster.http("GET", GATEWAY + "/few/slow", [("Host", host)], timeout=10).status)

        asking = [threading.Thread(target=ask, args=(f"{ADDRESS}:{8000 + i}",)) for i in range(8)]
        for each in asking:
            each.start()
        for each in asking:
            each.join()
        assert sorted(seen) == [200, 200] + [429] * 6
    finally:
        stack.remove_offers(HOSTILE)


def test_no_header_says_another_method_than_a_route_is_for(stack):
    held = placed("held", "/held")
    held["spec"]["routes"] = [{"path": "/page", "gate": "free", "methods": ["GET", "POST"]}]
    stack.cluster.apply(held)
    try:
        stack.wait_condition("held", "Ready")
        wait_until(lambda: stack.get("/held/page").status == 200, 10, "it answers")
        names = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "x_http_method_override", "X-Method"]
        answer = stack.get("/held/page", [(name, "DELETE") for name in names], method="POST")
        assert answer.status == 200
        assert not [name for name in json.loads(answer.body)["headers"] if "method" in name and "forwarded" not in name]
    finally:
        stack.remove_offers(NAMESPACE)
