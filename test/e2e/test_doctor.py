"""`portitor doctor` on the real parts: what is well is said to be, and what is broken is named."""

import contextlib
import json
import os
import re
import subprocess
import sys

import pytest
import transcript
import yaml
from cluster import wait_until
from kube_client import MERGE_PATCH, KubeClient
from market import ADDRESS
from stack import FACILITATOR_PORT, GATEWAY, HEALTH_PORTS, ROOT, SCRIPTED_PORT, VERIFIER_PORT, offer

NAMESPACE = "patients"


class Doctor:
    """Runs it, by the settings of the release's ConfigMap with `changes` laid over them."""

    def __init__(self, stack, folder):
        self._stack = stack
        self._file = folder / "portitor.yaml"

    def settings(self):
        found = self._stack.cluster.get("configmap", "portitor-config", "portitor")
        return yaml.safe_load(found["data"]["portitor.yaml"])

    def visit(self, *flags, changes=None):
        """The findings, and the exit code."""
        if changes:
            self._file.write_text(yaml.safe_dump(self.settings() | changes))
            flags = (*flags, f"--config={self._file}")
        if not any(each.startswith("--kubeconfig") for each in flags):
            flags = (*flags, f"--kubeconfig={self._stack.cluster.kubeconfig}")
        done = self._stack.portitor("doctor", "-o", "json", *flags)
        assert done.stdout, done.stderr
        return json.loads(done.stdout), done.returncode


def said(report, area, verdict):
    return [each for each in report["findings"] if (each["area"], each["verdict"]) == (area, verdict)]


def words(found):
    return " | ".join(f"{each['check']}: {each['words']}" for each in found)


def kubeconfig_of(stack, folder, namespace, account):
    """A kubeconfig of a ServiceAccount. (Not of a role's: what those use is counted elsewhere.)"""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    status, answer = KubeClient(stack.cluster).request("POST", path, review)
    assert status == 201, answer
    kubeconfig = yaml.safe_load(stack.cluster.kubeconfig.read_text())
    kubeconfig["users"][0]["user"] = {"token": answer["status"]["token"]}
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(kubeconfig))
    return file


@pytest.fixture
def doctor(stack, tmp_path):
    return Doctor(stack, tmp_path)


@pytest.fixture(scope="module")
def sold(stack):
    """One offer that is paid at the real facilitator, and one at that which tests script."""
    stack.cluster.service(NAMESPACE, "hello", 9000)
    for made in (offer("well", namespace=NAMESPACE), offer("odd", namespace=NAMESPACE, facilitator="scripted")):
        stack.cluster.apply(made)
    for name in ("well", "odd"):
        stack.wait_condition(name, "Ready", namespace=NAMESPACE)
    yield
    stack.remove_offers(NAMESPACE)


@pytest.fixture
def script(stack, scripted):
    """Sets what the scripted facilitator does; as usual again afterwards."""

    def say(**what):
        query = "&".join(f"{key}={value}" for key, value in what.items())
        wait_until(
            lambda: stack.cluster.http("GET", f"http://127.0.0.1:{SCRIPTED_PORT}/script?{query}").status == 200,
            10,
            "the scripted facilitator answers",
        )

    say()
    yield say
    say()


def test_what_is_well_is_said_to_be(stack, sold, doctor, script):
    report, code = doctor.visit()
    assert code == 0, words([each for each in report["findings"] if each["verdict"] == "failure"])
    assert report["settings"] == "the ConfigMap portitor/portitor-config"
    assert report["summary"]["failure"] == 0
    for area, check in (
        ("api-server", "version"),
        ("api-server", "clock"),
        ("crds", "serviceoffers.obol.org"),
        ("rights", "controller (portitor/portitor-controller)"),
        ("rights", "verifier (portitor/portitor-verifier)"),
        ("rights", "registrar (portitor/portitor-registrar)"),
        ("roles", "Lease portitor-controller"),
        ("gateway", "GatewayClass traefik"),
        ("gateway", "allowedRoutes"),
        ("gateway", "Service portitor/portitor-verifier"),
        ("gateway", "discovery"),
        ("traefik", "Middlewares and routes of offers"),
        ("bypasses", "HTTPRoutes"),
        ("gate", f"{NAMESPACE}/well by gateway-url"),
        ("gate", f"{NAMESPACE}/well by public URL"),
        ("offers", "Ready"),
    ):
        assert check in [each["check"] for each in said(report, area, "ok")], (area, check)
    assert "serves eip155:84532" in words(said(report, "facilitators", "ok"))
    assert words(said(report, "crds", "ok")).count("its schema is that of this program") == 3


def test_it_writes_nothing_and_says_so_in_text(stack, sold, doctor, script):
    def asked():
        return [
            each
            for each in stack.cluster.audit_events()
            if each.get("userAgent", "").startswith("portitor/") and "admin" in each["user"]["username"]
        ]

    before = len(asked())
    done = stack.portitor("doctor", f"--kubeconfig={stack.cluster.kubeconfig}")
    assert done.returncode == 0, done.stdout
    assert "\ngate\n" in done.stdout and ", 0 failure, " in done.stdout
    written = {each["objectRef"]["resource"] for each in asked()[before:] if each["verb"] not in ("get", "list")}
    # Reviews are questions.
    assert written <= {"selfsubjectaccessreviews", "subjectaccessreviews"}


def test_the_charts_account_may_look_at_all_of_it(stack, sold, doctor, script, tmp_path):
    file = kubeconfig_of(stack, tmp_path, "portitor", "portitor-doctor")
    report, code = doctor.visit(f"--kubeconfig={file}", changes={"log-level": "info"})
    assert code == 0, words([each for each in report["findings"] if each["verdict"] == "failure"])
    assert [each["words"] for each in said(report, "rights", "ok")][0] == "it may look at everything"
    assert "right to" not in words([each for each in report["findings"] if each["verdict"] == "notChecked"])


def test_it_asks_for_nothing_that_its_table_of_rights_lacks(stack, sold, doctor, script, tmp_path):
    file = kubeconfig_of(stack, tmp_path, "portitor", "portitor-doctor")
    before = len(stack.cluster.audit_events())
    doctor.visit(f"--kubeconfig={file}", changes={"log-level": "info"})
    asked = [
        each
        for each in stack.cluster.audit_events()[before:]
        if each["user"]["username"] == "system:serviceaccount:portitor:portitor-doctor"
    ]
    listed = [
        each
        for each in json.loads(stack.portitor("doctor", "--rights", "-o", "json").stdout)
        if each["who"] == "doctor"
    ]
    # Everybody may ask about himself; and where the Gateway's namespace has no Traefik, one looks for it elsewhere.
    listed.append(right("create", "authorization.k8s.io", "selfsubjectaccessreviews"))
    listed += [right("list", "apps", resource) for resource in ("deployments", "daemonsets")]
    gateway = doctor.settings().get("gateway", "traefik/traefik-gateway").split("/")[0]
    places = {"everywhere": None, "release": "portitor", "gateway": gateway}
    resources = [each for each in asked if "objectRef" in each]
    assert {each["objectRef"]["resource"] for each in resources} >= {"serviceoffers", "middlewares", "leases"}
    unlisted = {
        f"{each['verb']} {each['requestURI']}"
        for each in resources
        if not any(covers(one, each, places[one["where"]]) for one in listed)
    }
    assert unlisted == set()


def right(verb, group, resource):
    return {"verb": verb, "group": group, "resource": resource, "where": "everywhere", "name": ""}


def covers(right, request, namespace):
    """Whether a right, in that namespace or everywhere, is what a request of the audit log takes."""
    what = request["objectRef"]
    resource = "/".join(filter(None, [what["resource"], what.get("subresource")]))
    return (
        (right["verb"], right["group"], right["resource"]) == (request["verb"], what.get("apiGroup", ""), resource)
        and namespace in (None, what.get("namespace"))
        and right["name"] in ("", what.get("name"))
    )


def test_who_may_little_is_told_what_is_missing(stack, sold, doctor, tmp_path):
    account = {"name": "nobody", "namespace": NAMESPACE}
    stack.cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    file = kubeconfig_of(stack, tmp_path, NAMESPACE, "nobody")
    report, code = doctor.visit(f"--kubeconfig={file}", "--offline")
    assert code == 0, words([each for each in report["findings"] if each["verdict"] == "failure"])
    assert report["settings"].startswith("defaults: the ConfigMap portitor/portitor-config cannot be read")
    assert words(said(report, "settings", "notChecked")).startswith("settings: those of the installation are not known")
    assert "get customresourcedefinitions" in words(said(report, "crds", "notChecked"))
    assert "create subjectaccessreviews" in words(said(report, "rights", "notChecked"))
    assert "list serviceoffers" in words(said(report, "rights", "info"))


@pytest.mark.parametrize(
    "kind, verdict, what",
    [
        ("redirect", "failure", f"HTTP 307: it redirects to http://127.0.0.1:{SCRIPTED_PORT}/elsewhere"),
        ("elsewhere", "failure", f"it does not serve eip155:84532, in which offers are paid: {NAMESPACE}/odd"),
        ("unauthorized", "failure", "HTTP 401: it wants credentials"),
        ("forbidden", "failure", "HTTP 403: it refuses"),
        ("unknown", "info", "HTTP 404: it has no /supported"),
        ("html", "warning", "is not one of x402"),
        ("huge", "failure", "HTTP"),
        ("close", "failure", "HTTP"),
    ],
)
def test_a_facilitator_that_is_no_good_is_named(stack, sold, doctor, script, kind, verdict, what):
    script(supported=kind)
    report, code = doctor.visit("--only=facilitators")
    found = [each for each in said(report, "facilitators", verdict) if each["check"].startswith("scripted")]
    assert found, report
    if what != "HTTP":
        assert what in words(found)
    assert code == (1 if verdict == "failure" else 0)


PAGE = ROOT / "docs" / "doctor.md"
# As the documentation names them.
NAMES = {
    GATEWAY: "http://api.example.com",
    f"http://127.0.0.1:{SCRIPTED_PORT}": "https://pay.example.net",
    f"http://127.0.0.1:{FACILITATOR_PORT}": "https://facilitator.example.com",
    f"{NAMESPACE}/": "sellers/",
}


def unwrapped(text):
    """Lines break by the length of names."""
    return re.sub(r"\n {17,20}(?!->)(?=\S)", " ", text)


@pytest.fixture
def faults(stack, sold, script):
    """A facilitator that sends payments elsewhere, an offer on a network that there is not, a way around the gate."""
    script(supported="redirect")
    # Those of registrars that other tests have killed.
    leases = [each["metadata"]["name"] for each in stack.cluster.get("lease", ns="portitor")["items"]]
    stack.cluster.delete("lease", *(name for name in leases if name.startswith("portitor-registrar-")), ns="portitor")
    stack.cluster.apply([offer("typo", namespace=NAMESPACE, network="base-sepola"), ingress_to_what_is_sold()])
    stack.wait_condition("typo", "PaymentGateReady", "False", namespace=NAMESPACE)
    yield
    stack.cluster.delete("ingress", "free", ns=NAMESPACE)
    stack.cluster.delete("serviceoffer", "typo", ns=NAMESPACE)


def test_the_documentation_shows_what_is_printed(stack, faults):
    page = PAGE.read_text()
    (step,) = transcript.steps(page)
    assert step.command == "portitor doctor", "all of it"
    printed = unwrapped(stack.portitor("doctor", f"--kubeconfig={stack.cluster.kubeconfig}").stdout)
    for name, instead in NAMES.items():
        printed = printed.replace(name, instead)
    if os.environ.get("PORTITOR_UPDATE_DOCS"):
        PAGE.write_text(transcript.rewritten(page, [printed]))
        return
    assert transcript.difference(unwrapped(step.shown), printed) == ""


@contextlib.contextmanager
def silent_listener(stack, port):
    """Listens in the cluster's network, and never answers."""
    code = f"import socket; s = socket.create_server(('{ADDRESS}', {port})); print(1, flush=True); import time; time.sleep(99)"
    process = subprocess.Popen(stack.cluster.wrap([sys.executable, "-c", code]), stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline()
        yield
    finally:
        process.kill()
        process.wait()


def verifier_pod(client, name, gate_port, health_port):
    """A pod, and an EndpointSlice of the Service "gates" that leads to it."""
    core = f"/api/v1/namespaces/{NAMESPACE}"
    target = {"kind": "Pod", "name": name, "namespace": NAMESPACE}
    slice_of = {
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": "gates"}},
        "addressType": "IPv4",
        "ports": [{"name": "gate", "port": gate_port}, {"name": "metrics", "port": health_port}],
        "endpoints": [{"addresses": [ADDRESS], "conditions": {"ready": True}, "targetRef": target}],
    }
    pod = {"metadata": {"name": name}, "spec": {"containers": [{"name": name, "image": "none"}]}}
    client.request("POST", f"{core}/serviceaccounts", {"metadata": {"name": "default"}})
    for method, where, body in [
        ("POST", f"{core}/pods", pod),
        ("PATCH", f"{core}/pods/{name}/status", {"status": {"podIP": ADDRESS, "podIPs": [{"ip": ADDRESS}]}}),
        ("POST", f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices", slice_of),
    ]:
        answer = client.request(method, where, body, MERGE_PATCH if method == "PATCH" else "application/json")
        assert answer[0] in (200, 201), answer


def remove_verifier_pod(client, name):
    client.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}?gracePeriodSeconds=0")
    client.request("DELETE", f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices/{name}")


def test_a_pod_of_the_verifier_that_hangs_is_named(stack, sold, doctor):
    client = KubeClient(stack.cluster)
    silent_port = 8590
    changes = {"verifier-service": f"{NAMESPACE}/gates"}
    with silent_listener(stack, silent_port):
        verifier_pod(client, "gate-well", VERIFIER_PORT, HEALTH_PORTS["verifier"])
        verifier_pod(client, "gate-hangs", silent_port, silent_port)
        try:
            report, code = doctor.visit("--only=gateway", "--timeout=6s", changes=changes)
            assert code == 1
            assert words(said(report, "gateway", "failure")) == (
                "Pod gate-hangs: it is ready, and does not answer (no answer within 2 s), as others do"
            )
            assert "verifier pods: 1 answer: gate-well" in words(said(report, "gateway", "ok"))
        finally:
            for name in ("gate-well", "gate-hangs"):
                remove_verifier_pod(client, name)


def test_a_silent_facilitator_holds_up_nobody(stack, sold, doctor, script):
    script(supported="drip")
    report, code = doctor.visit("--only=facilitators", "--only=gate", "--timeout=3s")
    assert code == 1
    assert "scripted" in words(said(report, "facilitators", "failure"))
    assert "serves eip155:84532" in words(said(report, "facilitators", "ok"))
    assert len(said(report, "gate", "ok")) == 4


def test_a_gateway_of_another_name_is_missed(sold, doctor):
    report, code = doctor.visit("--only=gateway", changes={"gateway": "traefik/nowhere"})
    assert code == 1
    assert words(said(report, "gateway", "failure")) == (
        "Gateway traefik/nowhere: it is not there (there are: traefik/traefik-gateway of traefik)"
    )


def test_a_listener_of_another_name_is_missed(sold, doctor):
    report, _ = doctor.visit("--only=gateway", changes={"gateway-section": "https"})
    assert "listener https: the Gateway has no such listener" in words(said(report, "gateway", "failure"))
    report, _ = doctor.visit("--only=gateway", changes={"gateway-controller": "example.com/gateway"})
    assert "but gateway-controller says example.com/gateway" in words(said(report, "gateway", "failure"))


def test_nodes_are_those_of_their_chain(stack, sold, doctor):
    chains = [{"name": "base", "rpcURL": stack.chain.url}, {"name": "base-sepolia", "rpcURL": stack.chain.url}]
    report, code = doctor.visit("--only=nodes", changes={"chains": chains})
    assert code == 1
    failures = words(said(report, "nodes", "failure"))
    assert "base: node: its node is one of chain 84532, but base is chain 8453" in failures
    assert "there is no contract at that address" in failures
    assert "base-sepolia: node: a node of chain 84532" in words(said(report, "nodes", "ok"))
    assert stack.chain.url not in json.dumps(report)


def ingress_to_what_is_sold():
    backend = {"service": {"name": "hello", "port": {"number": 9000}}}
    rule = {"http": {"paths": [{"path": "/free", "pathType": "Prefix", "backend": backend}]}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "free", "namespace": NAMESPACE},
        "spec": {"rules": [rule]},
    }


def test_other_ways_to_what_is_sold_are_named(stack, sold, doctor):
    stack.cluster.apply(ingress_to_what_is_sold())
    try:
        report, code = doctor.visit("--only=bypasses")
        assert (code, doctor.visit("--only=bypasses", "--strict")[1]) == (0, 1)
        assert f"Ingress {NAMESPACE}/free: it leads to the Service {NAMESPACE}/hello" in words(
            said(report, "bypasses", "warning")
        )
    finally:
        stack.cluster.delete("ingress", "free", ns=NAMESPACE)


def test_offers_that_are_not_sold_are_grouped_by_cause(stack, sold, doctor):
    for name in ("broken", "broken-too"):
        stack.cluster.apply(offer(name, namespace=NAMESPACE, network="nowhere"))
    try:
        for name in ("broken", "broken-too"):
            stack.wait_condition(name, "PaymentGateReady", "False", namespace=NAMESPACE)
        report, _ = doctor.visit("--only=offers")
        found = words(said(report, "offers", "warning"))
        assert "PaymentGateReady UnknownNetwork: 2 offers are not Ready" in found
        assert f"{NAMESPACE}/broken, {NAMESPACE}/broken-too" in found
    finally:
        stack.cluster.delete("serviceoffer", "broken", "broken-too", ns=NAMESPACE)


def test_what_is_typed_wrong_is_a_matter_of_usage(stack):
    done = stack.portitor("doctor", "--only=everything")
    assert done.returncode == 2 and "--only" in done.stderr
