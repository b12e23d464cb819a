"""Kubeconfig files."""

import base64
from pathlib import Path

import yaml


def write(path, server, ca, user):
    """Writes a kubeconfig for one server, checked against the certificate authority `ca`, and one user."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": server, "certificate-authority-data": encoded(ca)}}],
        "users": [{"name": "test", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    path = Path(path)
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config, sort_keys=False))


def encoded(path):
    """A file as kubeconfig's `…-data` fields want it."""
    return base64.b64encode(Path(path).read_bytes()).decode()
