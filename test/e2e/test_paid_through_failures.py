"""Buyers notice nothing: they buy all the while that controllers are killed and the API server is away."""

import contextlib
import os
import time

import pytest
import x402
from cluster import wait_until
from kube_client import KubeClient
from restarts import Kubelet
from stack import GATEWAY, offer

NAMESPACE = "paid"
KILLS = 20 if os.environ.get("PORTITOR_LONG") else 5
KILL_PERIOD = 2
OUTAGE = 14  # longer than a leader goes on without its Lease
RATE = 3
PRICES = {"paid-a": "0.001", "paid-b": "0.002", "paid-c": "0.003"}
KEYS = dict(zip(PRICES, (x402.BUYER_KEY, x402.BUYER2_KEY, x402.BUYER_KEY)))


@pytest.fixture
def client(stack):
    stack.cluster.service(NAMESPACE, "hello", 9000)
    client = KubeClient(stack.cluster)
    for name, price in PRICES.items():
        assert client.create("serviceoffers", offer(name, price, namespace=NAMESPACE), NAMESPACE)[0] == 201
    for name in PRICES:
        stack.wait_condition(name, "Ready", namespace=NAMESPACE, timeout=60)
        wait_until(lambda: stack.get(f"/services/{name}/x").status == 402, 10, f"{name} answers 402")
    yield client
    stack.remove_offers(NAMESPACE)


@contextlib.contextmanager
def buyers(stack):
    """Real clients that buy from every offer until the block ends; they have a summary then."""
    with contextlib.ExitStack() as running:
        yield {
            name: running.enter_context(
                x402.PayLoop(stack.scripts, f"{GATEWAY}/services/{name}/x", RATE, KEYS[name], concurrency=4)
            )
            for name in PRICES
        }


def has_sold(stack, name):
    return f'/services/{name}/x HTTP/1.1" 200' in stack.cluster.access_log.read_text()


def kill_controllers(stack):
    for _ in range(KILLS):
        stack.cluster.processes["controller"].kill()
        time.sleep(KILL_PERIOD)


def api_server_outage(stack):
    server = stack.cluster.processes["apiserver"]
    server.kill()
    time.sleep(OUTAGE)
    server.start().wait_ready()


def test_no_paid_request_fails(stack, client, capsys):
    before = stack.chain.balance(x402.SELLER)
    with Kubelet(stack) as kubelet, buyers(stack) as sold:
        wait_until(lambda: all(has_sold(stack, name) for name in PRICES), 60, "all of them buy")
        began = time.time()
        kill_controllers(stack)
        api_server_outage(stack)
        over = time.time()
        time.sleep(1)
    told = {name: each.summary for name, each in sold.items()}
    for name, summary in told.items():
        assert summary["failures"] == [], name
        # They were at it when it began and when it was over.
        assert summary["startedAt"] < began
        assert summary["ok"] == summary["sent"] > RATE * (over - began) / 2
    paid = sum(round(1e6 * float(price)) * told[name]["ok"] for name, price in PRICES.items())
    assert stack.chain.balance(x402.SELLER) - before == paid
    assert kubelet.starts["controller"] >= KILLS
    for name in PRICES:
        stack.wait_condition(name, "Ready", namespace=NAMESPACE, timeout=30)
    stack.wait_gateway()
    with capsys.disabled():
        latencies = {name: summary["latencyMs"] for name, summary in told.items()}
        print(f"\n  {KILLS} kills and an outage of {over - began - KILLS * KILL_PERIOD:.0f} s: {latencies}")
