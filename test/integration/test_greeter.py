"""The example of docs/kube.md does what it says, as its reader would start it."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test"))

from cluster import Cluster, wait_until  # noqa: E402

GREETER = Path(os.environ.get("PORTITOR_GREETER", ROOT / "build" / "release" / "examples" / "greeter"))


@pytest.fixture(scope="module")
def cluster():
    with Cluster(traefik=False) as running:
        yield running


def test_greets_repairs_nothing_it_does_not_own_and_leaves_no_trace(cluster):
    greeter = cluster.popen([GREETER, cluster.kubeconfig], "greeter")

    def greeting(name):
        found = cluster.get("configmap", f"{name}-greeting", "default")
        return found and found["data"]["text"]

    cluster.kubectl("create", "configmap", "alice", "--from-literal=name=Alice", "-n", "default")
    cluster.kubectl("label", "configmap", "alice", "greet=yes", "-n", "default")
    cluster.kubectl("create", "configmap", "bob", "--from-literal=name=Bob", "-n", "default")
    wait_until(lambda: greeting("alice") == "Hello Alice", 10, "Alice is greeted")
    assert greeting("bob") is None, "Bob has no label"

    patch = '{"data":{"name":"Alicia"}}'
    cluster.kubectl("patch", "configmap", "alice", "--type=merge", "-p", patch, "-n", "default")
    wait_until(lambda: greeting("alice") == "Hello Alicia", 10, "the greeting follows its ConfigMap")

    cluster.kubectl("delete", "configmap", "alice", "-n", "default")
    wait_until(lambda: greeting("alice") is None, 30, "the garbage collector removes the greeting")
    assert greeter.stop(timeout=10) == 0, greeter.log()
