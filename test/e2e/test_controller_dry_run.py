"""A controller that only says what it would do."""

import json

import pytest
from audit import AuditTail
from cluster import wait_until
from kube_client import KubeClient
from stack import ADDRESS, binary, offer

NAMESPACE = "undecided"


@pytest.fixture
def client(stack):
    assert stack.cluster.processes["controller"].stop(timeout=40) == 0
    stack.cluster.service(NAMESPACE, "hello", 9000)
    yield KubeClient(stack.cluster)
    stack.cluster.processes["dry-controller"].stop(timeout=40)
    stack.start_role("controller")
    stack.wait_ready("controller", timeout=60)
    stack.cluster.kubectl("delete", "namespace", NAMESPACE, "--timeout=90s")


def changes(process, name):
    """What it says that it would do to an offer, the last time that it said so."""
    lines = [json.loads(line) for line in process.log().splitlines() if line.startswith("{")]
    said = [each["changes"] for each in lines if each.get("offer") == f"{NAMESPACE}/{name}" and "changes" in each]
    return said[-1] if said else None


def test_it_tells_each_step_and_writes_nothing(stack, client):
    made = offer("perhaps", namespace=NAMESPACE)
    assert client.create("serviceoffers", made, NAMESPACE)[0] == 201
    tail = AuditTail(stack.cluster)
    command = [
        binary(),
        "--role=controller",
        "--dry-run",
        f"--kubeconfig={stack.cluster.role_kubeconfig('controller')}",
        f"--health-listen={ADDRESS}:8091",
        f"--listen={ADDRESS}:8094",
        "--default-facilitator=http://127.0.0.1:8546",
        "--allow-insecure-facilitator",
        "--log-format=json",
    ]
    process = stack.cluster.popen(command, "dry-controller")
    wait_until(lambda: changes(process, "perhaps"), 15, "it tells")
    assert changes(process, "perhaps").startswith(
        "add the finalizer, apply PaymentRoute undecided/perhaps-payment, apply Middleware undecided/x402-perhaps, "
        "apply HTTPRoute undecided/so-perhaps, write the status: Pending"
    )
    client.delete("serviceoffers", "perhaps", NAMESPACE)
    wait_until(lambda: client.get("serviceoffers", "perhaps", NAMESPACE) is None, 5, "nobody holds it")
    assert tail.writes("portitor-controller") == []
