"""A market on a cluster that runs pods, and Portitor's release on it."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "image")]

from market import ADDRESS, ROOT, Market  # noqa: E402
from stack import binary  # noqa: E402

import container  # noqa: E402
from kube import Kube  # noqa: E402
from kubelet import Kubelet  # noqa: E402
from release import IMAGE, Release  # noqa: E402

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
def image(tmp_path_factory):
    """The files of the image of the program under test."""
    folder = tmp_path_factory.mktemp("image")
    # Another user has to get there.
    for each in (folder, folder.parent):
        each.chmod(0o755)
    command = [ROOT / "scripts" / "image.py", "--binary", binary(), "--root", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="session")
def kubelet(market, kube, image):
    def start_container(name, arguments, environment, mounts, network, log):
        assert name == IMAGE
        command = ["/usr/bin/portitor", *arguments]
        line = container.command_line(image, command, env=environment, mounts=mounts, netns=network)
        return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    with Kubelet(market.cluster, kube, start_container) as running:
        yield running
    assert running.failure is None


@pytest.fixture(scope="session")
def release(market, kubelet):
    return Release(market)
