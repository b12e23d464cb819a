"""Hundreds of offers at once: each is sold on its own terms, and then nothing more is written."""

import concurrent.futures
import os
import time

import oracle
import pytest
import x402
from audit import AuditTail
from cluster import is_true, wait_until
from kube_client import KubeClient
from stack import offer

NAMESPACE = "crowd"
COUNT = 200
QUIET_SECONDS = 600 if os.environ.get("PORTITOR_LONG") else 20


def crowd():
    """Offers of which no two have the same price; every fourth has paths of its own."""
    for number in range(COUNT):
        made = offer(f"crowd-{number}", f"0.{1 + 7 * number:06}", namespace=NAMESPACE)
        if number % 4 == 0:
            made["spec"]["routes"] = [
                {"path": "/free/*", "gate": "free"},
                {"path": "/dear", "price": {"perRequest": f"1.{number:03}"}},
                {"path": "/plain", "gate": "paid"},
            ]
        yield made


@pytest.fixture(scope="module")
def client(stack):
    stack.cluster.service(NAMESPACE, "hello", 9000)
    yield KubeClient(stack.cluster)
    stack.remove_offers(NAMESPACE)


@pytest.fixture(scope="module")
def sold(client):
    """All of them, made at once, and how long the last one took to be Ready."""
    offers = list(crowd())
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: client.create("serviceoffers", each, NAMESPACE)[0], offers))
    assert set(answers) == {201}
    made = time.monotonic()
    wait_until(lambda: all_ready(client), 150, f"{COUNT} offers are Ready", interval=0.2)
    return offers, made - began, time.monotonic() - began


def all_ready(client):
    found = client.list("serviceoffers", NAMESPACE).values()
    return sum(is_true(each, "Ready") for each in found) == COUNT


def asked(stack, path):
    """The price that an unpaid request is told, or None where it is told none."""
    answer = stack.get(path)
    if answer.status != 402:
        return None
    required = x402.decode_header(answer.headers["PAYMENT-REQUIRED"])["accepts"]
    assert len(required) == 1 and required[0]["network"] == x402.NETWORK_V2
    assert required[0]["asset"].lower() == x402.USDC.lower()
    return required[0]["amount"]


def test_many_offers_at_once_are_each_sold_on_their_own_terms(stack, client, sold, capsys):
    offers, made, ready = sold
    assert oracle.differences(client, NAMESPACE, offers) == []
    prices = {made["spec"]["price"] for made in client.list("paymentroutes", NAMESPACE).values()}
    assert len(prices) == COUNT
    for each in offers[::9]:
        name = each["metadata"]["name"]
        price = oracle.payment_route(each)["price"]
        wait_until(lambda: asked(stack, f"/services/{name}/x") == price, 10, f"{name} asks for {price}")
    for each in offers[::40]:
        path = f"/services/{each['metadata']['name']}"
        assert asked(stack, f"{path}/dear") == oracle.payment_route(each)["rules"][1]["price"]
        assert asked(stack, f"{path}/plain") == oracle.payment_route(each)["price"]
        assert stack.get(f"{path}/free/x").status == 200
    with capsys.disabled():
        print(f"\n  {COUNT} offers made in {made:.1f} s, all Ready after {ready:.1f} s")


def test_then_nothing_is_written_but_leases(stack, client, sold):
    offers, _, _ = sold
    wait_until(lambda: oracle.differences(client, NAMESPACE, offers) == [], 20, "all is as it should be")
    # The last Events may be on their way.
    time.sleep(2)
    tail = AuditTail(stack.cluster)
    time.sleep(QUIET_SECONDS)
    assert tail.portitor_writes() == []
    # It was alive all the while, and the log tells; the registrar holds a Lease only for accounts that it sends for.
    renewals = {each.user for each in tail.writes(kind="leases")}
    assert "portitor-controller" in renewals
