"""The sample offers: the API server takes each one as it is written, and the program makes of it what its comments say."""

import json
import subprocess

import pytest
import yaml
from cluster import chart
from cluster.tools import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
PUBLIC_URL = "https://api.example.com"
# Credential and host are those that the samples' comments ask for.
CONFIG = {
    "public-url": PUBLIC_URL,
    "gate-key-file": "/does/not/matter",
    "hosts": [{"host": "weather.example.com", "namespaces": ["sellers"]}],
    "credentials": [{"name": "llm", "file": "/does/not/matter", "namespaces": ["models"]}],
}

# By file: the URL, and other fields of the PaymentRoute that its comments promise.
SOLD = {
    "http": ("/services/weather", {"price": "1000", "network": "eip155:84532"}),
    "inference": (
        "/services/llama",
        {
            "price": "2000",
            "rules": [
                ("/api/*", "paid", "10000000000"),
                ("/api/chat", "paid", "2000"),
                ("/api/generate", "paid", "2000"),
                ("/api/tags", "free", None),
            ],
        },
    ),
    "per-million-tokens": ("/services/qwen", {"price": "2500", "priceModel": "per-mtok", "maxTimeoutSeconds": 600}),
    "paths": (
        "/services/archive",
        {
            "price": "10000",
            "rules": [
                ("/", "free", None),
                ("/docs", "free", None),
                ("/docs/*", "free", None),
                ("/reports/*", "paid", "250000"),
                ("/reports/sample", "free", None),
                ("/reports/*/raw", "paid", "1500000"),
            ],
        },
    ),
    "hostname": ("https://weather.example.com/v1", {"price": "1000"}),
    "registration": ("/services/translate", {"price": "5000"}),
    "draining": ("/services/championship", {"price": "20000"}),
    "credential": ("/services/gpt", {"price": "10000", "credential": "llm"}),
}


def offer(example):
    """The offer of a sample, which holds nothing else."""
    (found,) = yaml.load_all((EXAMPLES / "offers" / f"{example}.yaml").read_text(), chart.LOADER)
    return found


@pytest.fixture
def once(binary, tmp_path):
    """Has the program show what it would make of a sample; returns the objects by kind."""
    config = tmp_path / "portitor.yaml"
    config.write_text(yaml.safe_dump(CONFIG))

    def run(example):
        file = EXAMPLES / "offers" / f"{example}.yaml"
        command = [binary, "--role=once", f"--config={config}", "-f", file, "-o", "json"]
        done = subprocess.run(command, capture_output=True, text=True)
        # 2: it would make something.
        assert (done.returncode, done.stderr) == (2, "")
        made = [each["wanted"] for each in json.loads(done.stdout)["offers"][0]["children"]]
        found = {each["kind"]: each for each in made}
        assert len(found) == len(made)
        return found

    return run


def test_all_samples_are_tested_and_listed():
    names = {path.stem for path in (EXAMPLES / "offers").iterdir()}
    assert names == SOLD.keys()
    listed = (EXAMPLES / "README.md").read_text()
    paths = [*(f"offers/{name}.yaml" for name in names), *(path.name for path in EXAMPLES.glob("*.cpp"))]
    assert [path for path in paths if f"({path})" not in listed] == []


@pytest.mark.parametrize("example", SOLD)
def test_the_api_server_takes_it(cluster, example):
    wanted = offer(example)
    namespace = wanted["metadata"]["namespace"]
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    # The server's defaults are added, and nothing of the sample is lost: a misspelt field is refused.
    assert contains(cluster.api.apply(wanted, dry_run=True)["spec"], wanted["spec"])


def contains(whole, part):
    if isinstance(part, dict):
        return all(key in whole and contains(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return whole == part


@pytest.mark.parametrize("example", SOLD)
def test_it_becomes_what_it_says(once, example):
    wanted, made = offer(example), once(example)
    name = wanted["metadata"]["name"]
    children = {"Middleware": f"x402-{name}", "HTTPRoute": f"so-{name}", "PaymentRoute": f"{name}-payment"}
    if example == "registration":
        children["RegistrationRequest"] = f"{name}-registration"
    assert {kind: each["metadata"]["name"] for kind, each in made.items()} == children

    url, terms = SOLD[example]
    spec = made["PaymentRoute"]["spec"]
    assert spec["publicURL"] == (url if "://" in url else PUBLIC_URL + url)
    spec["rules"] = [(each["pattern"], each["gate"], each.get("price") or None) for each in spec.get("rules", [])]
    terms = {"rules": []} | terms
    assert {key: spec[key] for key in terms} == terms


def test_what_some_samples_are_about(once):
    assert once("hostname")["HTTPRoute"]["spec"]["hostnames"] == ["weather.example.com"]
    answers = once("credential")["Middleware"]["spec"]["forwardAuth"]["authResponseHeaders"]
    assert "Authorization" in answers
    assert "Authorization" not in once("http")["Middleware"]["spec"]["forwardAuth"]["authResponseHeaders"]
    request = once("registration")["RegistrationRequest"]["spec"]
    assert request["name"] == "Translator" and request["chain"] == "base-sepolia"
