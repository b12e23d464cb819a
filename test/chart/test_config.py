"""The operator's file that the chart writes: the program accepts it, and the chart knows all that can be set."""

import base64
import json
import re
import subprocess

import yaml
from cluster import chart
from cluster.tools import REPOSITORY
from renders import config, pods, select

# By the chart, from values of other names or for each role.
CHART_SETS = {
    "role", "listen", "health-listen", "namespace", "log-level", "log-format", "gateway", "gateway-section",
    "gateway-controller", "gateway-url", "verifier-url", "verifier-service", "discovery-service", "public-url",
    "default-facilitator", "allow-insecure-facilitator", "shutdown-delay", "tls-cert-file", "tls-key-file",
    "gate-key-file", "until-done", "key-file", "key-password-file", "signer-url", "signer-address", "signer-api", "signer-token-file",
    "min-interval", "low-balance", "ledger", "ledger-retention", "ledger-max-size", "offers-per-namespace",
}  # fmt: skip
# Of no use in a pod.
NOT_IN_PODS = {
    "color", "kubeconfig", "context", "file", "output", "all-namespaces", "selector", "local", "no-dry-run", "verbose",
    "compare", "release-namespace", "offer-namespace", "request",
}  # fmt: skip

OFFER = """
apiVersion: obol.org/v1alpha1
kind: ServiceOffer
metadata: {name: hello, namespace: sellers, labels: {team: payments}}
spec:
  upstream: {service: hello, port: 9000}
  payment:
    network: base-sepolia
    payTo: "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955"
    price: {perRequest: "0.001"}
"""


def test_the_program_accepts_it(renders, values, binary, tmp_path):
    file = tmp_path / "portitor.yaml"
    file.write_text(config(renders.objects(values)))
    command = [binary, "--role=once", f"--config={file}", "-f", "-", "-o", "json"]
    done = subprocess.run(command, input=OFFER, capture_output=True, text=True)
    # 2: it would make something.
    assert done.returncode == 2, done.stderr


def test_every_setting_is_known_to_the_chart(binary):
    shown = subprocess.run([binary, "--help=all"], capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^  (?:-\w, |    )--([a-z-]+)", shown, re.M)) - {"help", "version", "config"}
    schema = json.loads((chart.CHART / "values.schema.json").read_text())
    assert known == CHART_SETS | NOT_IN_PODS | set(schema["properties"]["settings"]["properties"])


def test_every_section_is_known_to_the_chart():
    source = "".join(file.read_text() for file in (REPOSITORY / "src" / "config").glob("*.cpp"))
    values = yaml.safe_load((chart.CHART / "values.yaml").read_text())
    known = set(re.findall(r'section\{\s*"([a-zA-Z]+)"', source))
    assert known and known <= set(values)


def test_what_values_become(renders):
    made = yaml.safe_load(config(renders.objects("everything")))
    assert made["verifier-url"] == "http://toll-verifier.portitor.svc:8080"
    assert made["verifier-service"] == "portitor/toll-verifier"
    assert made["gateway"] == "edge/public"
    assert "discovery-service" not in made
    # Helm has all numbers as floating point: not 1e+06.
    assert made["max-claims"] == "1000000"
    assert made["shutdown-delay"] == "20s"
    assert made["credentials"][0] == {
        "name": "llm", "file": "/etc/portitor/credentials/llm", "namespaces": ["models", "sellers"],
    }  # fmt: skip
    # The registry is text for the program, and a number for this reader.
    assert made["chains"][1].pop("registry") in ("0x8004A818BFB912233c491871b3d84c89A494BD9e", 0x8004A818BFB912233C491871B3D84C89A494BD9E)
    assert made["chains"][1] == {
        "name": "eip155:31337",
        "rpcURLs": ["https://node.example.com:8545", "https://spare.example.com:8546"],
        "confirmations": 2, "checkReceipts": True, "maxFeePerGas": 1.5, "dailyTransactions": 1000000, "dailySpend": "0.00001",
        "document": "onchain",
    }  # fmt: skip
    assert made["signers"] == [
        {"namespace": namespace, "secret": secret}
        for namespace, secret in (("sellers", "agent-key"), ("models", "agent-key"), ("sellers", "spare-key"))
    ]
    assert made["publicHosts"] == ["api.example.com", "*"]
    assert [each["host"] for each in made["hosts"]] == ["models.example.com", "*.shop.example.com", "*"]
    assert [each["agentId"] for each in made["identities"]] == [0, str(2**256 - 1)]
    assert '"dailyTransactions": 1000000' in json.dumps(made), "not 1e+06"
    minimal = yaml.safe_load(config(renders.objects("minimal")))
    assert not {"chains", "signers", "identities", "publicHosts", "hosts"} & set(minimal)
    assert minimal["discovery-service"] == "portitor/portitor-controller"


def test_credentials_are_the_verifiers_alone(renders):
    for name, pod in pods(renders.objects("everything")).items():
        volumes = {each["name"]: each for each in pod["spec"].get("volumes", [])}
        assert ("credentials" in volumes) == name.endswith("-verifier")
        assert ("key" in volumes) == name.endswith("-registrar")
        if name.endswith("-verifier"):
            (mount,) = [m for m in pod["spec"]["containers"][0]["volumeMounts"] if m["name"] == "credentials"]
            files = [s["secret"]["items"][0]["path"] for s in volumes["credentials"]["projected"]["sources"]]
            made = yaml.safe_load(config(renders.objects("everything")))["credentials"]
            assert [f"{mount['mountPath']}/{file}" for file in files] == [each["file"] for each in made]


CREDENTIALS = [{"name": "llm", "existingSecret": "llm-token", "key": "token", "namespaces": ["models"]}]


def gate_keys(objects):
    """Who mounts the gate key: pod to (Secret, entry); each finds it where the operator's file says."""
    out = {}
    for name, pod in pods(objects).items():
        mounts = {m["name"]: m for c in pod["spec"]["containers"] for m in c.get("volumeMounts", [])}
        for volume in pod["spec"].get("volumes", []):
            if volume["name"] == "gate-key":
                (item,) = volume["secret"]["items"]
                assert mounts["gate-key"]["readOnly"]
                file = f"{mounts['gate-key']['mountPath']}/{item['path']}"
                assert file == yaml.safe_load(config(objects))["gate-key-file"]
                out[name] = (volume["secret"]["secretName"], item["key"])
    return out


def test_the_gate_key_is_the_controllers_and_the_verifiers_alone(renders):
    both = ("Deployment/toll-controller", "Deployment/toll-verifier")
    objects = renders.objects("everything")
    assert gate_keys(objects) == dict.fromkeys(both, ("gate-key", "secret"))
    assert select(objects, "Secret") == []


def test_a_gate_key_is_made_where_none_is_named(renders):
    objects = renders.of(credentials=CREDENTIALS)
    (made,) = select(objects, "Secret")
    both = ("Deployment/portitor-controller", "Deployment/portitor-verifier")
    assert gate_keys(objects) == dict.fromkeys(both, (made["metadata"]["name"], "key"))
    key = base64.b64decode(made["data"]["key"])
    assert len(key) == 64
    (other,) = select(renders.of(credentials=CREDENTIALS), "Secret")
    assert made["data"] != other["data"], "nobody else's"
    # Nobody needs one where nothing names a credential.
    assert (select(renders.of(), "Secret"), gate_keys(renders.of())) == ([], {})


def test_the_values_of_the_documentation_are_accepted(renders, tmp_path):
    page = (REPOSITORY / "docs" / "installation.md").read_text()
    blocks = re.findall(r"^( *)```yaml\n(.*?)^ *```$", page, re.M | re.S)
    assert len(blocks) >= 3
    arguments = []
    for number, (indent, block) in enumerate(blocks):
        file = tmp_path / f"{number}.yaml"
        file.write_text(re.sub(f"^{indent}", "", block, flags=re.M))
        arguments.append(f"--values={file}")
    made = chart.objects(renders.helm, *arguments)
    assert {"chains", "signers", "identities"} <= set(yaml.safe_load(config(made)))


def registrar(objects, kind="Deployment"):
    """The settings of the registrar alone, and the files that it finds of Secrets: path to (Secret, entry)."""
    (pod,) = [each for name, each in pods(objects, kind).items() if "-registrar" in name]
    container = pod["spec"]["containers"][0]
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    files = {
        f"{mounts[volume['name']]}/{item['path']}": (volume["secret"]["secretName"], item["key"])
        for volume in pod["spec"]["volumes"]
        for item in volume.get("secret", {}).get("items", [])
    }
    return dict(argument.removeprefix("--").partition("=")[::2] for argument in container["args"]), files


def test_the_registrars_key(renders):
    arguments, files = registrar(renders.objects("everything"))
    assert files[arguments["key-file"]] == ("registrar-key", "keyfile.json")
    assert files[arguments["key-password-file"]] == ("registrar-key", "keyfile.password")
    assert (arguments["min-interval"], arguments["low-balance"]) == ("30m", "0.05")
    assert not [each for each in arguments if each.startswith("signer")]
    arguments, files = registrar(renders.objects("job"), "Job")
    assert "until-done" in arguments
    assert files[arguments["key-file"]] == ("registrar-key", "keystore.json")
    assert files[arguments["key-password-file"]] == ("registrar-key", "password")


def test_the_registrars_signer(renders):
    arguments, files = registrar(renders.objects("hardened"))
    assert arguments["signer-url"] == "https://signer.example.com:9443"
    assert arguments["signer-address"] == "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
    assert arguments["signer-api"] == "web3signer"
    assert files == {arguments["signer-token-file"]: ("signer-token", "bearer")}
    # A signer may ask for no token.
    signer = {"url": "https://signer.example.com", "address": "0x" + "0" * 39 + "1"}
    arguments, files = registrar(renders.of(registrar={"signer": signer}))
    assert (arguments["signer-api"], files) == ("transaction", {})
    assert "signer-token-file" not in arguments


def test_a_registrar_without_a_key_is_given_none(renders):
    arguments, files = registrar(renders.objects("minimal"))
    assert files == {}
    assert set(arguments) == {"role", "config", "min-interval", "low-balance"}


def test_tls(renders):
    objects = renders.objects("hardened")
    made = yaml.safe_load(config(objects))
    assert made["verifier-url"] == "https://portitor-verifier.portitor.svc:8443"
    assert made["tls-cert-file"] == "/etc/portitor/tls/tls.crt"
    container = pods(objects)["Deployment/portitor-verifier"]["spec"]["containers"][0]
    assert "--listen=:8443" in container["args"]
    (service,) = select(objects, "Service", "verifier")
    assert {port["name"]: port["port"] for port in service["spec"]["ports"]} == {"gate": 8443, "metrics": 8081}


def test_a_changed_setting_rolls_the_pods(renders):
    def checksum(**values):
        made = pods(renders.of(**values), "Deployment").values()
        return {pod["metadata"]["annotations"]["checksum/config"] for pod in made}

    assert len(checksum()) == 1
    assert checksum() == checksum(serviceMonitor={"enabled": True})
    assert checksum() != checksum(publicURL="https://api.example.com")


def test_a_file_of_the_operators_own(renders):
    objects = renders.of(existingConfigSecret={"name": "mine"})
    assert select(objects, "ConfigMap") == []
    for pod in pods(objects, "Deployment").values():
        (volume,) = [each for each in pod["spec"]["volumes"] if each["name"] == "config"]
        assert volume["secret"]["items"] == [{"key": "portitor.yaml", "path": "portitor.yaml"}]
