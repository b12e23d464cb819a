"""Values that are refused: misspelt ones, wrong ones, and ones that contradict each other."""

import shutil

import pytest
import yaml
from cluster import ClusterError, chart
from renders import pods, select

def selected(**by):
    return {"hosts": [{"host": "a.example.com", "namespaceSelector": by}]}


WRONG = {
    "a key that there is not": ({"replicas": 2}, "replicas"),
    "a misspelt block": ({"verifer": {}}, "verifer"),
    "a misspelt key in a role": ({"verifier": {"replica": 1}}, "replica"),
    "a key of another role": ({"controller": {"acceptUnsharedClaims": True}}, "acceptUnsharedClaims"),
    "a misspelt key deep down": ({"registrar": {"podDisruptionBudget": {"maxUnavailble": 1}}}, "maxUnavailble"),
    "a misspelt setting": ({"settings": {"max-claim": 5}}, "max-claim"),
    "a setting that the chart derives": ({"settings": {"verifier-url": "http://x"}}, "verifier-url"),
    "a number as text": ({"verifier": {"replicas": "2"}}, "verifier/replicas|verifier.replicas"),
    "a level that there is not": ({"logging": {"level": "trace"}}, "level"),
    "a digest that is none": ({"image": {"digest": "sha256:12"}}, "digest"),
    "a URL without a scheme": ({"publicURL": "api.example.com"}, "publicURL"),
    "a facilitator without a URL": ({"facilitators": [{"name": "x"}]}, "url"),
    "a credential for nobody": (
        {"credentials": [{"name": "a", "existingSecret": "s", "key": "k", "namespaces": []}]},
        "namespaces",
    ),
    "a credential's file outside of its folder": (
        {"credentials": [{"name": "../a", "existingSecret": "s", "key": "k", "namespaces": ["x"]}]},
        "name",
    ),
    "a token's address that is none": (
        {"networks": [{"network": "eip155:1", "tokens": [
            {"symbol": "A", "address": "0x1", "name": "A", "version": "1", "decimals": 6}]}]},
        "address",
    ),
    "a budget that holds up node drains": (
        {"verifier": {"podDisruptionBudget": {"maxUnavailable": 0}}},
        "maxUnavailable",
    ),
    "a facilitator that speaks something else": ({"defaultFacilitator": "ftp://f.example.com"}, "defaultFacilitator"),
    "a label that is the chart's own": ({"commonLabels": {"app.kubernetes.io/name": "x"}}, "commonLabels"),
    "a pod's label that is the chart's own": (
        {"verifier": {"podLabels": {"app.kubernetes.io/component": "controller"}}},
        "podLabels",
    ),
    "a key of the registrar's": ({"verifier": {"signer": {"url": "https://s.example.com"}}}, "signer"),
    "a signer's API that there is not": ({"registrar": {"signer": {"api": "rpc"}}}, "api"),
    "an account that is none": ({"registrar": {"signer": {"address": "0x12"}}}, "address"),
    "a public host that is a URL": ({"publicHosts": ["https://api.example.com"]}, "publicHosts"),
    "a host of nobody": ({"hosts": [{"host": "api.example.com"}]}, "namespace"),
    "a host of a namespace that nobody wrote": ({"hosts": [{"host": "api.example.com", "namespaces": []}]}, "namespaces"),
    "a host that is a pattern": ({"hosts": [{"host": "api.*.com", "namespaces": ["a"]}]}, "host"),
    "a signer's Secret of nobody": ({"signers": [{"secret": "key"}]}, "namespace"),
    "an identity that is no number": (
        {"identities": [{"chain": "base", "agentId": "0x2a", "namespace": "a"}]},
        "agentId",
    ),
    "an identity that would lose digits": (
        {"identities": [{"chain": "base", "agentId": 2**60, "namespace": "a"}]},
        "agentId",
    ),
    "a number that would get an exponent": ({"chains": [{"name": "base", "dailySpend": 0.00001}]}, "dailySpend"),
    "money that is no number": ({"registrar": {"lowBalance": "0.001 ether"}}, "lowBalance"),
    "no node in a list of nodes": ({"chains": [{"name": "base", "rpcURLs": []}]}, "rpcURLs"),
    "a kind of registrar that there is not": ({"registrar": {"kind": "CronJob"}}, "kind"),
    # What the program would refuse at its start, when Helm has said that all is well.
    "a public host that is an address": ({"publicHosts": ["10.0.0.1"]}, "publicHosts"),
    "a public host with a long label": ({"publicHosts": ["a" * 64 + ".example.com"]}, "publicHosts"),
    "a host that is an address": ({"hosts": [{"host": "10.0.0.1", "namespaces": ["a"]}]}, "host"),
    "a host with a long label": ({"hosts": [{"host": "*." + "a" * 64, "namespaces": ["a"]}]}, "host"),
    "labels that say nothing": (selected(matchLabels={}), "matchLabels"),
    "expressions that say nothing": (selected(matchExpressions=[]), "matchExpressions"),
    "In, and nothing to be in": (selected(matchExpressions=[{"key": "a", "operator": "In"}]), "values"),
    "Exists with values": (
        selected(matchExpressions=[{"key": "a", "operator": "Exists", "values": ["b"]}]),
        "values",
    ),
    "a label that there cannot be": (selected(matchLabels={"a b": "c"}), "a b"),
    "a label's value that there cannot be": (selected(matchLabels={"a": "b,c"}), "matchLabels"),
    "a selector that matches nothing": ({"settings": {"offer-selector": "team: shop"}}, "offer-selector"),
    "a selector that is not closed": ({"settings": {"offer-selector": "team in (a"}}, "offer-selector"),
    "an origin without a scheme": ({"settings": {"cors-origins": "shop.example"}}, "cors-origins"),
    "an origin as no browser writes it": ({"settings": {"cors-origins": "https://shop.example:443"}}, "cors-origins"),
    "a URL with a user": ({"publicURL": "https://me@api.example.com"}, "publicURL"),
    "a URL with a port that there is not": ({"publicURL": "https://api.example.com:99999"}, "publicURL"),
    "a URL in other letters": ({"publicURL": "https://b\u00fccher.example"}, "publicURL"),
    "a time that is too long": ({"settings": {"deletion-deadline": "86401s"}}, "deletion-deadline"),
    "a number that is too large": ({"settings": {"kube-api-qps": 2**32}}, "kube-api-qps"),
    "a book that is too small": ({"ledger": {"maxSize": "63Mi"}}, "maxSize"),
    "a book that forgets at once": ({"ledger": {"retention": "59m"}}, "retention"),
    "a node twice": ({"chains": [{"name": "base", "rpcURLs": ["https://a", "https://a"]}]}, "rpcURLs"),
    "more nodes than are asked": (
        {"chains": [{"name": "base", "rpcURLs": [f"https://{n}" for n in range(17)]}]},
        "rpcURLs",
    ),
    "more ether than there is": ({"chains": [{"name": "base", "dailySpend": "1" + "0" * 10}]}, "dailySpend"),
    "less than a wei": ({"registrar": {"lowBalance": "0." + "0" * 18 + "1"}}, "lowBalance"),
    "a credential that no offer can name": (
        {"credentials": [{"name": "LLM", "existingSecret": "s", "key": "k", "namespaces": ["x"]}]},
        "name",
    ),
}  # fmt: skip

CONTRADICTIONS = {
    "verifiers without the acknowledgement": (
        {"verifier": {"replicas": 2}},
        r"docs/verifier\.md.*acceptUnsharedClaims",
    ),
    "several verifiers on one volume": (
        {"verifier": {"replicas": 2, "acceptUnsharedClaims": True}, "ledger": {"persistence": {"enabled": True}}},
        r"ledger\.persistence.*verifier\.replicas must be 1",
    ),
    "a claim that nothing uses": (
        {"ledger": {"persistence": {"existingClaim": "book"}}},
        r"existingClaim.*ledger\.persistence\.enabled",
    ),
    "a book that its volume has no room for": (
        {"ledger": {"persistence": {"enabled": True, "size": "2Gi"}, "maxSize": "1900Mi"}},
        r"ledger\.maxSize.*a tenth",
    ),
    "a book on a small volume": (
        {"ledger": {"persistence": {"enabled": True, "size": "256Mi"}, "maxSize": "200Mi"}},
        r"ledger\.maxSize.*64Mi",
    ),
    "controllers without an election": (
        {"controller": {"replicas": 2}, "settings": {"leader-elect": False}},
        r"controller\.replicas.*leader-elect",
    ),
    "registrars without an election": (
        {"registrar": {"replicas": 2}, "settings": {"leader-elect": False}},
        r"registrar\.replicas.*leader-elect",
    ),
    "an uninstall that cannot stop the controller": ({"settings": {"leader-elect": False}}, r"releaseFinalizers"),
    "an uninstall that hangs": (
        {"crds": {"keep": False}, "releaseFinalizers": {"enabled": False}},
        r"crds\.keep",
    ),
    "a Job of several": ({"registrar": {"kind": "Job", "replicas": 2}}, r"registrar\.replicas"),
    "public hosts beside an address": (
        {"publicURL": "https://10.0.0.1:8443", "publicHosts": ["api.example.com"]},
        r"publicHosts: the host of publicURL, 10\.0\.0\.1, is no name",
    ),
    "a default that is not listed": ({"defaultFacilitator": "ours"}, r"defaultFacilitator: ours"),
    "http without permission": ({"defaultFacilitator": "http://f.x.svc"}, r"allowInsecureFacilitator"),
    "a facilitator twice": (
        {"facilitators": [{"name": "a", "url": "https://a"}, {"name": "a", "url": "https://b"}]},
        r"facilitators: a comes twice",
    ),
    "a credential twice": (
        {"credentials": [{"name": "a", "existingSecret": "s", "key": "k", "namespaces": ["x"]}] * 2},
        r"credentials: a comes twice",
    ),
    "two who sign": (
        {"registrar": {"key": {"existingSecret": "k"}, "signer": {"url": "https://s", "address": "0x" + "1" * 40}}},
        r"registrar\.signer: registrar\.key is given too",
    ),
    "a signer for no account": ({"registrar": {"signer": {"url": "https://s"}}}, r"registrar\.signer\.address"),
    "a token for no signer": ({"registrar": {"signer": {"tokenSecret": {"name": "t"}}}}, r"registrar\.signer\.url"),
    "a signer over http": (
        {"registrar": {"signer": {"url": "http://s.x.svc", "address": "0x" + "1" * 40}}},
        r"registrar\.signer\.url is not https.*allowInsecureFacilitator",
    ),
    "a node over http": (
        {"chains": [{"name": "base", "rpcURLs": ["https://a.example.com", "http://key.example.com"]}]},
        r"a node of base is not https.*allowInsecureFacilitator",
    ),
    "nodes in two ways": (
        {"chains": [{"name": "base", "rpcURL": "https://a", "rpcURLs": ["https://b"]}]},
        r"base has both rpcURL and rpcURLs",
    ),
    "a public host twice": ({"publicHosts": ["A.example.com", "a.example.com"]}, r"publicHosts: a\.example\.com comes twice"),
    "public hosts beside an address": (
        {"publicURL": "https://10.0.0.1", "publicHosts": ["a.example.com"]},
        r"publicHosts: .*publicURL, 10\.0\.0\.1",
    ),
    "more public hosts than a route has": (
        {"publicURL": "https://api.example.com", "publicHosts": [f"{n}.example.com" for n in range(16)]},
        r"publicHosts: .*16",
    ),
    "http to anybody": (
        {"defaultFacilitator": "http://pay.example.com", "allowInsecureFacilitator": True},
        r"http://pay\.example\.com is not https",
    ),
    "a chain twice": ({"chains": [{"name": "base"}, {"name": "base"}]}, r"chains: base comes twice"),
    "an identity of two": (
        {"identities": [{"chain": "base", "agentId": agent, "namespace": "a"} for agent in (42, "42")]},
        r"identities: agent 42 of base comes twice",
    ),
    "an identity beyond 256 bits": (
        {"identities": [{"chain": "base", "agentId": str(2**256), "namespace": "a"}]},
        r"identities: .*256 bits",
    ),
    "a lease shorter than its renewal": (
        {"settings": {"leader-elect-lease-duration": "5s"}},
        r"settings\.leader-elect",
    ),
    "a renewal shorter than its attempts": (
        {"settings": {"leader-elect-retry-period": "9s"}},
        r"settings\.leader-elect",
    ),
    "an account of nobody": ({"verifier": {"serviceAccount": {"create": False}}}, r"verifier\.serviceAccount\.name"),
    "one account for two roles": (
        {"verifier": {"serviceAccount": {"name": "shared"}}, "registrar": {"serviceAccount": {"name": "shared"}}},
        r"registrar\.serviceAccount\.name",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_values_are_refused(renders, case):
    values, named = WRONG[case]
    with pytest.raises(ClusterError, match="values don't meet the specifications of the schema") as refused:
        renders.of(**values)
    assert any(each in str(refused.value) for each in named.split("|")), refused.value


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_contradictions_are_refused(renders, case):
    values, said = CONTRADICTIONS[case]
    with pytest.raises(ClusterError, match=said):
        renders.of(**values)


def test_values_of_an_older_chart_are_refused_by_name(renders, tmp_path):
    """As `helm upgrade --reuse-values` has them: what is new is not there."""
    defaults = yaml.safe_load((chart.CHART / "values.yaml").read_text())
    older = tmp_path / "portitor"
    shutil.copytree(chart.CHART, older)
    for missing in (*defaults, "ledger.persistence", "crds.install", "networkPolicy.dnsPorts"):
        outer, _, inner = missing.partition(".")
        rest = {key: value for key, value in defaults.items() if inner or key != outer}
        if inner:
            rest[outer] = {key: value for key, value in rest[outer].items() if key != inner}
        (older / "values.yaml").write_text(yaml.safe_dump(rest))
        with pytest.raises(ClusterError, match=f"missing property '{inner or outer}'"):
            chart.helm(renders.helm, "template", "portitor", older, "--kube-version=1.37.2")


def test_names_are_asked_for_where_openshift_has_them_too(renders):
    for policy in select(renders.of(), "NetworkPolicy"):
        first = policy["spec"]["egress"][0]["ports"]
        wanted = [{"port": port, "protocol": how} for port in (53, 5353) for how in ("UDP", "TCP")]
        assert first == wanted, policy["metadata"]["name"]


def test_a_subchart_gets_its_parents_global_values(renders):
    assert renders.of(**{"global": {"anything": 1}})


def test_a_role_overrides_parts_of_what_all_share(renders):
    made = pods(
        renders.of(
            image={"registry": "registry.example.com", "tag": "1"},
            verifier={"image": {"tag": "2"}, "securityContext": {"runAsUser": 7}},
        )
    )
    verifier, controller = (made[f"Deployment/portitor-{role}"]["spec"] for role in ("verifier", "controller"))
    assert verifier["containers"][0]["image"] == "registry.example.com/portitor:2"
    assert controller["containers"][0]["image"] == "registry.example.com/portitor:1"
    assert (verifier["securityContext"]["runAsUser"], controller["securityContext"]["runAsUser"]) == (7, 65532)
    assert verifier["securityContext"]["runAsNonRoot"]


def test_the_verifiers_threads_are_its_cpus_or_the_setting(renders):
    def threads(**values):
        container = pods(renders.of(**values))["Deployment/portitor-verifier"]["spec"]["containers"][0]
        return [each for each in container["env"] if each["name"] == "PORTITOR_THREADS"]

    assert threads()[0]["valueFrom"]["resourceFieldRef"]["resource"] == "limits.cpu"
    # The environment would win over the file.
    assert threads(settings={"threads": 3}) == []


def test_an_account_made_elsewhere(renders):
    objects = renders.of(verifier={"serviceAccount": {"create": False, "name": "theirs"}})
    assert select(objects, "ServiceAccount", "verifier") == []
    assert select(objects, "ClusterRoleBinding", "verifier")[0]["subjects"][0]["name"] == "theirs"
    (policy,) = [p for p in select(objects, "ValidatingAdmissionPolicy") if p["metadata"]["name"].endswith("-statuses")]
    assert "system:serviceaccount:portitor:theirs" in policy["spec"]["validations"][0]["expression"]


def test_rights_made_elsewhere(renders):
    accounts = {"create": False, "name": "theirs"}
    made = renders.of(rbac={"create": False}, releaseFinalizers={"serviceAccount": accounts})
    assert not {each["kind"] for each in made} & {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}
    assert select(made, "ServiceAccount", "release-finalizers") == []
    assert pods(made)["Job/portitor-release-finalizers"]["spec"]["serviceAccountName"] == "theirs"


def test_a_digest_is_that_of_its_own_image(renders):
    digest = "sha256:" + "0" * 64
    made = pods(renders.of(image={"digest": digest}, verifier={"image": {"tag": "canary"}}))
    images = {name: each["spec"]["containers"][0]["image"] for name, each in made.items()}
    assert images["Deployment/portitor-verifier"] == "portitor:canary"
    assert images["Deployment/portitor-controller"] == f"portitor:0.1.0@{digest}"
    assert images["Job/portitor-release-finalizers"] == f"portitor:0.1.0@{digest}"


def test_the_uninstall_runs_where_the_controller_runs(renders):
    own = {
        "image": {"repository": "theirs"},
        "nodeSelector": {"pool": "system"},
        "tolerations": [{"key": "only", "operator": "Exists"}],
        "priorityClassName": "high",
        "podLabels": {"mesh": "off"},
        "podAnnotations": {"example.com/a": "b"},
        "securityContext": {"runAsUser": 7},
    }
    job = pods(renders.of(controller=own))["Job/portitor-release-finalizers"]
    assert job["spec"]["containers"][0]["image"] == "theirs:0.1.0"
    for key in ("nodeSelector", "tolerations", "priorityClassName"):
        assert job["spec"][key] == own[key]
    assert job["spec"]["securityContext"]["runAsUser"] == 7
    assert job["metadata"]["labels"]["mesh"] == "off"
    assert job["metadata"]["annotations"] == own["podAnnotations"]


def test_a_gateway_outside_of_the_cluster_can_be_reached(renders):
    (policy,) = select(renders.of(gateway={"url": "http://gw.example.com:9000"}), "NetworkPolicy", "controller")
    assert {"ports": [{"port": 9000}]} in policy["spec"]["egress"]


@pytest.mark.parametrize("release, full", [("true", "true-portitor"), ("n", "n-portitor"), ("my.release", "my-release-portitor")])
def test_names_stay_texts(renders, release, full):
    """YAML would read some of them as numbers and booleans."""
    made = chart.objects(renders.helm, release=release, namespace="1234")
    assert f"{full}-verifier" in {each["metadata"]["name"] for each in select(made, "Service")}
    assert wrong_texts(made) == []


def test_a_release_that_no_service_can_be_named_after_is_refused(renders):
    with pytest.raises(ClusterError, match="a Service cannot be called 1st-portitor"):
        chart.objects(renders.helm, release="1st")


def wrong_texts(value, path=""):
    """Where names, namespaces and labels are no texts."""
    if isinstance(value, list):
        return [each for one in value for each in wrong_texts(one, path)]
    if not isinstance(value, dict):
        return []
    out = [f"{path}.{key}" for key, each in value.items() if key in ("name", "namespace") and isinstance(each, (bool, int, float))]
    for key in ("labels", "matchLabels"):
        if isinstance(value.get(key), dict):
            out += [f"{path}.{key}.{name}" for name, each in value[key].items() if not isinstance(each, str)]
    return out + [each for key, one in value.items() for each in wrong_texts(one, f"{path}.{key}")]
