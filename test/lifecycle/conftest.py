"""A market on a cluster that runs pods, and Portitor's release on it."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "image")]

from market import ADDRESS, Market  # noqa: E402

from kube import Kube  # noqa: E402
from kubelet import Kubelet  # noqa: E402
from release import Release  # noqa: E402

# Whatever makes pods of Deployments and Jobs, and addresses of pods.
CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "job-controller",
    "endpointslice-controller",
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
)


@pytest.fixture(scope="session")
def market():
    with Market(facilitator_host=ADDRESS, controllers=CONTROLLERS, portitor=False) as started:
        yield started


@pytest.fixture(scope="session")
def kube(market):
    return Kube(market.cluster)


@pytest.fixture(scope="session")
def kubelet(market, kube):
    with Kubelet(market.cluster, kube, start_container) as running:
        yield running
    assert running.failure is None


@pytest.fixture(scope="session")
def release(market, kubelet):
    return Release(market)
