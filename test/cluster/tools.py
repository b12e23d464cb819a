"""Where the programs and the foreign YAML files are, as test/tools/build.sh tells."""

import subprocess
from pathlib import Path
from typing import NamedTuple

from .errors import ClusterError

REPOSITORY = Path(__file__).resolve().parents[2]

_NEEDED = ["etcd", "helm", "kube-apiserver", "kubectl", "kube-controller-manager", "traefik", "gateway-api"]


class Tools(NamedTuple):
    """Folders of programs and of YAML files."""

    bin: Path
    gateway_api_crds: Path
    traefik_crds: Path
    traefik_rbac: Path


def find():
    """The tools, which must have been built."""
    folders = _folders(*_NEEDED)
    return Tools(*(Path(folders[field.upper()]) for field in Tools._fields))


def program(name):
    """One program, whatever else has been built."""
    return Path(_folders(name)["BIN"]) / name


def _folders(*names):
    command = [REPOSITORY / "test" / "tools" / "build.sh", "--print", *names]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise ClusterError(done.stderr.strip())
    return dict(line.split("=", 1) for line in done.stdout.splitlines())
