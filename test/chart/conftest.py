"""Makes importable what the chart's tests share, and runs them with each values file in charts/portitor/ci."""

import os
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from cluster import Cluster  # noqa: E402
from cluster.tools import REPOSITORY  # noqa: E402
from renders import Renders  # noqa: E402


@pytest.fixture(scope="session")
def renders():
    return Renders()


@pytest.fixture(scope="session")
def cluster():
    with Cluster(traefik=False) as started:
        yield started


@pytest.fixture(scope="session")
def binary():
    path = os.environ.get("PORTITOR_BIN", REPOSITORY / "build" / "release" / "portitor")
    if not os.access(path, os.X_OK):
        pytest.fail(f"{path} is not there: build it first (scripts/build.sh release)")
    return path


def pytest_generate_tests(metafunc):
    """A test that asks for `values` runs with each values file of the chart."""
    if "values" in metafunc.fixturenames:
        metafunc.parametrize("values", Renders.names())
