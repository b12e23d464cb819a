"""Selling from the command line, on real parts: what is typed becomes an offer that the controller publishes alone."""

import contextlib
import json
import re
import shlex

import pytest
import registry
import x402
from cluster import kubeconfig, wait_until
from cluster.components import API_SERVER
from kube_client import MERGE_PATCH, KubeClient
from on_chain import Operator
from oracle import CHILDREN
from polling import UnpaidPoller
from stack import ADDRESS, GATEWAY, ROOT, UPSTREAM_PORT

NAMESPACE = "shopkeepers"


@pytest.fixture(scope="module")
def client(stack):
    stack.cluster.service(NAMESPACE, "hello", UPSTREAM_PORT)
    stack.cluster.service(NAMESPACE, "dead", 9099)
    yield KubeClient(stack.cluster)
    stack.remove_offers(NAMESPACE)


def sell(stack, *words, code=0, **more):
    """`portitor sell WORDS -n NAMESPACE`; its standard output."""
    done = stack.portitor("sell", *words, "-n", NAMESPACE, **more)
    assert done.returncode == code, f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def sell_http(stack, name, *more, code=0):
    terms = ["--upstream", "hello", "--port", str(UPSTREAM_PORT), "--price", "0.001", "--pay-to", x402.SELLER]
    return sell(stack, "http", name, *terms, *more, code=code)


def written(client, name):
    return client.get("serviceoffers", name, NAMESPACE)


def children(client, name):
    return [kind for kind, pattern in CHILDREN.items() if client.get(kind, pattern.format(name), NAMESPACE)]


@contextlib.contextmanager
def pod_behind(client, namespace, name):
    """A pod that has the address of a service: the API server's proxy asks nothing else."""
    core = f"/api/v1/namespaces/{namespace}"
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices/{name}"
    endpoint = {"addresses": [ADDRESS], "conditions": {"ready": True}}
    target = {"targetRef": {"kind": "Pod", "name": name, "namespace": namespace}}
    pod = {"metadata": {"name": name}, "spec": {"containers": [{"name": name, "image": "none"}]}}
    status = {"status": {"podIP": ADDRESS, "podIPs": [{"ip": ADDRESS}]}}
    client.request("POST", f"{core}/serviceaccounts", {"metadata": {"name": "default"}})
    for method, where, body in [
        ("POST", f"{core}/pods", pod),
        ("PATCH", f"{core}/pods/{name}/status", status),
        ("PATCH", slices, {"endpoints": [endpoint | target]}),
    ]:
        answer = client.request(method, where, body, MERGE_PATCH if method == "PATCH" else "application/json")
        assert answer[0] in (200, 201), answer
    yield
    client.request("PATCH", slices, {"endpoints": [endpoint]}, MERGE_PATCH)
    for what in (f"pods/{name}?gracePeriodSeconds=0", "serviceaccounts/default"):
        client.request("DELETE", f"{core}/{what}")


@pytest.fixture
def pod(client):
    """Behind the stack's own service, which is the one of the documentation."""
    with pod_behind(client, "sellers", "hello"):
        yield


def blocks(document):
    """The blocks of code in a document that have commands or what they print."""
    return re.findall(r"^```\w*\n(.*?)^```$", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)


def told(text):
    """What does not depend on the clock: not how conditions turned on the way, no ages, no times; nor on who else is an agent."""
    text = text.replace(GATEWAY, "https://api.example.com")
    lines = [each for each in text.splitlines() if not re.match(r" +[0-9.]+s  ", each)]
    text = re.sub(r"\b\d{4}-\d\d-\d\dT[0-9:]+Z", "TIME", "\n".join(lines))
    text = re.sub(r"\bagent \d+", "agent N", text)
    return re.sub(r" +", " ", re.sub(r"(?<= )\d+s\b", "AGE", text)).strip()


def test_what_the_readme_says_sells_a_service(stack, pod):
    typed, shown = [each for each in blocks("README.md") if each.startswith(("portitor sell", "Checks of"))]
    words = shlex.split(typed.replace("\\\n", ""))
    assert words[:4] == ["portitor", "sell", "http", "hello"]
    done = stack.portitor(*words[1:])
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        assert told(done.stdout) == told(shown)
        assert re.search(r"^ +[0-9.]+s  Ready +True +Ready$", done.stdout, re.MULTILINE), done.stdout
        assert stack.get("/services/hello").status == 402
        assert stack.buy(2, "/services/hello/x")["status"] == 200
    finally:
        stack.portitor("sell", "delete", "hello", "-n", "sellers", "--yes")


def test_the_documentation_shows_what_is_printed(stack, pod):
    """Each command of docs/sell.md, one after the other: the last one deletes the offer. The registrar has a key and a chain."""
    with Operator(stack, registry.add_to(stack), "sellers"):
        for block in blocks("docs/sell.md"):
            for typed, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                done = stack.portitor(*shlex.split(typed)[1:])
                assert told(done.stderr + done.stdout) == told(shown), typed
                assert done.returncode == 0, typed


def test_a_sale_from_its_beginning_to_its_end(stack, client):
    name = "counter"
    sell_http(stack, name, "--route", "path=/docs,gate=free", "--route", "path=/report,price=0.5")
    assert name in sell(stack, "list")
    status = sell(stack, "status", name)
    assert "0.001 USDC on Base Sepolia a request" in status
    assert "Admitted      yes" in status
    data = json.loads(sell(stack, "status", name, "-o", "json"))
    assert data["ready"] is True and data["offer"]["metadata"]["name"] == name

    assert "good: the gate asks for 0.001 USDC on Base Sepolia (402), as the offer says" in sell(stack, "test", name)
    assert "good: the gate asks for 0.5 USDC" in sell(stack, "test", name, "--path", "/report")
    assert "good: the path is free" in sell(stack, "test", name, "--path", "/docs", "--url", GATEWAY)
    assert "bad: nothing is published" in sell(stack, "test", name, "--url", f"{GATEWAY}/elsewhere", code=1)

    changed = sell_http(stack, name, "--max-timeout", "60")
    assert "spec.payment.maxTimeoutSeconds: 300 -> 60" in changed
    assert f"ServiceOffer {NAMESPACE}/{name} updated (type: http)" in changed

    path = f"/services/{name}/x"
    with UnpaidPoller(stack, path) as poller:
        assert "it stays paid until 20" in sell(stack, "stop", name, "--grace", "4s", "--yes")
        assert stack.get(path).status == 402
        wait_until(lambda: written(client, name)["status"]["phase"] == "Drained", 15, "it is taken down")
        wait_until(lambda: stack.get(path).status == 404, 5, "it answers 404")
    assert poller.free_rides() == []
    assert "taken down at" in sell(stack, "status", name, code=1)

    assert "is sold again" in sell(stack, "resume", name)
    sell(stack, "status", name, "--watch", "--timeout", "30s")
    gone = sell(stack, "delete", name, "--yes")
    assert f"ServiceOffer {NAMESPACE}/{name} deleted" in gone
    assert written(client, name) is None
    assert children(client, name) == []


def test_a_paid_test_pays_the_price_once(stack, client, tmp_path):
    key = tmp_path / "key"
    key.write_text(x402.BUYER_KEY + "\n")
    key.chmod(0o600)

    def paid(*words, code=0):
        """Its output, and what the buyer paid and the seller got meanwhile."""
        before = [stack.chain.balance(who) for who in (x402.BUYER, x402.SELLER)]
        shown = sell(stack, "test", "tried", "--key-file", str(key), *words, code=code)
        buyer, seller = [stack.chain.balance(who) for who in (x402.BUYER, x402.SELLER)]
        assert x402.BUYER_KEY[2:12] not in shown
        return shown, (before[0] - buyer, seller - before[1])

    sell_http(stack, "tried", "--route", "path=/docs,gate=free", "--route", "path=/report,price=0.5")
    shown, moved = paid()
    assert "good: the gate asks for 0.001 USDC on Base Sepolia (402), as the offer says" in shown
    assert f"paying 0.001 USDC on Base Sepolia to {x402.SELLER} for {GATEWAY}/services/tried from {x402.BUYER}" in shown
    assert "served: status 200" in shown
    assert moved == (1000, 1000)

    shown, moved = paid("-o", "json")
    told = json.loads(shown)
    assert (told["verdict"], told["payment"]["result"], told["payment"]["status"]) == ("good", "served", 200)
    assert moved == (1000, 1000)

    # More than the limit; a path that is free; an answer of somebody else.
    for words, why, code in [
        (["--path", "/report"], "nothing is paid: 0.5 USDC on Base Sepolia: it is more than the 0.01 USDC of --max-amount", 1),
        (["--path", "/docs"], "nothing is paid: the path is free", 0),
        (["--url", f"{GATEWAY}/elsewhere"], "nothing is paid: the answer without a payment is not good", 1),
    ]:
        shown, moved = paid(*words, code=code)
        assert why in shown and moved == (0, 0)
    sell(stack, "delete", "tried", "--yes")


@pytest.mark.parametrize(
    "flags, words_told",
    [
        (["--price", "1e-3"], "error       price     spec.payment.price.perRequest"),
        (["--price", "0.0000001"], "error       price     spec.payment.price.perRequest"),
        (["--network", "moon"], "error       network   spec.payment.network"),
        (["--facilitator", "nobody"], "spec.payment.facilitator"),
        (["--path", "/api/mine"], "error       path      spec.path: /api/mine is reserved"),
        (["--port", "81"], f"has no port 81; its ports: {UPSTREAM_PORT}"),
        (["--upstream", "nothing"], f"there is no Service {NAMESPACE}/nothing"),
        (["--upstream", "hello.sellers"], "ReferenceGrant"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(stack, client, flags, words_told):
    given = {"--upstream": "hello", "--port": str(UPSTREAM_PORT), "--price": "0.001", "--pay-to": x402.SELLER}
    given |= {flags[0]: flags[1]}
    words = [each for pair in given.items() for each in pair]
    assert words_told in sell(stack, "http", "wrong", *words, code=1)
    assert written(client, "wrong") is None


def test_a_path_that_an_older_offer_has_is_told(stack, client):
    sell_http(stack, "first", "--no-wait")
    refused = sell_http(stack, "second", "--path", "/services/first/below", code=1)
    assert f"overlaps with the path of the earlier offer {NAMESPACE}/first" in refused
    assert written(client, "second") is None


def test_an_upstream_that_does_not_answer_is_told_and_is_no_obstacle(stack, client):
    terms = ["--upstream", "dead", "--port", "9099", "--price", "0.001", "--pay-to", x402.SELLER]
    with pod_behind(client, NAMESPACE, "dead"):
        shown = sell(stack, "http", "mute", *terms, "--timeout", "2s", code=1)
    assert re.search(r"^  warning +health .*connection refused; nobody is asked to pay before it answers", shown, re.MULTILINE), shown
    assert "portitor sell status mute" in shown
    wait_until(lambda: "Unhealthy" in sell(stack, "status", "mute", code=1), 10, "it is told")
    assert "See that the pods of the Service run" in sell(stack, "status", "mute", code=1)


def test_fields_of_others_are_left_alone_unless_they_are_asked_for(stack, client):
    sell_http(stack, "shared", "--no-wait")
    stack.cluster.kubectl("patch", "serviceoffer", "shared", "-n", NAMESPACE, "--type=merge", "-p", '{"spec":{"path":"/theirs"}}')
    refused = sell_http(stack, "shared", "--path", "/ours", code=1)
    assert 'path is owned by "kubectl-patch"' in refused
    sell_http(stack, "shared", "--path", "/ours", "--force-conflicts", "--no-wait")
    assert written(client, "shared")["spec"]["path"] == "/ours"


def test_a_registration_is_told_as_it_is(stack, client):
    sell_http(stack, "agent")
    shown = sell(stack, "register", "agent", "--name", "Agent", "--timeout", "20s")
    assert "OffChainOnly: nothing is on chain" in shown
    assert "Registration  OffChainOnly on" in sell(stack, "status", "agent")
    assert "Disabled" in sell(stack, "register", "agent", "--disable", "--yes", "--timeout", "20s")
    again = sell_http(stack, "agent", "--register")
    assert "spec.registration.enabled: false -> true" in again


def seller_with_few_rights(stack):
    """The kubeconfig of somebody who may write the offers of one namespace, and see nothing else."""
    where = {"name": "seller", "namespace": NAMESPACE}
    rules = [{"apiGroups": ["obol.org"], "resources": ["serviceoffers"], "verbs": ["get", "list", "create", "patch"]}]
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": where}
    subject = {"kind": "ServiceAccount"} | where
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "seller"}
    stack.cluster.apply(
        [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": where},
            rbac | {"kind": "Role", "rules": rules},
            rbac | {"kind": "RoleBinding", "subjects": [subject], "roleRef": role},
        ]
    )
    path = stack.cluster.directory / "seller.kubeconfig"
    token = stack.cluster.api.token("seller", NAMESPACE, expirationSeconds=3600)
    kubeconfig.write(path, API_SERVER, stack.cluster.ca, {"token": token})
    return path


def test_who_may_little_sells_all_the_same_and_is_told_what_he_may_not(stack, client):
    flags = ["--kubeconfig", str(seller_with_few_rights(stack))]
    shown = sell_http(stack, "humble", "--path", "/humble", *flags)
    assert f"not checked upstream  you have no right to get services in namespace {NAMESPACE}" in shown
    assert "not checked health" in shown
    assert f"not checked cluster   offers of other namespaces than {NAMESPACE}" in shown
    assert f"ServiceOffer {NAMESPACE}/humble created" in shown
    assert "not known: you have no right to get paymentroutes" in sell(stack, "status", "humble", *flags)
    done = stack.portitor("sell", "delete", "humble", "-n", NAMESPACE, "--yes", *flags)
    assert done.returncode == 1
    assert f"you have no right to delete serviceoffers.obol.org in namespace {NAMESPACE}" in done.stderr
    assert written(client, "humble")
