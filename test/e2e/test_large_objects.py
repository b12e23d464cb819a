"""Objects as large and as deep as the API server takes them, and many of them: they cost memory in proportion, and
nobody else anything. One honest seller sells all the time, and every role can be restarted."""

import concurrent.futures
import json
import time

import pytest
from cluster import wait_until
from kube_client import MERGE_PATCH, KubeClient
from polling import UnpaidPoller
from restarts import restart
from stack import NAMESPACE, UPSTREAM_PORT, offer

OTHERS = "others"  # a team that has nothing to do with Portitor
SELLERS = "wide"  # one that sells hundreds of paths
HONEST = ("honest", "later", "last", "beside-deep", "beside-deep-again")
LARGE = 100_000
LONGEST_NOTE = 255_000  # all annotations together may have 256 KiB
LEVELS = (130, 1_000, 9_000)  # the API server's own limit is 10 000
PATHS = 128
MOST_MEGABYTES = {"controller": 160, "verifier": 120, "registrar": 90}


def middleware(name, spec, note=""):
    return {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "Middleware",
        "metadata": {"name": name, "namespace": OTHERS, "annotations": {"example.com/note": note}},
        "spec": spec,
    }


def http_route(name, size, note=""):
    """One for a Gateway that is not there, with matches of that many bytes."""
    header = {"name": "x-filler", "value": "y" * 4000}
    matches = [{"path": {"value": f"/{i}"}, "headers": [header]} for i in range(size // 4000)]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": OTHERS, "annotations": {"example.com/note": note}},
        "spec": {
            "parentRefs": [{"name": "nowhere"}],
            "rules": [{"matches": matches, "backendRefs": [{"name": "web", "port": 80}]}],
        },
    }


def nested(levels):
    """As text: Python's own writer calls itself for each level."""
    return '{"a":' * levels + "1" + "}" * levels


def wide_offer(number, note=""):
    made = offer(f"wide-{number}", namespace=SELLERS)
    made["metadata"]["annotations"] = {"example.com/note": note}
    paths = [{"path": f"/a-path-of-some-length/{i}", "price": {"perRequest": f"0.{i + 1:06}"}} for i in range(PATHS)]
    made["spec"]["routes"] = paths
    return made


def large_objects():
    """(kind, namespace, object) of what others have."""
    header = {f"X-Filler-{i}": "z" * 200 for i in range(LARGE // 220)}
    for i in range(100):
        yield "middlewares", OTHERS, middleware(f"spec-{i}", {"headers": {"customRequestHeaders": header}})
    for i in range(180):
        yield "middlewares", OTHERS, middleware(f"note-{i}", {"headers": {}}, "n" * LARGE)
    for i in range(100):
        yield "httproutes", OTHERS, http_route(f"spec-{i}", LARGE)
    for i in range(80):
        yield "httproutes", OTHERS, http_route(f"note-{i}", 4000, "n" * LARGE)
    for i in range(20):
        yield "middlewares", OTHERS, middleware(f"long-{i}", {"headers": {}}, "n" * LONGEST_NOTE)
        yield "httproutes", OTHERS, http_route(f"long-{i}", 4000, "n" * LONGEST_NOTE)


def wide_offers():
    for i in range(50):
        yield "serviceoffers", SELLERS, wide_offer(i, "n" * LONGEST_NOTE if i % 5 == 0 else "")


def create_all(client, objects):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda each: client.create(each[0], each[2], each[1]), objects))
    refused = [answer for status, answer in made if status != 201]
    assert not refused, refused[0]
    return len(made)


def metrics(stack, role):
    """The value of each series, by its name with labels."""
    lines = stack.health(role, "/metrics").body.decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def ready_count(stack):
    """What the controller says: a list of them all is much to ask from an API server that is busy."""
    return metrics(stack, "controller").get('portitor_offers{phase="Ready"}', 0)


def most_memory(stack, role):
    """In megabytes, since the process was started."""
    with open(f"/proc/{stack.cluster.processes[role].pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))


def unreadable(stack, role):
    """By kind, those that are not none."""
    every = metrics(stack, role)
    return {name: value for name, value in every.items() if "_unreadable_" in name and value}


def assert_honest_sale(stack, client, name):
    """An offer that is made now is sold within seconds."""
    assert client.create("serviceoffers", offer(name), NAMESPACE)[0] == 201
    stack.wait_condition(name, "Ready", timeout=60)
    wait_until(lambda: stack.get(f"/services/{name}").status == 402, 20, f"{name} answers 402")


@pytest.fixture(scope="module")
def client(stack):
    for namespace in (OTHERS, SELLERS):
        stack.cluster.service(namespace, "hello", UPSTREAM_PORT)
    made = KubeClient(stack.cluster)
    assert_honest_sale(stack, made, "honest")
    yield made
    stack.cluster.kubectl("delete", "serviceoffer", *HONEST, "-n", NAMESPACE, "--timeout=60s", "--ignore-not-found")
    # Nobody waits for what nobody looks at any more.
    stack.cluster.kubectl("delete", "namespace", SELLERS, OTHERS, "--wait=false")


def test_large_objects_cost_memory_and_nothing_else(stack, client, capsys):
    before = {role: most_memory(stack, role) for role in MOST_MEGABYTES}
    began = time.monotonic()
    with UnpaidPoller(stack, "/services/honest", interval=0.05) as poller:
        count = create_all(client, large_objects())
        wide = create_all(client, wide_offers())
        made = time.monotonic() - began
        assert_honest_sale(stack, client, "later")
        wait_until(lambda: ready_count(stack) >= wide + 2, 120, "all wide offers are Ready")
        paid = stack.buy(2, "/services/honest")
        assert paid["status"] == 200, paid
    assert set(poller.statuses()) == {402}
    sold = time.monotonic() - began
    running = {role: most_memory(stack, role) for role in MOST_MEGABYTES}
    started = {}
    for role in MOST_MEGABYTES:
        at = time.monotonic()
        restart(stack, role)
        started[role] = time.monotonic() - at
        wait_until(lambda: stack.get("/services/honest").status == 402, 20, f"402 with a new {role}")
        assert unreadable(stack, role) == {}
    assert_honest_sale(stack, client, "last")
    paid = stack.buy(1, "/services/wide-7/a-path-of-some-length/100")
    assert paid["status"] == 200, paid
    after = {role: most_memory(stack, role) for role in MOST_MEGABYTES}
    with capsys.disabled():
        print(f"\n{count} objects of {LARGE} bytes, {wide} offers of {PATHS} paths: {made:.1f} s, sold after {sold:.1f} s")
        for role in MOST_MEGABYTES:
            print(
                f"{role}: VmHWM {before[role]:.0f} MB before, {running[role]:.0f} with them, {after[role]:.0f} and "
                f"ready after {started[role]:.1f} s when started among them"
            )
    for role, most in MOST_MEGABYTES.items():
        assert max(running[role], after[role]) < most, role


def test_a_middleware_may_be_as_deep_as_it_likes(stack, client):
    for levels in LEVELS:
        text = json.dumps(middleware(f"deep-{levels}", {"plugin": {"x": "HERE"}})).replace('"HERE"', nested(levels))
        status, answer = client.request_text("POST", f"/apis/traefik.io/v1alpha1/namespaces/{OTHERS}/middlewares", text)
        assert status == 201, answer
    assert_honest_sale(stack, client, "beside-deep")
    restart(stack, "controller")
    assert_honest_sale(stack, client, "beside-deep-again")
    assert unreadable(stack, "controller") == {}


def test_what_is_too_deep_in_a_child_of_ours_is_taken_out(stack, client):
    before = client.get("middlewares", "x402-honest", NAMESPACE)
    where = f"/apis/traefik.io/v1alpha1/namespaces/{NAMESPACE}/middlewares/x402-honest?fieldManager=a-test"
    patch = '{"spec":{"plugin":{"x":' + nested(140) + "}}}"
    status, answer = client.request_text("PATCH", where, patch, MERGE_PATCH)
    assert status == 200 and b'"plugin"' in answer, answer
    as_before = lambda: client.get("middlewares", "x402-honest", NAMESPACE)["spec"] == before["spec"]  # noqa: E731
    wait_until(as_before, 20, "it is as it was")
    stack.wait_condition("honest", "Ready")
    assert unreadable(stack, "controller") == {}
