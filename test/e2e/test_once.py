"""`portitor once`: what it foretells is what the controller makes; it tells whose a field is; and it writes nothing."""

import json
import pytest
import x402
import yaml
from audit import AuditTail
from cluster import kubeconfig, wait_until
from kube_client import KubeClient
from market import GATEWAY
from stack import offer

NAMESPACE = "outlook"
KINDS = {"PaymentRoute": "paymentroutes", "Middleware": "middlewares", "HTTPRoute": "httproutes"}


@pytest.fixture(scope="module", autouse=True)
def sold(stack):
    """An offer that is as it should be, in a namespace that has been left empty afterwards."""
    stack.cluster.service(NAMESPACE, "hello", 9000)
    stack.cluster.apply(offer("settled", namespace=NAMESPACE))
    stack.wait_condition("settled", "Ready", namespace=NAMESPACE)
    yield
    stack.remove_offers(NAMESPACE)


@pytest.fixture
def client(stack):
    return KubeClient(stack.cluster)


@pytest.fixture
def once(stack):
    """Runs it, and sees that nothing was written: the exit code, and what was said (JSON, unless told otherwise)."""

    def run(*words, files=(), code, config=None, output="json"):
        tail = AuditTail(stack.cluster)
        stdin = yaml.safe_dump_all(files) if files else None
        flags = [f"--kubeconfig={config or stack.cluster.kubeconfig}", f"--output={output}", *words]
        done = stack.portitor("once", *flags, *(["-f", "-"] if files else []), stdin=stdin)
        assert done.returncode == code, done.stdout + done.stderr
        assert tail.writes_by_commands() == []
        return json.loads(done.stdout) if output == "json" else done.stdout + done.stderr

    return run


def the_offer(said, name):
    return next(each for each in said["offers"] if each["name"] == name)


def actions(offer_said):
    return {each["kind"]: each["action"] for each in offer_said["children"]}


def child(offer_said, kind):
    return next(each for each in offer_said["children"] if each["kind"] == kind)


def test_nothing_is_to_be_done_for_an_offer_that_is_as_it_should_be(once):
    said = once(f"{NAMESPACE}/settled", code=0)
    assert said["lookedAt"]["settings"] == "the ConfigMap portitor/portitor-config"
    assert said["lookedAt"]["notSeen"] == []
    settled = the_offer(said, "settled")
    assert set(actions(settled).values()) == {"same"}
    assert settled["conditions"][-1]["type"] == "Ready" and settled["conditions"][-1]["status"] == "True"
    assert settled["terms"]["prices"][0]["words"] == "0.001 USDC on Base Sepolia a request"
    # The file of it is the same offer.
    assert once(files=[offer("settled", namespace=NAMESPACE)], code=0)["offers"][0]["standing"] == "same"
    assert once(f"{NAMESPACE}/absent", code=1)["errors"] == [f"ServiceOffer {NAMESPACE}/absent is not there"]


def test_a_field_of_somebody_else_is_told_with_its_owner(stack, client, once):
    hosts = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute"}
    hosts |= {"metadata": {"name": "so-settled", "namespace": NAMESPACE}, "spec": {"hostnames": ["else.example.com"]}}
    controller = stack.cluster.processes["controller"]
    controller.pause()
    try:
        stack.cluster.api.apply(hosts, manager="somebody-else")
        said = once(f"{NAMESPACE}/settled", code=2)
        text = once(f"{NAMESPACE}/settled", code=2, output="text")
    finally:
        controller.resume()
    route = child(the_offer(said, "settled"), "HTTPRoute")
    assert (route["action"], route["comparedBy"], route["edited"]) == ("change", "server", True)
    assert route["disputes"] == [{"field": ".spec.hostnames", "manager": "somebody-else"}]
    assert any(line == "-    - else.example.com" for line in route["diff"]), route["diff"]
    assert said["plan"]["change"] == 1 and said["plan"]["same"] == 2
    assert f"~ change HTTPRoute {NAMESPACE}/so-settled" in text
    assert "spec.hostnames: owned by somebody-else; the controller would take it back" in text
    wait_until(lambda: not client.get("httproutes", "so-settled", NAMESPACE)["spec"]["hostnames"], 10, "it is put right")


def test_a_file_that_changes_a_price(once):
    dearer = offer("settled", "0.5", namespace=NAMESPACE)
    said = once(files=[dearer], code=2)
    settled = the_offer(said, "settled")
    assert settled["standing"] == "changed" and '+      perRequest: "0.5"' in settled["diff"]
    assert actions(settled) == {"PaymentRoute": "change", "Middleware": "same", "HTTPRoute": "same"}
    terms = child(settled, "PaymentRoute")
    assert '-  price: "1000"' in terms["diff"] and '+  price: "500000"' in terms["diff"]
    assert terms["comparedBy"] == "server"


def test_what_stands_in_the_way_is_told(stack, once):
    rival = offer("rival", namespace=NAMESPACE)
    rival["spec"]["path"] = "/services/settled/deep"
    reserved = offer("reserved", namespace=NAMESPACE)
    reserved["spec"]["path"] = "/.well-known/x402"
    stranger = offer("stranger", namespace=NAMESPACE)
    stranger["spec"]["upstream"]["namespace"] = "elsewhere"
    wrong = offer("wrong", namespace=NAMESPACE)
    wrong["spec"]["upstream"]["port"] = 0
    fine = offer("fine", namespace=NAMESPACE)
    said = once(files=[rival, reserved, stranger, wrong, fine], code=1)
    reasons = {each["name"]: each.get("blocked", {}).get("reason") for each in said["offers"]}
    assert reasons == {
        "fine": None,
        "reserved": "ReservedPath",
        "rival": "PathConflict",
        "stranger": "CrossNamespaceUpstream",
        "wrong": None,
    }
    assert f"{NAMESPACE}/settled" in the_offer(said, "rival")["blocked"]["message"]
    assert "spec.upstream.port" in the_offer(said, "wrong")["problems"][0]
    assert said["plan"]["blocked"] == 3 and said["plan"]["invalid"] == 1
    assert actions(the_offer(said, "fine")) == dict.fromkeys(KINDS, "create")
    grant = {
        "apiVersion": "gateway.networking.k8s.io/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"name": "to-outlook", "namespace": "elsewhere"},
        "spec": {
            "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": NAMESPACE}],
            "to": [{"group": "", "kind": "Service", "name": "hello"}],
        },
    }
    stack.cluster.service("elsewhere", "hello", 9000)
    stack.cluster.apply(grant)
    try:
        assert "blocked" not in once(files=[stranger], code=2)["offers"][0]
    finally:
        stack.cluster.delete("referencegrants.gateway.networking.k8s.io", "to-outlook", ns="elsewhere")


def test_the_controller_makes_what_was_foretold(stack, client, once):
    rich = offer("foretold", namespace=NAMESPACE)
    # A tool that tracks what it applied by a label must not find it on what it did not apply.
    rich["metadata"]["labels"] = {"argocd.argoproj.io/instance": "shop"}
    rich["spec"]["payment"]["price"] = {"perMTok": "2.5"}
    rich["spec"]["routes"] = [
        {"path": "/docs", "gate": "free"},
        {"path": "/report", "price": {"perRequest": "0.5"}},
    ]
    said = the_offer(once(files=[rich], code=2), "foretold")
    assert [each["words"] for each in said["terms"]["prices"]] == [
        "0.0025 USDC on Base Sepolia a request",
        "free",
        "0.5 USDC on Base Sepolia a request",
    ]
    assert said["terms"]["prices"][0]["derivation"] == "2.5 USDC per MTok x 1000 tokens = 0.0025 USDC"
    assert said["terms"]["endpoint"] == f"{GATEWAY}/services/foretold"
    stack.cluster.apply(rich)
    stack.wait_condition("foretold", "Ready", namespace=NAMESPACE)
    for each in said["children"]:
        live = client.get(KINDS[each["kind"]], each["name"], NAMESPACE)
        assert each["wanted"]["spec"] == live["spec"], each["kind"]
        assert each["wanted"]["metadata"]["labels"] == live["metadata"]["labels"]
        assert not rich["metadata"]["labels"].keys() & live["metadata"]["labels"].keys()
    assert once(f"{NAMESPACE}/foretold", code=0)["plan"]["same"] == 3


def test_who_may_only_look_is_told_what_was_not_seen(stack, once):
    config = viewer(stack, ["serviceoffers", "paymentroutes"])
    said = once(files=[offer("settled", "0.5", namespace=NAMESPACE)], code=2, config=config)
    missing = " ".join(said["lookedAt"]["notSeen"])
    for word in ("HTTPRoutes", "Middlewares", "ReferenceGrants", "ServiceOffers in outlook"):
        assert word in missing, (word, missing)
    assert "cannot be read" in said["lookedAt"]["settings"]
    assert child(the_offer(said, "settled"), "PaymentRoute")["comparedBy"] == "portitor"
    nobody = once(f"{NAMESPACE}/settled", code=1, config=viewer(stack, []), output="text")
    assert "serviceoffers.obol.org is forbidden" in nobody


def viewer(stack, kinds):
    """The kubeconfig of somebody who may read these kinds of ours, everywhere, and nothing else."""
    name = f"viewer-{len(kinds)}"
    group = "rbac.authorization.k8s.io"
    account = {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}
    rules = [{"apiGroups": ["obol.org"], "resources": kinds, "verbs": ["get", "list"]}] if kinds else []
    role = {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [account],
    }
    made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": NAMESPACE}}
    stack.cluster.apply([made, role, binding])
    path = stack.cluster.directory / f"{name}.kubeconfig"
    server = yaml.safe_load(stack.cluster.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    token = stack.cluster.api.token(name, NAMESPACE)
    kubeconfig.write(path, server, stack.cluster.ca, {"token": token})
    asks = stack.cluster.api.bearing(token)
    wait_until(lambda: all(asks.may("list", kind) for kind in kinds), 10, "the API server has seen it")
    return path


def test_the_predecessors_prices_beside_ours(stack, once):
    facilitator = yaml.safe_load(
        stack.cluster.get("configmap", "portitor-config", "portitor")["data"]["portitor.yaml"]
    )["default-facilitator"]
    pricing = {
        "wallet": x402.SELLER,
        "chain": "base-sepolia",
        "facilitatorURL": facilitator,
        "verifyOnly": True,
        "routes": [
            {"pattern": "/services/settled/*", "price": "0.001", "upstreamAuth": "Bearer a-secret"},
            {"pattern": "/services/hourly/*", "price": "6", "priceModel": "perHour"},
            {"pattern": "/services/gone/*", "price": "1", "network": "base"},
        ],
    }
    hourly = offer("hourly", namespace=NAMESPACE)
    hourly["spec"]["payment"]["price"] = {"perHour": "6"}
    theirs = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x402-pricing", "namespace": NAMESPACE},
        "data": {"pricing.yaml": yaml.safe_dump(pricing)},
    }
    stack.cluster.apply(theirs)
    where = f"--compare={NAMESPACE}/x402-pricing"
    said = once(where, files=[hourly], code=2)
    results = {each["pattern"]: each["result"] for each in said["routes"]}
    assert results["/services/settled/*"] == "same"
    assert results["/services/gone/*"] == "only there"
    assert results["/services/hourly/*"] == "differs"
    different = next(each for each in said["routes"] if each["pattern"] == "/services/hourly/*")
    assert different["differences"] == ["price: there 6 USDC on Base Sepolia, here 0.5 USDC on Base Sepolia"]
    assert "5 minutes of 60" in different["remarks"][0]
    text = once(where, code=2, output="text")
    assert "a-secret" not in text and "= /services/settled/*" in text


def test_a_dry_run_is_asked_for_what_differs_alone(stack, once):
    tail = AuditTail(stack.cluster)
    once(f"{NAMESPACE}/settled", f"{NAMESPACE}/foretold", code=0)
    assert tail.dry_runs_by_commands() == []
    once(files=[offer("settled", "0.5", namespace=NAMESPACE)], code=2)
    assert {what for what, _ in tail.dry_runs_by_commands()} == {"serviceoffers", "paymentroutes"}
    once("--no-dry-run", files=[offer("settled", "0.6", namespace=NAMESPACE)], code=2)
