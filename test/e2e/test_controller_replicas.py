"""Two controllers: one leads, the other follows at once or when the Lease has run out; in between nothing is lost, and
nothing is written twice."""

import base64
import collections
import json
import threading
import time

import oracle
import pytest
from audit import AuditTail
from churn import Churn
from cluster import kubeconfig, wait_until
from cluster.components import API_SERVER
from kube_client import KubeClient
from stack import ADDRESS

NAMESPACE = "handed-over"
REPLICAS = {"controller-a": 8185, "controller-b": 8187}
# Shorter than the defaults, for the test's sake.
TIMES = ["--leader-elect-lease-duration=6s", "--leader-elect-renew-deadline=4s", "--leader-elect-retry-period=1s"]


class Replica:
    """A controller like the stack's own, as another pod: with a token, probes and a name of its own."""

    def __init__(self, stack, name):
        self.name = name
        self._cluster = stack.cluster
        self._health = f"http://{ADDRESS}:{REPLICAS[name]}/readyz"
        token = self._cluster.api.token("portitor-controller", "portitor")
        config = self._cluster.directory / f"{name}.kubeconfig"
        kubeconfig.write(config, API_SERVER, self._cluster.ca, {"token": token})
        own = {
            "kubeconfig": config,
            "health-listen": f"{ADDRESS}:{REPLICAS[name]}",
            "listen": f"{ADDRESS}:{REPLICAS[name] + 1}",
        }
        self._command = [_with_own(flag, own) for flag in stack.cluster.processes["controller"].command] + TIMES
        self.credential = f"JTI={_claims(token)['jti']}"

    @property
    def process(self):
        return self._cluster.processes[self.name]

    def start(self):
        pod = {"POD_NAME": self.name, "POD_UID": f"uid-of-{self.name}"}
        self._cluster.popen(self._command, self.name, env=pod)
        wait_until(self._synced, 20, f"{self.name} is ready")

    def _synced(self):
        try:
            return self._cluster.http("GET", self._health).status == 200
        except OSError:
            return False


def _with_own(flag, own):
    name = flag.removeprefix("--").partition("=")[0]
    return f"--{name}={own[name]}" if name in own else flag


def _claims(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


@pytest.fixture
def client(stack):
    stack.cluster.service(NAMESPACE, "hello", 9000)
    yield KubeClient(stack.cluster)
    stack.remove_offers(NAMESPACE)


@pytest.fixture
def tail(stack):
    return AuditTail(stack.cluster)


@pytest.fixture
def replicas(stack, client, tail):
    """Two instead of the stack's one; the first one leads."""
    pair = [Replica(stack, name) for name in REPLICAS]
    assert stack.cluster.processes["controller"].stop(timeout=40) == 0
    for each in pair:
        each.start()
        wait_until(lambda: holder(client), 20, "somebody leads")
    yield pair
    for each in pair:
        each.process.stop(timeout=40)
    stack.start_role("controller")
    stack.wait_ready("controller")


def holder(client):
    """The replica that has the Lease; empty for nobody."""
    lease = client.get("leases", "portitor-controller", "portitor")
    return (lease or {"spec": {}})["spec"].get("holderIdentity", "").partition("_")[0]


def assert_only_the_holder_writes(tail, pair):
    """Returns who has led, in turns."""
    names = {each.credential: each.name for each in pair}
    writes = [each for each in tail.writes("portitor-controller") if each.credential in names and each.kind != "events"]
    leases = [each for each in writes if each.kind == "leases"]
    turns = []
    for write in writes:
        if write.kind == "leases":
            turns += [names[write.credential]] * (turns[-1:] != [names[write.credential]])
            continue
        before = [each for each in leases if each.done <= write.asked]
        assert before and before[-1].credential == write.credential, f"{write} after {before[-1:]}"
    return turns


def assert_released_last(tail, replica, ended):
    """The Lease was the last thing that it let go before its orderly end; an Event on its way may come later."""
    own = [each for each in tail.writes() if each.credential == replica.credential and each.kind != "events"]
    mine = [each for each in own if each.asked < ended]
    assert max(mine, key=lambda each: each.asked).kind == "leases"


def assert_no_doubled_writes(tail, churn):
    """Each wish of a seller is written into the PaymentRoute once."""
    writes = tail.writes("portitor-controller", kind="paymentroutes")
    for child, count in collections.Counter(each.name for each in writes if each.verb == "patch").items():
        name = child.removesuffix("-payment")
        assert count <= churn.wishes[name], f"{child} was written {count} times for {churn.wishes[name]} wishes"
    assert sum(each.code == 201 for each in writes) > 20


def test_handover_under_churn_loses_and_doubles_nothing(client, replicas, tail, capsys):
    first, second = replicas
    assert holder(client) == first.name
    churn = Churn(client, NAMESPACE, seed=7, tamper=False)
    over = threading.Event()
    sellers = threading.Thread(target=lambda: [churn.run(0.5) for _ in iter(over.is_set, True)])
    sellers.start()
    took = {}
    try:
        time.sleep(2)
        began = time.monotonic()
        assert first.process.stop(timeout=40) == 0
        ended = time.time()
        wait_until(lambda: holder(client) == second.name, 20, "the second one leads")
        took["SIGTERM"] = time.monotonic() - began
        first.start()
        time.sleep(2)
        began = time.monotonic()
        second.process.kill()
        wait_until(lambda: holder(client) == first.name, 30, "the first one leads again")
        took["SIGKILL"] = time.monotonic() - began
        second.start()
        time.sleep(2)
    finally:
        over.set()
        sellers.join()
    oracle.assert_converges(client, NAMESPACE, churn.wanted.values(), "everything is as the oracle says")
    turns = assert_only_the_holder_writes(tail, replicas)
    assert turns == [first.name, second.name, first.name]
    assert_released_last(tail, first, ended)
    assert_no_doubled_writes(tail, churn)
    assert churn.done["create"] > 20 and churn.done["edit"] > 20
    with capsys.disabled():
        print(f"\n  handed over in {took['SIGTERM']:.2f} s (SIGTERM), {took['SIGKILL']:.2f} s (SIGKILL, Lease of 6 s)")
