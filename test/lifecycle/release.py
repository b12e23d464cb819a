"""The chart, as an operator installs it, on a cluster that runs its pods."""

import json
import subprocess

import yaml
from cluster.chart import CHART, NAMESPACE
from market import FACILITATOR_PORT, GATEWAY

IMAGE = "portitor:under-test"

# What an operator of this cluster has to say.
VALUES = {
    "image": dict(zip(("repository", "tag"), IMAGE.split(":"))),
    "publicURL": GATEWAY,
    "gateway": {"url": GATEWAY},
    "defaultFacilitator": f"http://facilitator.markets.svc:{FACILITATOR_PORT}",
    "allowInsecureFacilitator": True,
    # A name leads to another pod within a second here, and nobody waits longer than he has to.
    "verifier": {"shutdownDelaySeconds": 3},
    "settings": {
        "leader-elect-lease-duration": "6s",
        "leader-elect-renew-deadline": "4s",
        "leader-elect-retry-period": "1s",
    },
}


class Release:
    """Helm, for the one release `portitor`."""

    def __init__(self, market):
        self._cluster = market.cluster
        self.notes = ""

    def install(self):
        self.notes = self._helm("install", "portitor", CHART, *self._values({}), "--create-namespace", "--wait")

    def upgrade(self, **changes):
        """With `changes` laid over the values."""
        self._helm("upgrade", "portitor", CHART, *self._values(changes), "--wait", "--timeout=90s")

    def rollback(self, revision):
        self._helm("rollback", "portitor", str(revision), "--wait")

    def test(self):
        self._helm("test", "portitor", "--timeout=60s")

    def uninstall(self):
        return self._helm("uninstall", "portitor", "--wait")

    def history(self):
        return json.loads(self._helm("history", "portitor", "--output=json"))

    def manifest(self):
        """What it has put on the cluster, as YAML."""
        return self._helm("get", "manifest", "portitor")

    def _values(self, changes):
        file = self._cluster.directory / "values.yaml"
        laid_over = {key: VALUES.get(key, {}) | value for key, value in changes.items()}
        file.write_text(yaml.safe_dump(VALUES | laid_over))
        return ["--values", file]

    def _helm(self, *arguments):
        folders = {f"HELM_{each}_HOME": str(self._cluster.directory / "helm") for each in ("CACHE", "CONFIG", "DATA")}
        done = subprocess.run(
            self._cluster.wrap(["helm", *arguments, "--namespace", NAMESPACE]),
            env=self._cluster.environment() | folders,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"helm {arguments[0]}: {done.stderr.strip()}")
        return done.stdout
