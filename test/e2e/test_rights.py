"""Each role has the rights that it uses, and no other. What was used is the audit log's account of this session, to which
the first test adds whatever an offer can need."""

import pytest
import registry
from cluster import wait_until
from kube_client import JSON_PATCH, KubeClient
from on_chain import Operator
from rights import NAMESPACE as PORTITOR
from rights import VERBS, Right, account, all_in, allowed, given, used
from stack import HEALTH_PORTS, offer

NAMESPACE = "lawful"
ROLES = tuple(HEALTH_PORTS)

# Looked up by the API server itself, when an owner reference blocks its owner's deletion (admission plug-in
# OwnerReferencesPermissionEnforcement, which this cluster has on): no request of its own.
WITHOUT_REQUEST = {"controller": {Right("update", "obol.org", "serviceoffers/finalizers")}}

# Asked for with hosts by labels alone, and not given: test_missing_kinds shows what comes of that, in the same session.
REFUSED_ON_PURPOSE = {"controller": {Right("list", "", "namespaces"), Right("watch", "", "namespaces")}}


@pytest.fixture(scope="module")
def client(stack):
    """After a life that needs everything: sold, registered, taken and changed by others, deleted."""
    stack.cluster.service(NAMESPACE, "hello", 9000)
    out = KubeClient(stack.cluster)
    for role in ROLES:
        # So that its start, and its Lease, are in the log of a session of this file alone.
        stack.wait_ready(role)
    with Operator(stack, registry.add_to(stack), NAMESPACE) as operator:
        live(stack, out, operator)
    yield out
    stack.remove_offers(NAMESPACE)


def live(stack, out, operator):
    operator.run("--min-interval=1s")
    assert out.create("serviceoffers", offer("citizen", namespace=NAMESPACE, registration=True), NAMESPACE)[0] == 201
    for kind in ("Ready", "Registered"):
        stack.wait_condition("citizen", kind, namespace=NAMESPACE)
    operator.wait_phase("citizen")
    # It is Confirmed once more: the Event that there is already counts.
    operator.change("citizen", metadata={"tier": "gold"})
    (agent,) = operator.agents()
    wait_until(lambda: operator.chain.metadata(agent.id, "tier") == b"gold", 20, "the change is on chain")
    operator.wait_phase("citizen")
    added = [{"op": "add", "path": "/spec/hostnames", "value": ["else.example.com"]}]
    assert out.patch("httproutes", "so-citizen", NAMESPACE, added, JSON_PATCH)[0] == 200
    wait_until(lambda: not out.get("httproutes", "so-citizen", NAMESPACE)["spec"]["hostnames"], 10, "it is put right")
    for _ in range(3):
        out.delete("middlewares", "x402-citizen", NAMESPACE)
        wait_until(lambda: out.get("middlewares", "x402-citizen", NAMESPACE), 10, "it is made again")
    out.delete("serviceoffers", "citizen", NAMESPACE)
    wait_until(lambda: out.get("serviceoffers", "citizen", NAMESPACE) is None, 30, "it is gone")


@pytest.mark.parametrize("role", ROLES)
def test_every_right_is_used_and_none_is_missing(stack, client, role):
    succeeded, refused = used(stack.cluster, role)
    assert sorted(map(str, refused - REFUSED_ON_PURPOSE.get(role, set()))) == []
    unused = given(stack.cluster, role) - succeeded - WITHOUT_REQUEST.get(role, set())
    assert sorted(map(str, unused)) == [], role


@pytest.mark.parametrize("role", ROLES)
def test_every_other_right_is_refused(stack, client, role):
    mine = given(stack.cluster, role)
    assert mine <= all_in(stack.cluster.role_api(role), PORTITOR)
    # What every account may is nothing of the role's.
    nobody = stack.cluster.api.impersonating(account("of-nobody"))
    # A right in all namespaces is one in each of them.
    for namespace in (NAMESPACE, PORTITOR, "kube-system"):
        more = all_in(stack.cluster.role_api(role), namespace) - all_in(nobody, namespace) - mine
        assert sorted(map(str, more)) == []


def test_the_controllers_lease_is_its_own(stack, client):
    """The registrar's are many, by names that are not known before."""
    for verb in ("get", "update"):
        for other in ("portitor-controller", "portitor-registrar-84532-ab", "of-others"):
            right = Right(verb, "coordination.k8s.io", "leases")
            assert allowed(client, "controller", right, PORTITOR, other) == (other == "portitor-controller")


def test_namespaced_rights_end_at_their_namespace(stack, client):
    """Leases of others are not the roles' business, nor Services, but for what the controller has to know of them."""
    for role in ROLES:
        for verb in VERBS:
            assert not allowed(client, role, Right(verb, "coordination.k8s.io", "leases"), "kube-system")
            assert not allowed(client, role, Right(verb, "", "secrets"), NAMESPACE)
            known = role == "controller" and verb in ("list", "watch")
            assert allowed(client, role, Right(verb, "", "services"), NAMESPACE) == known
