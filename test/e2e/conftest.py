"""Makes the shared stack importable, and starts it once for all tests that ask for it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from on_chain import Operator  # noqa: E402
from cluster import wait_until  # noqa: E402
from registry import Anvil  # noqa: E402
from stack import FACILITATOR_PORT, SCRIPTED_PORT, UPSTREAM_PORT, Stack  # noqa: E402


@pytest.fixture(scope="session")
def stack():
    # The wait between two of Traefik's readings is no part of what is tested; the main job has its usual one.
    with Stack(traefik_throttle="300ms") as started:
        yield started


@pytest.fixture(autouse=True)
def all_roles_run(request):
    """What ends in one test does not fail the next one; what should not have ended fails the test."""
    yield
    if "stack" in request.fixturenames:
        assert request.getfixturevalue("stack").revive_roles() == []


@pytest.fixture(scope="session")
def scripted(stack):
    """The facilitator that tests can script, in front of the real one."""
    script = Path(__file__).with_name("scripted_facilitator.py")
    real = f"http://127.0.0.1:{FACILITATOR_PORT}"
    process = stack.cluster.popen(["/usr/bin/python3", script, str(SCRIPTED_PORT), real], "scripted")
    wait_until(lambda: listens(stack, SCRIPTED_PORT), 20, "the scripted facilitator listens")
    return process


def listens(stack, port):
    try:
        stack.cluster.connect("127.0.0.1", port).close()
        return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def chain(request, stack):
    """A chain of the module's own, with a registry of agents, at its PORT; as old as its AGE says, in seconds."""
    anvil = Anvil(stack.cluster, stack.scripts, request.module.PORT, age=getattr(request.module, "AGE", 0))
    yield anvil
    anvil.stop()


@pytest.fixture(scope="module")
def started(request, stack, chain):
    """An operator who registers on it, for offers of the module's NAMESPACE."""
    stack.cluster.service(request.module.NAMESPACE, "hello", UPSTREAM_PORT)
    with Operator(stack, chain, request.module.NAMESPACE) as it:
        yield it
