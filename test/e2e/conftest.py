"""Makes the shared stack importable, and starts it once for all tests that ask for it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stack import FACILITATOR_PORT, SCRIPTED_PORT, Stack  # noqa: E402


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
    return stack.cluster.popen(["/usr/bin/python3", script, str(SCRIPTED_PORT), real], "scripted")
