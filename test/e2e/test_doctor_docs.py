"""What docs/doctor.md says of options, areas, rights and JSON is so. Its sample is checked in test_doctor.py."""

import json
import re
import subprocess

from stack import ROOT, binary

TEXT = (ROOT / "docs" / "doctor.md").read_text()


def doctor(*words):
    return subprocess.run([binary(), "doctor", *words], capture_output=True, text=True)


def rows(heading, until="\n\n", columns=2):
    """The cells of the table below a line that begins so."""
    table = TEXT[TEXT.index(heading) :]
    table = table[table.index("|---") :].split("\n", 1)[1].split(until)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")][:columns] for line in table.splitlines()]


def test_the_areas_are_all_of_them():
    known = re.search(r"is not one of (.*)", doctor("--only=nonsense").stderr)[1].split(", ")
    assert [area.strip("`") for area, _ in rows("| area |")] == known


def test_the_options_are_its_own():
    own = doctor("--help").stdout.split("\nDoctor:\n")[1].split("\n\n")[0]
    known = set(re.findall(r"--[a-z][a-z-]*", own)) - {"--output", "--offer-namespace"}
    listed = {re.search(r"`(--[a-z-]+)", option)[1] for option, _ in rows("| option |")}
    assert listed == known | {"--release-namespace"}


def test_the_rights_are_those_that_it_needs():
    needed = [each for each in json.loads(doctor("--rights", "-o", "json").stdout) if each["who"] == "doctor"]
    table = rows("| right | where |")
    reach = {"release": "the release's namespace", "gateway": "the Gateway's namespace"}
    for each in needed:
        places = {reach.get(each["where"], None)} - {None} or {"all namespaces", "cluster"}
        assert [
            words
            for words, where in table
            if where in places and re.search(rf"`{each['verb']}`[^;]*\b{each['resource']}\b", words)
        ], each
    listed = {word for words, _ in table for word in re.findall(r"\b[a-z]+(?:/[a-z]+)?s?\b", words)}
    assert {each["resource"] for each in needed} <= listed


def test_the_json_is_of_that_form(tmp_path):
    sample = json.loads(re.search(r"```json\n(.*?)```", TEXT, re.S)[1])
    nobody = {"name": "nobody", "cluster": {"server": "http://127.0.0.1:1"}, "user": {}}
    context = {"name": "nobody", "context": {"cluster": "nobody", "user": "nobody"}}
    kubeconfig = {"clusters": [nobody], "users": [nobody], "contexts": [context], "current-context": "nobody"}
    (tmp_path / "kubeconfig").write_text(json.dumps({"apiVersion": "v1", "kind": "Config"} | kubeconfig))
    done = doctor("--only=nodes", "-o", "json", f"--kubeconfig={tmp_path}/kubeconfig")
    said = json.loads(done.stdout)
    assert sample.keys() == said.keys() and sample["summary"].keys() == said["summary"].keys()
    assert sample["findings"][0].keys() == said["findings"][0].keys()
