"""The example of docs/kube.md does what it says, as its reader would start it."""

import os
from pathlib import Path

from cluster import wait_until
from cluster.tools import REPOSITORY

GREETER = Path(os.environ.get("PORTITOR_GREETER", REPOSITORY / "build" / "release" / "examples" / "greeter"))


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
