"""Helm itself on the real API server: install, upgrade, uninstall, and what stays. No pod runs there."""

import json
import subprocess
import time
from pathlib import Path

import pytest
from cluster import Cluster, chart, is_true, wait_until
from renders import Renders

CRDS = {f"{kind}.obol.org" for kind in ("serviceoffers", "paymentroutes", "registrationrequests")}
NAMESPACE = chart.NAMESPACE
HOOK = "portitor-release-finalizers"
# The Prometheus Operator is not there.
NO_MONITOR = "--set=serviceMonitor.enabled=false"


@pytest.fixture(scope="module")
def cluster():
    with Cluster(traefik=False, portitor=False) as started:
        yield started


def start(cluster, *arguments):
    command = cluster.wrap([Renders().helm, *arguments, "--namespace", NAMESPACE])
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=cluster.environment(), **output)


def helm(cluster, *arguments):
    running = start(cluster, *arguments)
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 0, said
    return said


def our_crds(cluster):
    return {crd["metadata"]["name"] for crd in cluster.get("crd")["items"]} & CRDS


def complete(cluster, job):
    """What the job controller writes when the pod has ended well."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    conditions = [{"type": kind, "status": "True"} for kind in ("SuccessCriteriaMet", "Complete")]
    status = {"startTime": now, "completionTime": now, "succeeded": 1, "conditions": conditions}
    patch = json.dumps({"status": status})
    cluster.kubectl("patch", "job", job, "-n", NAMESPACE, "--subresource=status", "--type=merge", "-p", patch)


def test_a_release_lives(cluster):
    assert our_crds(cluster) == set()
    said = helm(cluster, "install", "portitor", chart.CHART, f"--values={Renders.file('ha')}", NO_MONITOR)
    assert our_crds(cluster) == CRDS
    assert "have a record of payments each" in said and "kubectl get serviceoffers" in said
    assert cluster.get("deployment", "portitor-verifier", NAMESPACE)["spec"]["replicas"] == 3
    # What belongs to the uninstall is not there before.
    assert cluster.get("job", HOOK, NAMESPACE) is None
    assert cluster.get("clusterrole", HOOK) is None

    before = cluster.get("deployment", "portitor-verifier", NAMESPACE)["spec"]["template"]["metadata"]["annotations"]
    helm(cluster, "upgrade", "portitor", chart.CHART, "--set=publicURL=https://api.example.com")
    after = cluster.get("deployment", "portitor-verifier", NAMESPACE)["spec"]["template"]["metadata"]["annotations"]
    assert before["checksum/config"] != after["checksum/config"]
    assert cluster.get("poddisruptionbudget", "portitor-verifier", NAMESPACE) is None

    running = start(cluster, "uninstall", "portitor", "--timeout=60s")
    wait_until(lambda: cluster.get("job", HOOK, NAMESPACE), 30, "the uninstall has begun with its Job")
    assert cluster.get("serviceaccount", HOOK, NAMESPACE) and cluster.get("clusterrolebinding", HOOK)
    assert cluster.get("deployment", "portitor-controller", NAMESPACE)
    complete(cluster, HOOK)
    said, _ = running.communicate(timeout=90)
    assert running.returncode == 0, said
    assert our_crds(cluster) == CRDS
    for kind, name in (("serviceaccount", HOOK), ("job", HOOK), ("deployment", "portitor-controller")):
        wait_until(lambda: cluster.get(kind, name, NAMESPACE) is None, 10, f"{kind} {name} is gone")
    for kind in ("clusterrole", "clusterrolebinding"):
        left = [each["metadata"]["name"] for each in cluster.get(kind)["items"]]
        assert not [name for name in left if name.startswith("portitor")]
    assert cluster.get("validatingadmissionpolicy")["items"] == []


def test_a_new_release_takes_over_what_was_kept(cluster):
    credentials = json.dumps([{"name": "llm", "existingSecret": "llm", "key": "token", "namespaces": ["models"]}])
    helm(cluster, "install", "portitor", chart.CHART, f"--set-json=credentials={credentials}")

    def gate_key():
        return cluster.get("secret", "portitor-gate-key", NAMESPACE)

    made = gate_key()["data"]
    helm(cluster, "upgrade", "portitor", chart.CHART, "--reuse-values", "--set=publicURL=https://api.example.com")
    assert gate_key()["data"] == made, "an upgrade keeps the gate key"
    helm(cluster, "upgrade", "portitor", chart.CHART, "--reset-values")
    assert gate_key() is None
    helm(cluster, "uninstall", "portitor", "--no-hooks")
    assert our_crds(cluster) == CRDS


def test_a_release_leaves_the_predecessors_crds_as_they_are(cluster):
    """They belong to a Helm release of its own, so Helm would refuse to install over them."""
    folder = Path(__file__).parents[1] / "e2e" / "predecessor" / "crds"
    theirs = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    cluster.delete("crd", *(CRDS - {"paymentroutes.obol.org"}))
    cluster.apply(theirs)

    def live():
        out = [cluster.get("crd", each["metadata"]["name"]) for each in theirs]
        return [(each["metadata"]["uid"], each["metadata"]["generation"], each["spec"]) for each in out]

    def accepted(name):
        found = cluster.get("crd", name)
        return is_true(found, "NamesAccepted") and is_true(found, "Established")

    for each in theirs:
        wait_until(lambda: accepted(each["metadata"]["name"]), 20, "the predecessor's kinds are served")
    before = live()
    helm(cluster, "install", "portitor", chart.CHART, '--set-json=crds.install=["PaymentRoute"]')
    wait_until(lambda: accepted("paymentroutes.obol.org"), 20, "PaymentRoute is served beside them")
    helm(cluster, "uninstall", "portitor", "--no-hooks")
    assert live() == before


def test_the_predecessors_uninstall_leaves_the_crds_that_portitor_has_taken_over(cluster, tmp_path):
    """They are in its release: without that all offers would go with it."""
    cluster.delete("crd", *CRDS, "purchaserequests.obol.org", missing_ok=True)
    folder = Path(__file__).parents[1] / "e2e" / "predecessor" / "crds"
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: base, version: 0.1.0}")
    for path in folder.glob("*.json"):
        crd = json.loads(path.read_text())
        crd["metadata"] = {"name": crd["metadata"]["name"]}
        (tmp_path / "templates" / path.name.replace(".json", ".yaml")).write_text(json.dumps(crd))
    helm(cluster, "install", "base", tmp_path)
    helm(cluster, "install", "portitor", chart.CHART, "--take-ownership")
    uids = {name: cluster.get("crd", name)["metadata"]["uid"] for name in CRDS}
    schema = cluster.get("crd", "registrationrequests.obol.org")["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert "agentURI" in schema["properties"]["spec"]["properties"]
    said = helm(cluster, "uninstall", "base")
    assert "not owned by this release" in said
    assert uids == {name: cluster.get("crd", name)["metadata"]["uid"] for name in CRDS}
    helm(cluster, "uninstall", "portitor", "--no-hooks")
    assert our_crds(cluster) == CRDS
