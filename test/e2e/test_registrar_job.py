"""A registrar that runs as a Job: it executes what there is, and ends."""

import pytest
from cluster import wait_until
from stack import ADDRESS, NAMESPACE, binary, offer


@pytest.fixture
def registrar_down(stack):
    assert stack.cluster.processes["registrar"].stop(timeout=40) == 0
    yield
    stack.start_role("registrar")
    stack.wait_ready("registrar", timeout=30)


def run_job(stack):
    command = [
        binary(),
        "--role=registrar",
        "--until-done",
        f"--kubeconfig={stack.cluster.role_kubeconfig('registrar')}",
        f"--health-listen={ADDRESS}:8096",
    ]
    process = stack.cluster.popen(command, "registrar-job", env={"POD_NAME": "job", "POD_UID": "uid-of-job"})
    wait_until(lambda: not process.running, 40, "it ends by itself")
    return process.returncode


def test_it_ends_when_all_is_done(stack, registrar_down):
    names = [f"in-a-batch-{number}" for number in range(5)]
    for name in names:
        stack.cluster.apply(offer(name, registration=True))
    for name in names:
        stack.wait_condition(name, "Ready")
        assert stack.conditions(name)["Registered"][0] == "Unknown"
    assert run_job(stack) == 0
    for name in names:
        stack.wait_condition(name, "Registered", timeout=5)
    # With nothing to do as well.
    assert run_job(stack) == 0
    stack.cluster.delete("serviceoffer", *names, ns=NAMESPACE)
