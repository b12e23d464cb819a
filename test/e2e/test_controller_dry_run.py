"""A controller that only says what it would do."""

import json

import pytest
from audit import AuditTail
from cluster import wait_until
from kube_client import KubeClient
from restarts import restart
from stack import offer

NAMESPACE = "undecided"


@pytest.fixture
def client(stack):
    restart(stack, "controller", "--dry-run")
    stack.cluster.service(NAMESPACE, "hello", 9000)
    yield KubeClient(stack.cluster)
    restart(stack, "controller")


def changes(process, name):
    """What it says that it would do to an offer, the last time that it said so."""
    lines = [json.loads(line) for line in process.log().splitlines() if line.startswith("{")]
    said = [each["changes"] for each in lines if each.get("offer") == f"{NAMESPACE}/{name}" and "changes" in each]
    return said[-1] if said else None


def test_it_tells_each_step_and_writes_nothing(stack, client):
    assert client.create("serviceoffers", offer("perhaps", namespace=NAMESPACE), NAMESPACE)[0] == 201
    tail = AuditTail(stack.cluster)
    # Once more, so that its start is in the log too.
    process = stack.cluster.processes["controller"].restart()
    wait_until(lambda: changes(process, "perhaps"), 15, "it tells")
    assert changes(process, "perhaps").startswith(
        "add the finalizer, apply PaymentRoute undecided/perhaps-payment, apply Middleware undecided/x402-perhaps, "
        "apply HTTPRoute undecided/so-perhaps, write the status: Pending"
    )
    client.delete("serviceoffers", "perhaps", NAMESPACE)
    wait_until(lambda: client.get("serviceoffers", "perhaps", NAMESPACE) is None, 5, "nobody holds it")
    assert tail.writes("portitor-controller") == []
