"""`portitor once` on a thousand offers: what it takes without dry runs, on a real API server."""

import json
import resource
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from cluster import Cluster
from kube_client import KubeClient
from stack import binary, offer

NAMESPACE = "default"
NUMBER = 1000
# Seconds of CPU, a few times what it takes: waiting for others does not count.
MOST = 3


@pytest.fixture(scope="module")
def cluster():
    with Cluster(traefik=False, controller_manager=False) as started:
        client = KubeClient(started)
        with ThreadPoolExecutor(4) as pool:
            made = pool.map(lambda each: client.create("serviceoffers", each, NAMESPACE), offers())
            assert {status for status, _ in made} == {201}
        yield started


def offers(price="0.001"):
    return [offer(f"offer-{number}", price, namespace=NAMESPACE) for number in range(NUMBER)]


@pytest.fixture
def once(cluster):
    """Runs it: what it said, and the seconds of CPU that it took."""

    def run(*words, stdin=None, server=True):
        flags = [f"--kubeconfig={cluster.kubeconfig}"] if server else ["--local"]
        begun = time.monotonic()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            cluster.wrap([binary(), "once", "-o", "json", *flags, *words]), input=stdin, capture_output=True, text=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 2, done.stderr
        took = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        print(f"{took:.2f} s of CPU, {time.monotonic() - begun:.2f} s in all:", *words)
        return json.loads(done.stdout)["plan"], took

    return run


def test_files_alone(once):
    plan, took = once("-f", "-", stdin=yaml.safe_dump_all(offers()), server=False)
    assert plan["create"] == 3 * NUMBER
    assert took < MOST


def test_live_offers(once):
    plan, took = once("-A", "--no-dry-run")
    assert plan["create"] == 3 * NUMBER
    assert took < MOST


def test_files_in_the_places_of_live_offers(once):
    """A List in YAML, as `kubectl get -o yaml` writes it."""
    everything = {"apiVersion": "v1", "kind": "List", "items": offers("0.5")}
    plan, took = once("--no-dry-run", "-f", "-", stdin=yaml.safe_dump(everything))
    assert plan["create"] == 3 * NUMBER and plan["invalid"] == 0
    assert took < MOST
