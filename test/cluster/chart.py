"""What the project's Helm chart makes, as objects."""

import os
import subprocess

import yaml

from .errors import ClusterError
from .tools import REPOSITORY

CHART = REPOSITORY / "charts" / "portitor"
RELEASE = NAMESPACE = "portitor"
_KUBE_VERSION = "1.37.2"
# The one in C is ten times as fast, and the CRDs are long.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def helm(program, *arguments):
    """Runs Helm, which knows no cluster here; returns what it printed."""
    environment = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
    done = subprocess.run([program, *arguments], capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise ClusterError(done.stderr.strip())
    return done.stdout


def render(program, *arguments, release=RELEASE, namespace=NAMESPACE):
    """The text of the chart's objects, with more arguments of `helm template`."""
    fixed = ["template", release, CHART, "--namespace", namespace, "--kube-version", _KUBE_VERSION]
    return helm(program, *fixed, *arguments)


def objects(program, *arguments, **names):
    """The chart's objects."""
    return [each for each in yaml.load_all(render(program, *arguments, **names), LOADER) if each]
