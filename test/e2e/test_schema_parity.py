"""The cases that the library `schema` is held to (test/unit/schema/cases), sent to the real API server."""

import copy
import re
from pathlib import Path

import pytest
import yaml

from cluster import Cluster, is_true, wait_until
from kube_client import KubeClient
from kube_client import path as path_of

CASES = Path(__file__).resolve().parents[1] / "unit/schema/cases"
NOT_ALL_ASKED = "some validation rules were not checked"


@pytest.fixture(scope="module")
def cluster():
    with Cluster(traefik=False, controller_manager=False) as started:
        yield started


@pytest.fixture(scope="module")
def client(cluster):
    return KubeClient(cluster)


def numbered(value, position):
    if isinstance(value, str):
        return value.replace("%", str(position))
    return {key: numbered(inner, position) for key, inner in value.items()}


def expanded(value):
    """A value of a case, with what stands for something long written out."""
    if isinstance(value, list):
        return [expanded(each) for each in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"$repeat": [text, count]}:
            return text * count
        case {"$each": [item, count]}:
            return [numbered(item, position) for position in range(count)]
        case {"$nest": count}:
            return {"a": expanded({"$nest": count - 1})} if count else {}
    return {key: expanded(inner) for key, inner in value.items()}


def object_of(case):
    out = copy.deepcopy(yaml.safe_load((CASES / "objects.yaml").read_text())[case.get("kind", "ServiceOffer")])

    def parent(path):
        *names, last = path.split(".")
        at = out
        for name in names:
            at = at.setdefault(name, {})
        return at, last

    for path in case.get("unset", []):
        at, last = parent(path)
        del at[last]
    for path, value in case.get("set", {}).items():
        at, last = parent(path)
        at[last] = expanded(value)
    return out


def answer(client, what):
    """The API server's answer to a try that keeps nothing."""
    where = path_of(what["kind"].lower() + "s", "default")
    return client.request("POST", where + "?dryRun=All&fieldValidation=Strict", what)


def cases(file):
    return yaml.safe_load((CASES / file).read_text())


def test_what_is_taken(client):
    wrong = []
    for case in cases("taken.yaml"):
        status, said = answer(client, object_of(case))
        if status != 201:
            wrong.append((case, said["message"]))
    assert not wrong


def complaint(case, status, said):
    """What the API server says otherwise than the case, or None."""
    expected = set(case["refused"])
    if status not in (400, 422):
        return f"answered {status}"
    unknown = set(re.findall(r'unknown field "([^"]*)"', said["message"]))
    if unknown:
        within = [f"{field}{below}" for field in expected for below in (".", "[")]
        # It looks no further. What is in an object where a text belongs is unknown to it, to us the object is wrong.
        told = [field for field in unknown if field not in expected and not field.startswith(tuple(within))]
        return f"does not know {told}" if told else None
    causes = said.get("details", {}).get("causes", [])
    if not causes:
        # What cannot even be read as metadata.
        metadata = all(field.startswith("metadata") for field in expected)
        return None if metadata else f"names no field: {said['message']}"
    # Of a number that is none it says more, of no field.
    fields = {cause["field"] for cause in causes} - {"<nil>"}
    some_only = any(NOT_ALL_ASKED in cause["message"] for cause in causes)
    if fields == expected or (some_only and fields < expected):
        return None
    return f"names {sorted(fields)}: {said['message'][:300]}"


def test_what_is_refused_and_which_fields_are_named(client):
    wrong = []
    for case in cases("refused.yaml"):
        told = complaint(case, *answer(client, object_of(case)))
        if told:
            wrong.append((case, told))
    assert not wrong, "\n".join(f"{case}\n    {told}" for case, told in wrong)


def crd_of(rules):
    """A kind that has a field for each rule."""
    fields = {
        f"f{i}": {**case["schema"], "x-kubernetes-validations": [{"rule": case["rule"]}]} for i, case in enumerate(rules)
    }
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "ruled.test.example"},
        "spec": {
            "group": "test.example",
            "scope": "Namespaced",
            "names": {"kind": "Ruled", "plural": "ruled", "singular": "ruled"},
            "versions": [version],
        },
    }


def test_rules_hold_for_the_same_values(cluster, client):
    rules = cases("rules.yaml")
    cluster.apply(crd_of(rules))
    where = "/apis/test.example/v1/namespaces/default/ruled"
    crd = "customresourcedefinitions", "ruled.test.example"
    wait_until(lambda: is_true(cluster.get(*crd), "Established"), 20, "the kind is served")
    wrong = []
    for i, case in enumerate(rules):
        for holds, value in [*((True, each) for each in case["holds"]), *((False, each) for each in case["fails"])]:
            what = {"apiVersion": "test.example/v1", "kind": "Ruled", "metadata": {"name": "a"}, "spec": {f"f{i}": value}}
            status, said = client.request("POST", where + "?dryRun=All&fieldValidation=Strict", what)
            fields = {cause["field"] for cause in said.get("details", {}).get("causes", [])}
            if (status == 201) != holds or fields - {f"spec.f{i}"}:
                wrong.append(f"{case['rule']} of {value!r}: {status} {said.get('message')}")
    assert not wrong, "\n".join(wrong)
