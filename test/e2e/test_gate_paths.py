"""Odd paths and headers through the real Traefik: what the gate is asked, what it says, and what the upstream sees.

The lines are those that were seen on Traefik 3.6: see test_the_gate_and_the_upstream_read_a_path_alike.
"""

import json
import socket

import pytest
from cluster import wait_until
from stack import ADDRESS, NAMESPACE, offer

FREE = "free"
PAID = 402


@pytest.fixture(scope="module")
def echo(stack):
    """An offer with free paths and paid ones."""
    made = offer("echo")
    made["spec"]["routes"] = [
        {"path": "/public/*", "gate": "free"},
        {"path": "/dear", "gate": "paid", "price": {"perRequest": "0.05"}},
    ]
    stack.cluster.apply(made)
    stack.wait_condition("echo", "Ready")
    wait_until(lambda: stack.get("/services/echo").status == 402, 10, "echo answers 402")
    yield "/services/echo"
    stack.cluster.delete("serviceoffer", "echo", ns=NAMESPACE)


def seen(answer):
    """What the upstream was asked, from its own words; nothing where it was not."""
    return json.loads(answer.body) if answer.status == 200 else None


def price(answer):
    return json.loads(answer.body)["accepts"][0]["maxAmountRequired"]


@pytest.mark.parametrize(
    "path, expected",
    [
        # Traefik resolves these before it asks: a free path stays free, a paid one paid.
        ("/services/echo/public/a", "/public/a"),
        ("/services/echo//public/a", "/public/a"),
        ("//services/echo/public/a", "/public/a"),
        ("/services/./echo/public/a", "/public/a"),
        ("/services/echo/x/../public/a", "/public/a"),
        ("/services/echo/%70ublic/%61", "/public/a"),
        ("/services/%65cho/public/a", "/public/a"),
        ("/services/echo/public/a%20b", "/public/a%20b"),
        ("/services/echo/public/a%3Fq=1", "/public/a%3Fq=1"),
        ("/services/echo/public/a+b", "/public/a+b"),
        ("/services/echo/public/%C3%BC", "/public/%C3%BC"),
        ("/services/echo/public/a%252Fb", "/public/a%252Fb"),
        ("/services/echo/public/%2e%2e/paid", PAID),
        ("/services/echo/public/.%2e/paid", PAID),
        ("/services/echo/public/../paid", PAID),
        ("/services/echo/a", PAID),
        ("/services/echo", PAID),
        ("/services/echo/", PAID),
        # What is below is free, and only that.
        ("/services/echo/public", PAID),
        ("/services/echo/public/", PAID),
        ("/services/echo/public/x/..", PAID),
        ("/services/echo/Public/a", PAID),
        ("/services/echo/publicx/a", PAID),
        # Traefik hands the decoded and cleaned path to the upstream: another rule's, or another place.
        ("/services/echo/public/..%2Fpaid", 400),
        ("/services/echo/public/%2E%2E%2Fpaid", 400),
        ("/services/echo/..%2Fother", 400),
        ("/services/echo/..%2F..%2F..%2Fother", 400),
        ("/services/echo/a%2F..%2F", 400),
        ("/services/echo/public/a%2Fb", 400),
        ("/services/echo/public%2Fa", 400),
        ("/services/echo/public/a%5Cb", 400),
        ("/services/echo/public/a%00b", 400),
        # Not UTF-8.
        ("/services/echo/public/%c0%ae%c0%ae/paid", 400),
        ("/services/echo/public/%ff", 400),
        # Some servers cut parameters off.
        ("/services/echo/public/a;b=1", 400),
        ("/services/echo/public/a%3Bb", 400),
        ("/services/echo/public/..;/paid", 400),
        ("/services/echo/public/..%3B/paid", 400),
        # Traefik's own, the gate is not asked.
        ("/services/echo%2Fpublic/a", 404),
        ("/services%2Fecho/public/a", 404),
        ("/services/echo;x/public/a", 404),
        ("/services/echox", 404),
        ("/Services/echo/public/a", 404),
        ("/services/echo/public/a%zz", 400),
        ("/services/echo/public/a#f", 400),
    ],
)
def test_the_gate_and_the_upstream_read_a_path_alike(stack, echo, path, expected):
    answer = stack.get(path)
    if isinstance(expected, int):
        assert answer.status == expected, answer
        assert seen(answer) is None
    else:
        assert answer.status == 200, answer
        assert seen(answer)["path"] == expected
    # The answer is the gate's own wherever it was asked.
    if answer.status == 402:
        assert answer.headers["X-Portitor-Route"] == f"{NAMESPACE}/echo"


def test_a_request_in_absolute_form_is_read_like_others(stack, echo):
    with stack.cluster.connect(ADDRESS, 8000, 5) as line:
        target = f"http://{ADDRESS}:8000{echo}/public/a"
        line.sendall(f"GET {target} HTTP/1.1\r\nHost: {ADDRESS}:8000\r\nConnection: close\r\n\r\n".encode())
        answer = line.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"path": "/public/a"' in answer


def test_an_asterisk_and_no_host_do_not_reach_the_gate(stack, echo):
    for request in (
        f"GET * HTTP/1.1\r\nHost: {ADDRESS}:8000\r\nConnection: close\r\n\r\n",
        f"GET {echo}/public/a HTTP/1.1\r\nConnection: close\r\n\r\n",
    ):
        with stack.cluster.connect(ADDRESS, 8000, 5) as line:
            line.sendall(request.encode())
            answer = line.makefile("rb").read()
        assert answer.split(b" ", 2)[1] in (b"400", b"404"), answer


def test_rules_decide_the_price(stack, echo):
    assert price(stack.get(echo + "/a")) == "1000"
    assert price(stack.get(echo + "/dear")) == "50000"
    assert price(stack.get(echo + "/dear?cheap=1")) == "50000"
    assert price(stack.get(echo + "/public/../dear")) == "50000"


@pytest.mark.parametrize(
    "name, value",
    [
        ("X-Forwarded-Uri", "/services/echo/public/a"),
        ("X-Forwarded-Host", "elsewhere.example"),
        ("X-Forwarded-Method", "OPTIONS"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Real-Ip", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1;host=elsewhere.example"),
        ("X-Original-Uri", "/services/echo/public/a"),
        ("X-Rewrite-Url", "/services/echo/public/a"),
    ],
)
def test_what_a_client_says_of_forwarding_changes_nothing(stack, echo, name, value):
    answer = stack.get(echo + "/a", [(name, value)])
    assert answer.status == 402
    assert price(answer) == "1000"
    assert b"elsewhere" not in answer.body


@pytest.mark.parametrize(
    "name",
    ["X_Payer", "X.Payer", "X_Payment_Payer", "X_forwarded_uri", "X-Forwarded_Uri", "X_Payment", "x_payment_status"],
)
@pytest.mark.parametrize("path", ["/a", "/public/a"])
def test_aliases_of_headers_that_are_vouched_for_end_at_the_gateway(stack, echo, name, path):
    answer = stack.get(echo + path, [(name, "forged"), ("X_Custom", "kept")])
    if path == "/a":
        assert answer.status == 402
        return
    headers = seen(answer)["headers"]
    assert "forged" not in headers.values()
    assert headers["x_custom"] == "kept"
    assert headers["x-forwarded-host"]


def test_cookies_and_authorization_go_to_the_upstream_and_not_to_the_gate(stack, echo):
    # More than the verifier takes of headers: it would answer 431.
    large = [("Cookie", f"a={'x' * 40_000}"), ("X-Large", "y" * 40_000), ("Authorization", "Bearer of-the-buyer")]
    headers = seen(stack.get(echo + "/public/a", large))["headers"]
    assert headers["authorization"] == "Bearer of-the-buyer"
    assert len(headers["cookie"]) > 40_000
    assert stack.get(echo + "/a", large).status == 402


def test_no_cache_keeps_the_answers_of_an_offer_that_sells(stack, echo):
    answer = stack.get(echo + "/public/a")
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "CDN-Cache-Control" not in answer.headers
    assert stack.get(echo + "/a").headers["Cache-Control"] == "no-store"


def test_forged_identities_never_reach_the_upstream(stack, echo):
    forged = [
        (name, "forged")
        for name in (
            "X-Payer",
            "X-Payment-Payer",
            "X-Payment-Status",
            "X-Payment-Tx",
            "X-Payment-Response",
            "Payment-Response",
            "X-Verified-Wallet",
        )
    ]
    headers = seen(stack.get(echo + "/public/a", forged))["headers"]
    assert "forged" not in headers.values()
    assert headers.get("x-payment-status") == "free"


def test_two_payments_at_once_are_refused(stack, echo):
    assert stack.get(echo + "/a", [("X-Payment", "e30="), ("X-Payment", "e30=")]).status == 400
    assert stack.get(echo + "/a", [("X-Payment", "e30="), ("Payment-Signature", "e30=")]).status == 400
    assert stack.get(echo + "/a", [("X-Payment", "e30=")]).status == 400
    # Traefik strips what Connection names.
    assert stack.get(echo + "/a", [("X-Payment", "e30="), ("Connection", "X-Payment")]).status == 402


@pytest.mark.parametrize("method", ["HEAD", "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_every_method_costs(stack, echo, method):
    answer = stack.get(echo + "/a", method=method)
    assert answer.status == 402
    assert "PAYMENT-REQUIRED" in answer.headers
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    if method != "HEAD":
        assert price(answer) == "1000"


def test_a_preflight_is_nothing_special_by_default(stack, echo):
    asked = [("Origin", "https://page.example"), ("Access-Control-Request-Method", "GET")]
    assert stack.get(echo + "/a", asked, method="OPTIONS").status == 402


def test_a_browser_gets_a_page(stack, echo):
    browser = [("Accept", "text/html,*/*;q=0.8"), ("User-Agent", "Mozilla/5.0 <script>"), ("Referer", "x<script>")]
    answer = stack.get(echo + "/a?<script>", browser)
    assert answer.status == 402
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "PAYMENT-REQUIRED" in answer.headers
    assert b"0.001 USDC" in answer.body
    assert b"script" not in answer.body
    assert "Accept" in ", ".join(answer.headers.get_all("Vary"))


def test_large_headers_and_expectations_pass(stack, echo):
    assert stack.get(echo + "/public/a", [("X-Large", "x" * 20_000)]).status == 200
    assert stack.get(echo + "/a", [("Expect", "100-continue"), ("Content-Type", "text/plain")]).status == 402
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")]
    assert stack.get(echo + "/a", [*upgrade, ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]).status == 402


def test_a_connection_that_breaks_halfway_harms_nobody(stack, echo):
    for piece in (b"GET /services/echo/a HT", b"GET /services/echo/a HTTP/1.1\r\nHost: x\r\nX-Payment: "):
        with stack.cluster.connect(ADDRESS, 8080, 5) as line:
            line.sendall(piece)
            line.shutdown(socket.SHUT_WR)
            line.makefile("rb").read()
    assert stack.get(echo + "/a").status == 402
