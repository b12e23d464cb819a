"""The Kubernetes layer against the real API server with etcd: one test for each case of the binary kube_contract, which
runs inside the cluster's network namespace and has the cluster killed, frozen, compacted through a socket."""

import os
import pathlib
import subprocess

import pytest
from cluster.tools import REPOSITORY
from kube_control import Control


def binary():
    """The cases: beside PORTITOR_BIN, or of the release build."""
    program = pathlib.Path(os.environ.get("PORTITOR_BIN", REPOSITORY / "build" / "release" / "portitor"))
    path = os.environ.get("PORTITOR_KUBE_CONTRACT", program.parent / "test" / "integration" / "kube_contract")
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"{path} is not there: build it first (cmake --build --preset release)")
    return pathlib.Path(path).resolve()


def cases():
    """The names of all cases that are not about the look-alike alone."""
    listed = subprocess.run([binary(), "--list-test-names-only", "~[fake]"], capture_output=True, text=True)
    return [line.strip() for line in listed.stdout.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def control(cluster):
    served = Control(cluster, cluster.directory / "control.sock")
    yield served
    served.reset()
    served.close()


@pytest.mark.parametrize("name", cases())
def test_real_server(control, name):
    pattern = name.replace("\\", "\\\\").replace(",", "\\,").replace("[", "\\[")
    done = subprocess.run(
        control.wrap([binary(), pattern, "--durations", "yes"]),
        env=os.environ | {"PORTITOR_TEST_SERVER": "real", "PORTITOR_TEST_CONTROL": str(control.path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    for line in done.stdout.splitlines():
        if line.startswith("SKIPPED: "):
            pytest.skip(line.removeprefix("SKIPPED: "))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "All tests passed" in done.stdout
