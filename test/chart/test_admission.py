"""The chart's admission policies and roles on the real API server: who may write what, and that deletion goes on."""

import subprocess
import time

import pytest
from cluster import ApiError, kubeconfig, wait_until
from cluster.components import API_SERVER
from offer import CHILDREN, NAMESPACE, REFUSED_SPEC, REFUSED_STATUS, STATUSES, Offer, child, status_of

ACCOUNT = "system:serviceaccount:portitor:portitor-"
CONTROLLER = f"{ACCOUNT}controller"
STATUS_WRITER = {"paymentroute": f"{ACCOUNT}verifier", "registrationrequest": f"{ACCOUNT}registrar"}
OTHERS = ["admin", "seller", *STATUS_WRITER.values(), f"{ACCOUNT}release-finalizers"]

CHANGES = {
    "paymentroute": {"spec": {"price": "1"}},
    "registrationrequest": {"spec": {"agentURI": "https://elsewhere.example.com/agent.json"}},
}


@pytest.fixture(scope="module")
def offer(cluster, renders):
    return Offer(cluster, renders)


def anybody(cluster, user):
    """This user, with every right that RBAC can give: only the policies are left to refuse."""
    return cluster.api.impersonating(user, "system:masters")


def patch(cluster, kind, body, user, subresource=None):
    anybody(cluster, user).patch(kind, CHILDREN[kind], body, NAMESPACE, subresource=subresource)


@pytest.mark.parametrize("user", OTHERS)
@pytest.mark.parametrize("kind", CHILDREN)
def test_nobody_but_the_controller_writes_specs(cluster, offer, kind, user):
    with pytest.raises(ApiError, match=REFUSED_SPEC):
        patch(cluster, kind, CHANGES[kind], user)
    with pytest.raises(ApiError, match=REFUSED_SPEC):
        anybody(cluster, user).create(child(kind, "another"))
    # Labels, finalizers and the like are whose RBAC allows it.
    patch(cluster, kind, {"metadata": {"labels": {"seen": "yes"}}}, user)


@pytest.mark.parametrize("kind", CHILDREN)
def test_the_controller_writes_specs(cluster, offer, kind):
    patch(cluster, kind, CHANGES[kind], CONTROLLER)
    offer.make()


@pytest.mark.parametrize("kind", CHILDREN)
def test_statuses_are_their_roles(cluster, offer, kind):
    theirs = STATUS_WRITER[kind]
    for user in [CONTROLLER, *OTHERS]:
        if user != theirs:
            with pytest.raises(ApiError, match=REFUSED_STATUS):
                patch(cluster, kind, STATUSES[kind], user, "status")
    patch(cluster, kind, STATUSES[kind], theirs, "status")


@pytest.mark.parametrize("kind", CHILDREN)
def test_the_roles_own_rights_are_enough(cluster, offer, kind):
    """As the processes write: with the role's token, by server-side apply."""
    role = STATUS_WRITER[kind].removeprefix(ACCOUNT)
    cluster.role_api(role).apply(status_of(kind), manager=f"portitor-{role}", subresource="status")


def test_sellers_write_offers_alone(cluster, offer):
    cluster.kubectl("create", "rolebinding", "seller", "--clusterrole=portitor-edit", "--user=seller", "-n", NAMESPACE)
    seller = cluster.api.impersonating("seller")
    for verb in ("create", "update", "patch", "delete"):
        wait_until(lambda: seller.may(verb, "serviceoffers", NAMESPACE), 10, f"the seller may {verb} offers")
        for kind in ("paymentroutes", "registrationrequests", "secrets"):
            assert not seller.may(verb, kind, NAMESPACE)
        assert not seller.may(verb, "serviceoffers", NAMESPACE, "status")


def test_the_uninstall_takes_finalizers_off_and_nothing_else(cluster, offer, binary, tmp_path):
    token = cluster.api.token("portitor-release-finalizers", "portitor")
    config = tmp_path / "kubeconfig"
    kubeconfig.write(config, API_SERVER, cluster.ca, {"token": token})
    command = [binary, "release-finalizers", f"--kubeconfig={config}", "--release-namespace=portitor"]
    done = subprocess.run(cluster.wrap(command), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(offer.children()) == 2
    request = cluster.get("registrationrequest", CHILDREN["registrationrequest"], NAMESPACE)
    assert "finalizers" not in request["metadata"]
    account = cluster.api.impersonating(f"{ACCOUNT}release-finalizers")
    for kind in CHILDREN:
        with pytest.raises(ApiError, match="forbidden"):
            account.delete(kind, CHILDREN[kind], ns=NAMESPACE)
    offer.make()


@pytest.mark.parametrize("cascade", ["background", "foreground"])
def test_children_go_with_their_offer(offer, cascade):
    offer.make()
    offer.delete(cascade.capitalize())
    wait_until(lambda: not offer.children(), 30, "the garbage collector has taken the children")


def test_orphans_can_be_deleted(cluster, offer):
    offer.make()
    time.sleep(2)  # The garbage collector lets go only what its watch has told it of.
    offer.delete("Orphan")
    assert len(offer.children()) == 2
    # The garbage collector's change.
    wait_until(
        lambda: not any("ownerReferences" in each["metadata"] for each in offer.children()), 30, "they are orphans"
    )
    for kind, name in CHILDREN.items():
        cluster.delete(kind, name, ns=NAMESPACE, propagation="Foreground", timeout=30)


def test_a_namespace_can_be_deleted(cluster, offer):
    offer.make()
    offer.release()
    cluster.delete("namespace", NAMESPACE)


def test_the_registrar_reads_the_secrets_that_are_listed_and_no_others(cluster, renders):
    listed = renders.of(signers=[{"namespace": NAMESPACE, "secret": "agent-key"}])
    roles = [each for each in listed if each["metadata"]["name"] == "portitor-registrar-signers"]
    assert [each["kind"] for each in roles] == ["Role", "RoleBinding"]
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for name in ("agent-key", "another"):
        about = {"name": name, "namespace": NAMESPACE}
        cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": about, "stringData": {"password": "a"}})
    registrar = cluster.role_api("registrar")

    def reads(name):
        try:
            return registrar.get("secret", name, NAMESPACE) is not None
        except ApiError as error:
            assert error.status == 403
            return False

    assert not reads("agent-key")
    cluster.apply(roles)
    wait_until(lambda: reads("agent-key"), 10, "the registrar reads the Secret that is listed")
    assert not reads("another")
    with pytest.raises(ApiError, match="forbidden"):
        registrar.get("secret", ns=NAMESPACE)
    for kind in ("rolebinding", "role"):
        cluster.delete(kind, "portitor-registrar-signers", ns=NAMESPACE)
