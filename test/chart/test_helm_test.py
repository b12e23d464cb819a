"""The rights that `portitor doctor` looks for are those that the chart gives, to the roles and to doctor itself."""

import json
import subprocess

import pytest
from renders import pods, select

# Where a right holds, by the namespace of the Role that gives it.
REACH = {None: "everywhere", "portitor": "release", "traefik": "gateway"}


def given(objects, who):
    """The rights of a component, of its ClusterRole and its Roles."""
    return {
        (verb, group, resource, REACH[role["metadata"].get("namespace")], name)
        for kind in ("ClusterRole", "Role")
        for role in select(objects, kind, who)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }


@pytest.mark.parametrize("who", ["controller", "verifier", "registrar", "doctor"])
def test_what_is_needed_is_what_is_given(renders, binary, who):
    shown = subprocess.run([binary, "doctor", "--rights", "-o", "json"], capture_output=True, text=True, check=True)
    needed = {
        (each["when"], tuple(each[key] for key in ("verb", "group", "resource", "where", "name")))
        for each in json.loads(shown.stdout)
        if each["who"] == who
    }
    assert {right for when, right in needed if not when} == given(renders.of(), who)
    by_labels = renders.of(hosts=[{"host": "*", "namespaceSelector": {"matchLabels": {"team": "shop"}}}])
    assert {right for _, right in needed} == given(by_labels, who)


def test_all_of_the_test_is_a_hook(renders, values):
    for each in renders.objects(values):
        if each["metadata"]["labels"].get("app.kubernetes.io/component") == "doctor":
            assert each["metadata"]["annotations"]["helm.sh/hook"] == "test", each["metadata"]["name"]
    (pod,) = [pod for name, pod in pods(renders.objects(values), "Pod").items()]
    assert pod["spec"]["containers"][0]["args"][0] == "doctor"


def test_no_test_is_made_where_none_is_wanted(renders):
    assert select(renders.of(tests={"enabled": False}), "Pod") == []
    assert not [each for each in renders.of(tests={"enabled": False}) if "doctor" in each["metadata"]["name"]]
