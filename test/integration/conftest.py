"""One cluster for all tests of the Kubernetes layer that a worker runs."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from cluster import Cluster  # noqa: E402


@pytest.fixture(scope="session")
def cluster():
    with Cluster(traefik=False) as started:
        yield started
