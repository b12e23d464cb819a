"""What Portitor has made it keeps as it was: within a second, with an Event, and without touching what is others'."""

import time

import oracle
import pytest
from audit import AuditTail
from background import Background
from cluster import wait_until
from kube_client import APPLY, JSON_PATCH, KubeClient
from stack import offer

NAMESPACE = "mending"
CONTROLLER = "portitor-controller"
CHILDREN = {
    "httproutes": ("so-{}", {"spec": {"hostnames": ["elsewhere.example"]}}),
    "middlewares": ("x402-{}", {"spec": {"forwardAuth": {"address": "http://elsewhere.example"}}}),
    "paymentroutes": ("{}-payment", {"spec": {"price": "1"}}),
    "registrationrequests": ("{}-registration", {"spec": {"description": "something else"}}),
}
# What others may add to any object.
FOREIGN = {
    "labels": {"team": "a"},
    "annotations": {"example.com/note": "b"},
    "finalizers": ["example.com/wait"],
}


@pytest.fixture(scope="module")
def client(stack):
    stack.cluster.service(NAMESPACE, "hello", 9000)
    yield KubeClient(stack.cluster)
    stack.remove_offers(NAMESPACE)


@pytest.fixture
def sold(client, request):
    """An offer of its own for each test, with all children: (name, offer)."""
    name = f"mend-{abs(hash(request.node.name)) % 10**8}"
    made = offer(name, namespace=NAMESPACE, registration=True)
    assert client.create("serviceoffers", made, NAMESPACE)[0] == 201
    oracle.assert_converges(client, NAMESPACE, [made], "it is sold")
    yield name, made
    client.delete("serviceoffers", name, NAMESPACE)
    oracle.assert_converges(client, NAMESPACE, [], "it is gone")


def events(client, name, reason):
    every = client.list("events", NAMESPACE).values()
    return [each["note"] for each in every if each["regarding"]["name"] == name and each["reason"] == reason]


def uid_of(client, kind, name):
    found = client.get(kind, name, NAMESPACE)
    return found and found["metadata"]["uid"]


def wait_event(client, name, *parts):
    """The Event about a repair."""
    wait_until(
        lambda: any(all(part in note for part in parts) for note in events(client, name, "DriftRepaired")),
        5,
        f"an Event tells of the repair: {parts}",
    )


@pytest.mark.parametrize("kind", CHILDREN)
def test_a_deleted_child_is_back_within_a_second(stack, client, sold, kind):
    name, made = sold
    child = CHILDREN[kind][0].format(name)
    before = uid_of(client, kind, child)
    tail = AuditTail(stack.cluster)
    client.delete(kind, child, NAMESPACE)
    wait_until(lambda: uid_of(client, kind, child) not in (None, before), 5, "it is back")
    oracle.assert_converges(client, NAMESPACE, [made], "all is as it was")
    assert tail.seconds_to_repair(CONTROLLER, kind, child) < 1
    wait_event(client, name, child, "deleted")


@pytest.mark.parametrize("kind", CHILDREN)
def test_an_edited_child_is_put_right_within_a_second_and_what_is_others_stays(stack, client, sold, kind):
    name, made = sold
    child, change = CHILDREN[kind][0].format(name), CHILDREN[kind][1]
    ours = client.get(kind, child, NAMESPACE)
    finalizers = ours["metadata"].get("finalizers", []) + FOREIGN["finalizers"]
    assert client.patch(kind, child, NAMESPACE, {"metadata": FOREIGN | {"finalizers": finalizers}})[0] == 200
    tail = AuditTail(stack.cluster)
    assert client.patch(kind, child, NAMESPACE, change)[0] == 200
    wait_until(lambda: client.get(kind, child, NAMESPACE)["spec"] == ours["spec"], 5, "it is put right")
    oracle.assert_converges(client, NAMESPACE, [made], "all is as it was")
    assert tail.seconds_to_repair(CONTROLLER, kind, child) < 1
    wait_event(client, name, child, "changed")

    now = client.get(kind, child, NAMESPACE)["metadata"]
    assert now["uid"] == ours["metadata"]["uid"]
    for field in ("labels", "annotations"):
        assert now[field].items() >= FOREIGN[field].items() | ours["metadata"][field].items()
    assert set(now["finalizers"]) == set(finalizers)
    taken_off = [{"op": "replace", "path": "/metadata/finalizers", "value": ours["metadata"].get("finalizers", [])}]
    assert client.patch(kind, child, NAMESPACE, taken_off, JSON_PATCH)[0] == 200


def test_labels_and_owner_that_are_taken_away_come_back(client, sold):
    name, made = sold
    for kind, (pattern, _) in CHILDREN.items():
        child = pattern.format(name)
        ours = client.get(kind, child, NAMESPACE)["metadata"]
        for gone in ({"labels": None}, {"ownerReferences": None}):
            assert client.patch(kind, child, NAMESPACE, {"metadata": gone})[0] == 200
            wait_until(
                lambda: all(client.get(kind, child, NAMESPACE)["metadata"].get(field) == ours[field] for field in gone),
                5,
                f"{gone} of {kind} is put right",
            )


class Rival(Background):
    """Another controller, which insists on a price of its own as fast as it can."""

    def __init__(self, client, child):
        super().__init__()
        self._client = client
        self._child = child
        self.writes = 0

    def _run(self):
        mine = {"apiVersion": "obol.org/v1alpha1", "kind": "PaymentRoute", "metadata": {"name": self._child}}
        mine["spec"] = {"price": "1"}
        while not self._end.wait(0.005):
            if self._client.get("paymentroutes", self._child, NAMESPACE)["spec"]["price"] == "1":
                continue
            how = {"how": APPLY, "manager": "rival", "force": True}
            assert self._client.patch("paymentroutes", self._child, NAMESPACE, mine, **how)[0] == 200
            self.writes += 1


def test_two_writers_do_not_fight(stack, client, sold, capsys):
    name, made = sold
    child, seconds = f"{name}-payment", 10
    tail = AuditTail(stack.cluster)

    def disputed():
        status, reason, message = stack.conditions(name, NAMESPACE)["PaymentGateReady"]
        return status == "False" and reason == "Disputed" and child in message

    with Rival(client, child) as rival:
        wait_until(disputed, 30, "the conflict is shown")
        began = time.time()
        time.sleep(seconds)
        wait_until(disputed, 5, "and is still shown")
    # A burst, and then a repair a second; what is written about it keeps that pace.
    during = [each for each in tail.writes(CONTROLLER) if began <= each.asked < began + seconds]
    fight = [each for each in during if each.kind != "leases"]
    repairs = [each for each in fight if each.kind == "paymentroutes"]
    assert 2 <= len(repairs) <= seconds + 2
    assert len(fight) <= 8 * len(repairs) + 8, fight
    assert rival.writes >= len(repairs)
    ended = time.monotonic()
    oracle.assert_converges(client, NAMESPACE, [made], "the rival is gone, and all is as it was", 60)
    with capsys.disabled():
        print(
            f"\n  {len(repairs)} repairs and {len(fight)} writes in {seconds} s, "
            f"right again in {time.monotonic() - ended:.1f} s"
        )


def test_what_comes_and_goes_is_made_only_so_often(stack, client, sold):
    name, made = sold
    route = f"so-{name}"
    tail = AuditTail(stack.cluster)

    def turn(network, is_done):
        assert client.patch("serviceoffers", name, NAMESPACE, {"spec": {"payment": {"network": network}}})[0] == 200
        wait_until(is_done, 10, f"the network {network} is acted on", 0.005)

    def is_there():
        return uid_of(client, "httproutes", route) is not None

    def is_held_back():
        conditions = client.get("serviceoffers", name, NAMESPACE)["status"]["conditions"]
        return "Flapping" in [each["reason"] for each in conditions if each["type"] == "RoutePublished"]

    # Five times at once, then once a second.
    for _ in range(30):
        turn("nowhere", lambda: not is_there())
        turn(made["spec"]["payment"]["network"], lambda: is_there() or is_held_back())
        if is_held_back():
            break
    else:
        raise AssertionError("it was never held back")
    oracle.assert_converges(client, NAMESPACE, [made], "it comes to rest")
    times = [each.done for each in tail.writes(CONTROLLER, kind="httproutes", name=route) if each.code == 201]
    assert 5 < len(times) <= 5 + 1 + times[-1] - times[0]
