"""The project's CRDs over the predecessor's, on the real API server: nothing of its objects is lost, whatever its schema
takes is taken, and nobody turns a request of one kind into one of the other."""

import json
import subprocess

import pytest
import predecessor
import yaml

from cluster import ApiError, Cluster, chart, is_true, tools, wait_until
from predecessor import NAMESPACE

ACCOUNT = "system:serviceaccount:portitor:portitor-"
# What the project refuses for new objects: a price that is none.
PRICES = {"perRequest", "perMTok", "perHour", "perEpoch"}


def ours(kind):
    return yaml.safe_load((chart.CHART / "files" / "crds" / f"{kind}.obol.org.yaml").read_text())


def differences(theirs, mine, path=""):
    """Where a value that one schema takes would be lost or refused by the other."""
    if mine is None:
        return [f"{path} is unknown"]
    out = []
    if theirs["type"] != mine.get("type"):
        out.append(f"{path} is of type {mine.get('type')}")
    for field, inner in theirs.get("properties", {}).items():
        out += differences(inner, mine.get("properties", {}).get(field), f"{path}.{field}")
    for one in ("items", "additionalProperties"):
        if one in theirs:
            out += differences(theirs[one], mine.get(one), f"{path}[]")
    out += [f"{path} needs {name}" for name in set(mine.get("required", [])) - set(theirs.get("required", []))]
    if "enum" in mine and not set(theirs.get("enum", [None])) <= set(mine["enum"]):
        out.append(f"{path} takes {mine['enum']} alone")
    for least in ("minimum", "minLength", "minItems"):
        if mine.get(least, 0) > theirs.get(least, 0) or (least in mine and least not in theirs):
            out.append(f"{path} has {least}")
    for most in ("maximum", "maxLength", "maxItems", "maxProperties"):
        if most in mine and mine[most] < theirs.get(most, float("inf")):
            out.append(f"{path} has {most}")
    if "pattern" in mine and mine["pattern"] != theirs.get("pattern"):
        out.append(f"{path} has a pattern")
    if mine.get("x-kubernetes-list-type") in ("map", "set"):
        out.append(f"{path} has a list type")
    if "default" in theirs and theirs["default"] != mine.get("default"):
        out.append(f"{path} has another default")
    return out


def test_every_field_is_known_and_no_value_is_refused():
    crds = {each["metadata"]["name"]: each for each in predecessor.crds()}
    schema = predecessor.schema_of(crds["serviceoffers.obol.org"])
    mine = predecessor.schema_of(ours("serviceoffers"))
    found = differences(schema["properties"]["spec"], mine["properties"]["spec"])
    # An address has 42 characters and a path one; a price that cannot be read has more than 64, or does not match.
    fits = {".payment.payTo has maxLength", ".payment.asset.address has maxLength", ".routes[].path has minLength"}
    prices = {path for path in found if path.split(" ")[0].rpartition(".")[2] in PRICES}
    assert set(found) - prices - fits == set()
    status = differences(schema["properties"]["status"], mine["properties"]["status"])
    # Nothing is as long there, and no type comes twice.
    assert not [each for each in status if "maxLength" not in each and "maxItems" not in each and "list type" not in each]
    request = predecessor.schema_of(crds["registrationrequests.obol.org"])
    mine = predecessor.schema_of(ours("registrationrequests"))
    found = differences(request["properties"]["spec"], mine["properties"]["spec"])
    found += differences(request["properties"]["status"], mine["properties"]["status"])
    assert found == [".agentId has maxLength"]


@pytest.fixture(scope="module")
def cluster():
    """With the predecessor's CRDs and objects first, and then the project's CRDs and policies over them."""
    with Cluster(traefik=False, controller_manager=False, portitor=False) as started:
        started.apply(predecessor.crds())
        wait_until(lambda: can_be_listed(started, "serviceoffer", "registrationrequest"), 20, "its kinds are served")
        started.before = predecessor.store(started)
        mine = [each for each in chart.objects(tools.program("helm")) if each["kind"] == "CustomResourceDefinition"]
        for each in mine:
            started.apply(each)
        kinds = ("paymentroute", "serviceoffer", "registrationrequest")
        wait_until(lambda: knows_ours(started) and can_be_listed(started, *kinds), 20, "ours are served")
        yield started


def can_be_listed(cluster, *kinds):
    try:
        return all("items" in cluster.get(kind) for kind in kinds)
    except (ApiError, json.JSONDecodeError):
        # A storage that begins anew answers 429 in plain text.
        return False


def knows_ours(cluster):
    """The API server takes a moment to serve another schema."""
    _, said = cluster.api.request("GET", "/openapi/v3/apis/obol.org/v1alpha1")
    schemas = said.get("components", {}).get("schemas", {})
    spec = schemas.get("org.obol.v1alpha1.RegistrationRequest", {}).get("properties", {}).get("spec", {})
    return "agentURI" in spec.get("properties", {})


def test_all_names_are_accepted(cluster):
    for crd in cluster.get("crd")["items"]:
        assert is_true(crd, "NamesAccepted") and is_true(crd, "Established"), crd["metadata"]["name"]


def test_nothing_of_its_objects_is_lost(cluster):
    assert predecessor.lost(cluster.before, predecessor.stored(cluster)) == []
    # What is written again is stored by the new schema, for good.
    for kind, name in cluster.before:
        cluster.patch(kind, name, {"metadata": {"labels": {"seen": "yes"}}}, NAMESPACE)
        cluster.patch(kind, name, {"status": {"agentId": "8"}}, NAMESPACE, subresource="status")
        cluster.patch(kind, name, {"status": {"agentId": "7"}}, NAMESPACE, subresource="status")
    assert predecessor.lost(cluster.before, predecessor.stored(cluster)) == []


def strictly(cluster, what):
    where = f"/apis/obol.org/v1alpha1/namespaces/{NAMESPACE}/{what['kind'].lower()}s"
    return cluster.api.request("POST", f"{where}?dryRun=All&fieldValidation=Strict", what)


def changed(name, **spec):
    out = next(each for each in predecessor.offers(held=False) if each["metadata"]["name"] == name)
    out["metadata"]["name"] = "another"
    for path, value in spec.items():
        *parents, last = path.split("__")
        at = out["spec"]
        for each in parents:
            at = at[each]
        at[last] = value
    return out


def test_its_offers_apply_and_only_prices_that_are_none_are_refused(cluster):
    for each in predecessor.offers(held=False):
        each["metadata"]["name"] += "-new"
        status, said = strictly(cluster, each)
        assert status == 201, said
    for spec in (
        {"path": "/a//b/"},
        {"drainGracePeriod": "1.5h"},
        {"payment__network": " Base"},
        {"payment__maxTimeoutSeconds": -5},
        {"payment__asset": {}},
        {"payment__price": {"perEpoch": "1"}},
        {"upstream__service": "api.example.com"},
        {"upstream__healthPath": "health"},
        {"type": "fine-tuning"},
        {"drainAt": "0001-01-01T00:00:00Z"},
        {"routes": [{"path": "/a", "price": {}}, {"path": "/a", "gate": "free", "price": {"perRequest": "1"}}]},
    ):
        status, said = strictly(cluster, changed("http-plain", **spec))
        assert status == 201, (spec, said)
    for price in ({"perRequest": "0"}, {"perRequest": "-1"}, {"perHour": "x"}, {"perEpoch": "0.0"}, {}):
        status, said = strictly(cluster, changed("http-plain", payment__price=price))
        assert status == 422 and "spec.payment.price" in said["message"], said


def another_way(**fields):
    """An entry of payments: the same as the only one, but for these fields."""
    return changed("http-plain")["spec"]["payment"] | fields


def test_it_is_said_at_apply_what_is_not_sold(cluster):
    made = [each for each in chart.objects(tools.program("helm")) if each["kind"].startswith("ValidatingAdmission")]
    cluster.apply(made)

    def warnings(what):
        command = [tools.program("kubectl"), "apply", "--server-side", "--dry-run=server", "-f", "-"]
        done = subprocess.run(
            cluster.wrap(command), input=yaml.safe_dump(what), capture_output=True, text=True, env=cluster.environment()
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    bad = changed("routes-auth", drainGracePeriod="soon", payment__maxTimeoutSeconds=0)
    wait_until(lambda: "nobody signs in at the gate (auth)" in warnings(bad), 20, "the policy is in force")
    said = warnings(bad)
    assert "write whole hours, minutes and seconds" in said and "write 10 to 86400" in said
    for name, words in {
        "agent": "spec.type: agents and fine-tuning are not sold",
        "multi": "spec.payments: an offer is paid in one way",
        "async": "spec.async: jobs are not sold",
        "routes-quota": "freeQuota",
        "timeout-big": "maxTimeoutSeconds",
        "reg-dataimage": "an image of more than 2048 is not registered",
    }.items():
        assert words in warnings(changed(name)), name
    for spec, words in (
        ({"payment__maxTimeoutSeconds": 9}, "write 10 to 86400"),
        ({"payments": [another_way(network="base-sepolia")]}, "is not the same as spec.payment"),
        ({"payments": [another_way(price={"perRequest": "7"})]}, "is not the same as spec.payment"),
        ({"routes": [{"path": "/a", "price": {"perRequest": "1", "perEpoch": "1"}}]}, "a price is one of perRequest"),
    ):
        assert words in warnings(changed("http-plain", **spec)), spec
    for spec in ({"payment__maxTimeoutSeconds": 10}, {"payments": [another_way()]}):
        assert warnings(changed("http-plain", **spec)) == "", spec
    for name in ("http-plain", "fqdn", "limits", "routes-methods", "health-empty", "drain-go"):
        assert warnings(changed(name)) == "", name
    for policy in cluster.get("validatingadmissionpolicy")["items"]:
        assert not policy.get("status", {}).get("typeChecking", {}).get("expressionWarnings"), policy["metadata"]["name"]


OURS = {
    "apiVersion": "obol.org/v1alpha1",
    "kind": "RegistrationRequest",
    "metadata": {"name": "hello-registration", "namespace": NAMESPACE},
    "spec": {
        "name": "hello",
        "chain": "base-sepolia",
        "registry": "0x8004A818BFB912233c491871b3d84c89A494BD9e",
        "agentURI": "https://api.example.com/agent.json",
    },
}
THEIR_SPEC = predecessor.request()["spec"]
NOTHING_OF_OURS = {"name": None, "registry": None, "agentURI": None}


def test_no_request_changes_its_kind(cluster):
    """After test_it_is_said_at_apply_what_is_not_sold: the policies are in force. Whoever RBAC lets do all tries it."""
    controller = cluster.api.impersonating(f"{ACCOUNT}controller", "system:masters")
    attacker = cluster.api.impersonating("mallory", "system:masters")
    kind, name, theirs = "registrationrequest", OURS["metadata"]["name"], "so-hello-registration"

    # Of its own kind everybody writes what RBAC lets him write, as there was no such policy there.
    attacker.create(predecessor.request("so-other-registration"))
    attacker.patch(kind, theirs, {"spec": {"desiredState": "Tombstoned"}}, NAMESPACE)
    attacker.patch(kind, theirs, {"status": {"phase": "Tombstoned"}}, NAMESPACE, subresource="status")
    attacker.patch(kind, theirs, {"spec": {"desiredState": "Active"}}, NAMESPACE)

    with pytest.raises(ApiError, match="only Portitor's controller writes this spec"):
        attacker.create(OURS)
    controller.create(OURS)
    for who in (attacker, controller):
        # Ours into its kind, beside our fields and in place of them; and back.
        for change in (THEIR_SPEC, THEIR_SPEC | NOTHING_OF_OURS, {"serviceOfferName": ""}, {"serviceOfferName": "x"}):
            with pytest.raises(ApiError, match="serviceOfferName|only Portitor's controller"):
                who.patch(kind, name, {"spec": change}, NAMESPACE)
        for change in (OURS["spec"], OURS["spec"] | dict.fromkeys(THEIR_SPEC, None) | {"chain": "base"}):
            with pytest.raises(ApiError, match="serviceOfferName|only Portitor's controller"):
                who.patch(kind, theirs, {"spec": change}, NAMESPACE)
        with pytest.raises(ApiError, match="serviceOfferName|only Portitor's controller"):
            who.patch(kind, theirs, {"spec": {"serviceOfferName": "another"}}, NAMESPACE)
        with pytest.raises(ApiError):
            who.patch(kind, theirs, {"spec": None}, NAMESPACE)
        with pytest.raises(ApiError):
            who.create(predecessor.request("mixed") | {"spec": THEIR_SPEC | OURS["spec"]})
    # A status that brings the mark along is judged by the object that is there.
    forged = {"spec": THEIR_SPEC, "status": {"phase": "Confirmed", "agentId": "1"}}
    with pytest.raises(ApiError, match="write this status"):
        attacker.patch(kind, name, forged, NAMESPACE, subresource="status")
    live = cluster.get(kind, name, NAMESPACE)
    assert predecessor.lost(OURS["spec"], live["spec"]) == [] and "status" not in live
    # Our rule for the phase is for ours alone.
    registrar = cluster.api.impersonating(f"{ACCOUNT}registrar", "system:masters")
    with pytest.raises(ApiError, match="status.phase must be one of"):
        registrar.patch(kind, name, {"status": {"phase": "Publishing"}}, NAMESPACE, subresource="status")
    attacker.patch(kind, theirs, {"status": {"phase": "Publishing"}}, NAMESPACE, subresource="status")
    for each in (name, "so-other-registration"):
        cluster.delete(kind, each, ns=NAMESPACE)
