"""Pages of other origins: the gateway answers their preflight requests, the gate is paid for everything else."""

import pytest
from cluster import wait_until
from restarts import restart
from stack import NAMESPACE, offer

ORIGIN = "https://shop.example"
MIDDLEWARE = "cors-pages"


@pytest.fixture(scope="module")
def pages(stack):
    for role in ("controller", "verifier"):
        restart(stack, role, f"--cors-origins={ORIGIN}")
    stack.cluster.apply(offer("pages"))
    stack.wait_condition("pages", "Ready")
    wait_until(lambda: stack.get("/services/pages").status == 402, 10, "pages answers 402")
    yield "/services/pages"
    stack.remove_offers(NAMESPACE)
    for role in ("controller", "verifier"):
        restart(stack, role)


def preflight(stack, path, origin=ORIGIN):
    asked = [
        ("Origin", origin),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "payment-signature,access-control-expose-headers"),
    ]
    return stack.get(path, asked, method="OPTIONS")


def test_a_preflight_ends_at_the_gateway(stack, pages):
    answer = preflight(stack, pages + "/a")
    assert answer.status in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    for name in ("payment-signature", "x-payment", "access-control-expose-headers"):
        assert name in allowed
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    # Neither the gate nor the upstream has said anything.
    assert "X-Portitor-Route" not in answer.headers
    assert answer.body == b""


def test_a_preflight_of_another_origin_ends_there_too(stack, pages):
    answer = preflight(stack, pages + "/a", "https://evil.example")
    assert answer.body == b""
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "X-Portitor-Route" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Origin", ORIGIN)],
        [("Access-Control-Request-Method", "POST")],
        [("Origin", ""), ("Access-Control-Request-Method", "POST")],
        [("Origin", ORIGIN), ("Access-Control-Request-Method", "")],
    ],
)
def test_options_that_are_no_preflight_cost(stack, pages, headers):
    answer = stack.get(pages + "/a", headers, method="OPTIONS")
    assert answer.status == 402
    assert "PAYMENT-REQUIRED" in answer.headers


def test_a_page_may_read_what_it_has_to_pay_and_what_it_has_paid_for(stack, pages):
    refused = stack.get(pages + "/a", [("Origin", ORIGIN)])
    assert refused.status == 402
    assert refused.headers.get_all("Access-Control-Allow-Origin") == [ORIGIN]
    assert "PAYMENT-REQUIRED" in refused.headers["Access-Control-Expose-Headers"]
    bought = stack.buy(2, pages + "/a", headers={"Origin": ORIGIN})
    assert bought["status"] == 200
    headers = {name.lower(): value for name, value in bought["headers"].items()}
    assert headers["access-control-allow-origin"] == ORIGIN
    assert headers["cache-control"] == "private, no-store"


def test_the_middleware_is_repaired_and_goes_with_its_setting(stack, pages):
    stack.cluster.patch("middleware", MIDDLEWARE, {"spec": {"headers": {"accessControlMaxAge": 1}}}, NAMESPACE)
    find = lambda: stack.cluster.get("middleware", MIDDLEWARE, NAMESPACE)
    wait_until(lambda: find()["spec"]["headers"]["accessControlMaxAge"] == 600, 10, "the Middleware is repaired")
