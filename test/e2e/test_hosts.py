"""Hosts belong to somebody, on the real API server and Traefik: whose they are, what is sold there, and what is told there."""

import json
import time

import pytest
import x402
from cluster import wait_until
from stack import GATEWAY, NAMESPACE
from test_conflicts import by_hand, placed

PUBLIC, SECOND, OWN, APP, LABELLED = "api.test", "www.test", "own.test", "app.test", "a.labels.test"
PORT = 8000
OTHERS = "others"
SERVICES = "/api/services.json"
REGISTRATIONS = "/.well-known/agent-registration.json"
LISTS = f"""
publicHosts: [WWW.test]
hosts:
- {{host: {OWN}, namespaces: [{NAMESPACE}]}}
- {{host: "*.labels.test", namespaceSelector: {{matchLabels: {{sells: "yes"}}}}}}
"""
# As the chart gives it where an entry goes by labels.
READER = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]}
RBAC = "rbac.authorization.k8s.io"


def restart(stack, *flags):
    process = stack.cluster.processes["controller"]
    process.stop()
    stack.start_role("controller", *flags)
    stack.wait_ready("controller")


@pytest.fixture(scope="module")
def hosts(stack):
    """The stack, with hosts that are somebody's."""
    account = {"kind": "ServiceAccount", "name": "portitor-controller", "namespace": "portitor"}
    meta = {"name": "portitor-controller-namespaces"}
    reader = [
        {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": meta, "rules": [READER]},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": meta["name"]},
            "subjects": [account],
        },
    ]
    stack.cluster.apply(reader)
    for namespace in (NAMESPACE, OTHERS):
        stack.cluster.service(namespace, "hello", 9000)
    config = stack.cluster.directory / "hosts.yaml"
    config.write_text(stack.config.read_text().split("hosts:")[0] + LISTS)
    restart(stack, f"--config={config}", f"--public-url=http://{PUBLIC}:{PORT}")
    yield stack
    for namespace in (NAMESPACE, OTHERS):
        stack.remove_offers(namespace)
    for each in reader:
        stack.cluster.delete(each["kind"].lower(), meta["name"])
    restart(stack)


@pytest.fixture
def sold(hosts):
    """Makes offers one after the other, each of a second of its own; they go with the test."""
    made = []

    def make(name, path, hostname="", namespace=NAMESPACE, ready=True, **more):
        each = placed(name, path, hostname, namespace=namespace, **more)
        each["spec"]["registration"] = {"enabled": True}
        made.append((name, namespace))
        hosts.cluster.apply(each)
        if ready:
            hosts.wait_condition(name, "Ready", namespace=namespace)
        time.sleep(1.1)

    yield make
    for name, namespace in made:
        hosts.cluster.delete("serviceoffer", name, ns=namespace, missing_ok=True)


def ask(stack, host, path):
    return stack.get(path, [("Host", f"{host}:{PORT}")])


def settings_of(stack):
    """For commands: what the controller of this file is told."""
    url = f"--public-url=http://{PUBLIC}:{PORT}"
    return [f"--config={stack.cluster.directory}/hosts.yaml", url, "--allow-insecure-facilitator"]


def seller(stack, host, path):
    """Whose gate answers there, or else the status."""
    answer = ask(stack, host, path)
    return answer.headers.get("X-Portitor-Route") or answer.status


def wait_seller(stack, host, path, whose):
    wait_until(lambda: seller(stack, host, path) == whose, 10, f"{host}{path} is {whose}'s")


def wait_reason(stack, name, reason, namespace=NAMESPACE):
    wait_until(
        lambda: stack.conditions(name, namespace).get("RoutePublished", ("", ""))[1] == reason,
        10,
        f"{name} is {reason}",
    )
    return stack.conditions(name, namespace)["RoutePublished"][2]


def listed(stack, host):
    """What services.json and the agents' file of a host tell of."""
    services, agents = ask(stack, host, SERVICES), ask(stack, host, REGISTRATIONS)
    if (services.status, agents.status) != (200, 200):
        return services.status, agents.status
    return (
        sorted(each["name"] for each in json.loads(services.body)["services"]),
        sorted(each["name"] for each in json.loads(agents.body)["agents"]),
    )


def test_another_teams_host_cannot_be_taken(hosts, sold):
    app = by_hand("app", "/", namespace=OTHERS)
    app["spec"]["hostnames"] = [APP]
    hosts.cluster.apply(app)
    try:
        wait_until(lambda: seller(hosts, APP, "/login") == 200, 10, "the other team's site answers")
        sold("thief", "/login", APP, ready=False)
        message = wait_reason(hosts, "thief", "HostNotAllowed")
        assert f"{{host: {APP}, namespaces: [{NAMESPACE}]}}" in message
        assert hosts.conditions("thief")["Ready"][:2] == ("False", "HostNotAllowed")
        assert not hosts.cluster.get("httproute", "so-thief", NAMESPACE)
        # Nor by an offer without a host, nor by the documents.
        sold("plain", "/services/plain")
        wait_seller(hosts, PUBLIC, "/services/plain", f"{NAMESPACE}/plain")
        wait_seller(hosts, SECOND, "/services/plain", f"{NAMESPACE}/plain")
        for path in ("/login", "/services/plain", SERVICES, REGISTRATIONS):
            assert seller(hosts, APP, path) == 200 and json.loads(ask(hosts, APP, path).body)["path"] == path
        # Whoever asks beforehand, or why, is told the same.
        flags = settings_of(hosts)
        missing = f"namespace {NAMESPACE} may not have {APP}"
        said = hosts.portitor("once", f"{NAMESPACE}/thief", *flags)
        assert "HostNotAllowed" in said.stdout
        file = hosts.cluster.directory / "thief.yaml"
        file.write_text(json.dumps(placed("bandit", "/x", APP)))
        said = hosts.portitor("once", "-f", str(file), "-o", "json", *flags)
        (bandit,) = json.loads(said.stdout)["offers"]
        assert bandit["blocked"]["reason"] == "HostNotAllowed" and missing in bandit["blocked"]["message"]
        selling = ["sell", "http", "bandit", "-n", NAMESPACE, "--upstream=hello", "--port=9000", "--price=0.001"]
        selling += [f"--pay-to={x402.SELLER}", f"--hostname={APP}", "--path=/x", "--dry-run"]
        said = hosts.portitor(*selling, *flags)
        assert said.returncode != 0 and missing in said.stdout + said.stderr
        said = hosts.portitor("explain", f"http://{APP}:{PORT}/login", *flags)
        assert f"ServiceOffer {NAMESPACE}/thief asks for this place" in said.stdout
    finally:
        hosts.cluster.delete("httproute", "app", ns=OTHERS)


def test_a_hosted_offer_at_the_root_and_hostless_ones_live_side_by_side(hosts, sold):
    sold("plain", "/services/plain")
    sold("own", "/", OWN)
    sold("later", "/services/later")
    for name in ("plain", "later"):
        wait_seller(hosts, PUBLIC, f"/services/{name}", f"{NAMESPACE}/{name}")
        wait_seller(hosts, OWN, f"/services/{name}", f"{NAMESPACE}/own")
    assert seller(hosts, PUBLIC, "/elsewhere") == 404
    route = hosts.cluster.get("httproute", "so-plain", NAMESPACE)
    assert route["spec"]["hostnames"] == [PUBLIC, SECOND]
    for name in ("plain", "own", "later"):
        assert hosts.conditions(name)["Ready"][0] == "True"
    assert hosts.cluster.get("serviceoffer", "own", NAMESPACE)["status"]["endpoint"] == f"http://{OWN}:{PORT}/"


def test_who_may_not_have_a_host_keeps_nobody_from_it(hosts, sold):
    sold("squatter", "/", OWN, namespace=OTHERS, ready=False)
    wait_reason(hosts, "squatter", "HostNotAllowed", OTHERS)
    # Younger, and it is its host.
    sold("owner", "/deep", OWN)
    wait_seller(hosts, OWN, "/deep", f"{NAMESPACE}/owner")
    # A public host is no host of one's own: it is the place of everybody's.
    sold("first", "/services/same", namespace=OTHERS)
    sold("second", "/services/same", SECOND, ready=False)
    assert "an earlier offer of another namespace" in wait_reason(hosts, "second", "PathConflict")
    sold("root", "/", PUBLIC, ready=False)
    wait_reason(hosts, "root", "ReservedPath")


def test_labels_of_a_namespace_give_and_take_a_host(hosts, sold):
    sold("labelled", "/x", LABELLED, namespace=OTHERS, ready=False)
    wait_reason(hosts, "labelled", "HostNotAllowed", OTHERS)
    try:
        hosts.cluster.patch("namespace", OTHERS, {"metadata": {"labels": {"sells": "yes"}}})
        hosts.wait_condition("labelled", "Ready", namespace=OTHERS)
        wait_seller(hosts, LABELLED, "/x", f"{OTHERS}/labelled")
    finally:
        hosts.cluster.patch("namespace", OTHERS, {"metadata": {"labels": {"sells": None}}})
    wait_reason(hosts, "labelled", "HostNotAllowed", OTHERS)
    wait_seller(hosts, LABELLED, "/x", 404)
    assert not hosts.cluster.get("httproute", "so-labelled", OTHERS)


def test_each_host_tells_of_what_is_sold_there(hosts, sold):
    sold("plain", "/services/plain")
    sold("own", "/", OWN)
    for host in (PUBLIC, SECOND):
        wait_until(lambda host=host: listed(hosts, host) == (["plain"], ["plain"]), 10, f"{host} tells of plain")
    wait_until(lambda: listed(hosts, OWN) == (["own"], ["own"]), 10, "the own host tells of own")
    agents = json.loads(ask(hosts, OWN, REGISTRATIONS).body)
    assert agents["name"] == f"{OWN}:{PORT}"
    assert agents["services"] == [{"name": "web", "endpoint": f"http://{OWN}:{PORT}{SERVICES}"}]
    # All agents have their documents where their URIs lead, and at their own host.
    uid = hosts.cluster.get("serviceoffer", "own", NAMESPACE)["metadata"]["uid"]
    document = f"/.well-known/agent-registration/{uid}.json"
    assert agents["agents"][0]["agentURI"] == f"http://{PUBLIC}:{PORT}{document}"
    assert (ask(hosts, PUBLIC, document).status, ask(hosts, OWN, document).status) == (200, 200)
    plain = hosts.cluster.get("serviceoffer", "plain", NAMESPACE)["metadata"]["uid"]
    # The own host has no other's.
    assert ask(hosts, OWN, f"/.well-known/agent-registration/{plain}.json").status == 404
    routes = {
        each["metadata"]["name"]: each["spec"]["hostnames"]
        for each in hosts.cluster.get("httproute", ns="portitor")["items"]
    }
    assert routes == {"portitor-discovery": [PUBLIC, SECOND], "portitor-discovery-2": [OWN]}
    hosts.cluster.delete("serviceoffer", "own", ns=NAMESPACE)
    wait_until(lambda: not hosts.cluster.get("httproute", "portitor-discovery-2", "portitor"), 10, "its route goes")
    wait_until(lambda: listed(hosts, OWN) == (404, 404), 10, "nothing is told there")


def test_a_host_of_ones_own_where_every_host_is_public(stack, hosts, sold):
    """Then offers without a host answer there too, where their path is the longer one: Traefik goes by length."""
    config = hosts.cluster.directory / "every.yaml"
    config.write_text((hosts.cluster.directory / "hosts.yaml").read_text().replace("[WWW.test]", "['*']"))
    restart(hosts, f"--config={config}", f"--public-url={GATEWAY}")
    try:
        sold("plain", "/services/plain")
        sold("same", "/own/path")
        sold("own", "/own/path", OWN)
        wait_seller(hosts, "any.test", "/own/path", f"{NAMESPACE}/same")
        wait_seller(hosts, OWN, "/own/path", f"{NAMESPACE}/own")
        hosts.cluster.apply(placed("own", "/", OWN))
        wait_seller(hosts, OWN, "/x", f"{NAMESPACE}/own")
        wait_seller(hosts, OWN, "/services/plain", f"{NAMESPACE}/plain")
        hosts.cluster.patch("serviceoffer", "own", {"spec": {"registration": {"enabled": True}}}, NAMESPACE)
        wait_until(lambda: listed(hosts, OWN) == (["own"], ["own"]), 10, "the own host tells of own")
        wait_until(lambda: listed(hosts, "any.test") == (["plain", "same"],) * 2, 10, "others of the public ones")
    finally:
        restart(hosts, f"--config={hosts.cluster.directory}/hosts.yaml", f"--public-url=http://{PUBLIC}:{PORT}")


def test_doctor_and_explain_know_the_hosts(hosts, sold):
    sold("own", "/", OWN)
    flags = settings_of(hosts)
    done = hosts.portitor("doctor", "--only=gateway", "-o", "json", *flags)
    (found,) = [each for each in json.loads(done.stdout)["findings"] if each["check"] == "hosts"]
    assert found["verdict"] == "ok" and f"{PUBLIC}, {SECOND}" in found["words"]
    said = hosts.portitor("explain", f"http://{OWN}:{PORT}/x", "-o", "json", *flags)
    assert f"{NAMESPACE}/own" in said.stdout
