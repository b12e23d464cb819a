"""Before an uninstall: everything that Portitor holds is let go, nothing becomes free, and what stays on chain is named."""

import json
import subprocess

import pytest
import yaml
from cluster import wait_until
from kube_client import KubeClient
from oracle import FINALIZER
from polling import UnpaidPoller
from restarts import Kubelet, restart
from stack import binary, offer

NAMESPACE = "leaving"
LEASE = "portitor-controller"
LEASE_SECONDS = 4  # instead of 15: what release-finalizers waits for a controller to end


@pytest.fixture
def client(stack):
    """An offer that is only sold, and one that is registered on chain as well."""
    stack.cluster.service(NAMESPACE, "hello", 9000)
    out = KubeClient(stack.cluster)
    for name, registered in (("plain", False), ("enrolled", True)):
        made = offer(name, namespace=NAMESPACE, registration=registered)
        assert out.create("serviceoffers", made, NAMESPACE)[0] == 201
        stack.wait_condition(name, "Ready", namespace=NAMESPACE)
    # The registrar has said what it has to say, and will not say it after this.
    stack.wait_condition("enrolled", "Registered", namespace=NAMESPACE)
    request = ("registrationrequests", "enrolled-registration", NAMESPACE)
    record = {"phase": "Confirmed", "agentId": "4711", "txHash": "0x" + "ab" * 32}
    assert out.patch_status(*request, record)[0] == 200
    yield out
    # Nobody here can retire it.
    out.patch_status(*request, {"agentId": "", "txHash": ""})
    stack.remove_offers(NAMESPACE)


@pytest.fixture
def short_lease(stack):
    """The leader has a Lease of LEASE_SECONDS; whoever is started after it has the usual one."""
    times = {"lease-duration": LEASE_SECONDS, "renew-deadline": LEASE_SECONDS - 1, "retry-period": 1}
    client = KubeClient(stack.cluster)
    restart(stack, "controller", *(f"--leader-elect-{name}={value}s" for name, value in times.items()))
    # Ready is a candidate as well, and nobody is waited for who does not lead.
    wait_until(lambda: leads(client, LEASE_SECONDS), 20, "it leads")
    yield
    # Also where the test has failed: nobody else is to wait for a Lease of a minute.
    client.patch("leases", LEASE, "portitor", {"spec": {"leaseDurationSeconds": 1}})
    restart(stack, "controller")


def release(stack, *flags, kubeconfig=None):
    command = [binary(), "release-finalizers", f"--kubeconfig={kubeconfig or stack.cluster.kubeconfig}", *flags]
    done = subprocess.run(stack.cluster.wrap(command), capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def held(client):
    return [
        name
        for kind in ("serviceoffers", "registrationrequests")
        for name, found in client.list(kind, NAMESPACE).items()
        if FINALIZER in found["metadata"].get("finalizers", [])
    ]


def versions(client):
    return {name: each["metadata"]["resourceVersion"] for name, each in client.list("serviceoffers", NAMESPACE).items()}


def lease(client):
    return client.get("leases", LEASE, "portitor")["spec"]


def leads(client, seconds):
    """A controller with a Lease of that duration."""
    spec = lease(client)
    return spec.get("holderIdentity") and spec["leaseDurationSeconds"] == seconds


def is_told(client):
    """All of what the request says is in the offer's status: nothing is left to be written."""
    status = client.get("serviceoffers", "enrolled", NAMESPACE)["status"]
    told = {each["type"]: each["status"] for each in status["conditions"]}
    return status.get("agentId") and told["Registered"] == told["Ready"] == "True"


def test_a_dry_run_names_what_is_held_and_changes_nothing(stack, client):
    wait_until(lambda: is_told(client), 10, "it is told")
    before = versions(client)
    leader = lease(client)["holderIdentity"]
    code, said, _ = release(stack, "--dry-run")
    assert code == 0
    for name in ("ServiceOffer leaving/plain", "ServiceOffer leaving/enrolled"):
        assert f"{name}: would be released" in said
    assert 'agent "4711" on base-sepolia' in said and "nothing was changed" in said
    assert held(client) == ["enrolled", "plain", "enrolled-registration"]
    assert lease(client)["holderIdentity"] == leader
    assert versions(client) == before


def test_a_dry_run_for_programs_says_the_same(stack, client):
    wait_until(lambda: is_told(client), 10, "it is told")
    code, said, told = release(stack, "--dry-run", "-o", "json")
    found = json.loads(said)
    assert (code, found["dryRun"], found["complete"]) == (0, True, True)
    mine = {(each["kind"], each["name"]): each for each in found["objects"] if each["namespace"] == NAMESPACE}
    assert set(mine) == {
        ("ServiceOffer", "plain"), ("ServiceOffer", "enrolled"), ("RegistrationRequest", "enrolled-registration")
    }  # fmt: skip
    assert not any(each["released"] for each in mine.values())
    stays = {"chain": "base-sepolia", "agentId": "4711", "transaction": "0x" + "ab" * 32}
    assert mine["RegistrationRequest", "enrolled-registration"]["onChain"] == stays
    assert mine["ServiceOffer", "plain"]["onChain"] is None
    assert "would be released" in told, "people see how far it is all the same"
    in_yaml = yaml.safe_load(release(stack, "--dry-run", "-o", "yaml")[1])
    # Other tests' offers come and go in namespaces of their own.
    for each in (found, in_yaml):
        each["objects"] = [about for about in each["objects"] if about["namespace"] == NAMESPACE]
    assert in_yaml == found


def test_where_portitor_runs_is_the_releases_namespace(stack, client):
    code, said, complaint = release(stack, "--release-namespace", "nowhere", "-o", "json")
    assert code == 1 and "namespace nowhere (--release-namespace)" in complaint
    assert json.loads(said) == {"dryRun": False, "complete": False, "objects": []}
    assert held(client) == ["enrolled", "plain", "enrolled-registration"]
    # Elsewhere -n is the namespace of offers, and this is about all of them.
    code, _, complaint = release(stack, "-n", NAMESPACE)
    assert code == 2 and "-n: there is no such flag" in complaint


def test_all_is_let_go_and_stays_so_while_the_controller_is_started_again_and_again(stack, client, short_lease):
    with UnpaidPoller(stack, "/services/plain/x") as poller, Kubelet(stack) as kubelet:
        code, said, complaint = release(stack, "--release-namespace=portitor")
        assert code == 0, complaint
        assert kubelet.starts["controller"] == 1, "it has lost its Lease, and waits for the next"
        assert kubelet.starts["verifier"] == 0
        assert held(client) == []
        assert said.count("agent \"4711\"") == 1 and "objects released" in said
        # What was let go needs nobody to be deleted.
        client.delete("serviceoffers", "enrolled", NAMESPACE)
        wait_until(lambda: client.get("serviceoffers", "enrolled", NAMESPACE) is None, 5, "it is gone at once")
        wait_until(lambda: client.list("registrationrequests", NAMESPACE) == {}, 20, "its request went with it")
        assert held(client) == []
        # Whoever does not uninstall after all has a controller again when that Lease has run out: longer than it was
        # waited for the old one, which is more than this test wants to wait.
        assert lease(client)["leaseDurationSeconds"] == LEASE_SECONDS + 60
        client.patch("leases", LEASE, "portitor", {"spec": {"leaseDurationSeconds": 1}})
        wait_until(lambda: held(client) == ["plain"], 20, "a controller holds it again")
    stack.wait_condition("plain", "Ready", namespace=NAMESPACE)
    assert poller.free_rides() == []


def test_who_may_not_do_it_is_told_what_is_missing(stack, client):
    code, _, complaint = release(stack, kubeconfig=stack.cluster.directory / "tokens" / "traefik.kubeconfig")
    assert code == 1
    assert "Lease" in complaint and "cannot get resource" in complaint
    assert held(client) == ["enrolled", "plain", "enrolled-registration"]
