"""The lists of the YAML configuration file: what an entry changes for buyers, and wrong entries, which end a start."""

import json
import urllib.parse

import pytest
import x402
from cluster import conditions_of, wait_until
from stack import ADDRESS, NAMESPACE, SCRIPTED_PORT, VERIFIER_PORT, offer
from test_bad_input import KUBECONFIG, assert_refused, run

COIN = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OWN = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
LISTS = """
facilitators:
- {{name: scripted, url: http://127.0.0.1:{port}}}
gate-key-file: {folder}/gate-key
credentials:
- {{name: ours, file: {folder}/list-credential, namespaces: [{namespace}]}}
- {{name: theirs, file: {folder}/list-credential, namespaces: [elsewhere]}}
networks:
- network: eip155:31337
  v1Name: ""
  aliases: [anvil]
  tokens:
  - {{symbol: COIN, address: "{coin}", name: Test Coin, version: "3", decimals: 3}}
- network: eip155:84532
  tokens:
  - {{symbol: OWN, address: "{own}", name: Own Token, version: "7", decimals: 18}}
"""


class Operator:
    """Has changed the lists, for the controller and the verifier."""

    def __init__(self, stack):
        self.stack = stack
        folder = stack.cluster.directory
        self.credential = folder / "list-credential"
        self.credential.write_text("Bearer first\n")
        self._config = folder / "lists.yaml"
        self._config.write_text(
            LISTS.format(port=SCRIPTED_PORT, folder=folder, namespace=NAMESPACE, coin=COIN, own=OWN)
        )

    def restart(self, role, lists=True):
        process = self.stack.cluster.processes[role]
        if process.running:
            assert process.stop(timeout=40) == 0
        self.stack.start_role(role, *([f"--config={self._config}"] if lists else []))
        self.stack.wait_ready(role, timeout=30)

    def sell(self, name, credential=None, **payment):
        made = offer(name, **payment)
        if credential:
            made["spec"]["upstream"]["credential"] = credential
        self.stack.cluster.apply(made)

    def ask(self, name, payment=None, headers=()):
        """The verifier's own answer, asked as Traefik does."""
        forwarded = [
            ("X-Forwarded-Uri", f"/services/{name}/a"),
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Host", "gate.test"),
            ("X-Forwarded-Proto", "http"),
            *headers,
        ]
        if payment:
            forwarded.append(("Payment-Signature", payment))
        url = f"http://{ADDRESS}:{VERIFIER_PORT}{self.stack.gate_target(name)}"
        return self.stack.cluster.http("GET", url, forwarded, timeout=25)

    def asked_for(self, name):
        """The requirement of its 402."""
        wait_until(lambda: self.ask(name).status == 402, 20, f"{name} asks for payment")
        required, = x402.decode_header(self.ask(name).headers["PAYMENT-REQUIRED"])["accepts"]
        return required

    def pay(self, name):
        payment = x402.sign(self.stack.scripts, 2, self.asked_for(name), valid_before="+600")
        return self.ask(name, payment)

    def facilitator(self, path, **query):
        url = f"http://127.0.0.1:{SCRIPTED_PORT}{path}?" + urllib.parse.urlencode(query)
        return json.loads(self.stack.cluster.http("GET", url).body)


@pytest.fixture(scope="module")
def operator(stack, scripted):
    it = Operator(stack)
    it.facilitator("/script", supported="everywhere")
    # A controller that knows more than the verifier, at first.
    it.restart("controller")
    yield it
    stack.remove_offers(NAMESPACE)
    for role in ("controller", "verifier"):
        it.restart(role, lists=False)


@pytest.fixture(scope="module")
def verifier(operator):
    """With the same lists as the controller."""
    operator.restart("verifier")
    operator.facilitator("/script", supported="everywhere")
    return operator


def admission(stack, name):
    found = conditions_of(stack.cluster.get("paymentroute", f"{name}-payment", NAMESPACE)).get("Admitted", {})
    return found.get("status", ""), found.get("message", "")


def test_a_verifier_without_the_network_sells_nothing_on_it_and_says_so(operator):
    operator.sell("coin", network="anvil", price="0.5", facilitator="scripted")
    wait_until(lambda: admission(operator.stack, "coin")[0] == "False", 20, "the route is refused")
    assert "eip155:31337" in admission(operator.stack, "coin")[1]
    assert operator.ask("coin").status in (403, 503)
    operator.stack.wait_condition("coin", "Ready", "False")


def test_a_network_of_the_list_is_named_with_its_asset_and_price(verifier):
    required = verifier.asked_for("coin")
    assert required["network"] == "eip155:31337"
    assert required["asset"] == COIN
    assert required["amount"] == "500"
    assert (required["extra"]["name"], required["extra"]["version"]) == ("Test Coin", "3")
    verifier.stack.wait_condition("coin", "Ready")
    # It has no name in v1, whose clients refuse a 402 with names that they do not know.
    assert json.loads(verifier.ask("coin").body)["accepts"] == []
    page = verifier.ask("coin", headers=[("Accept", "text/html"), ("User-Agent", "Mozilla/5.0")])
    assert b"0.5 COIN" in page.body and b"eip155:31337" in page.body


def test_a_token_of_the_list_on_a_known_network_is_paid_under_its_own_domain(verifier):
    verifier.sell("own", asset={"symbol": "OWN"}, facilitator="scripted")
    required = verifier.asked_for("own")
    assert (required["network"], required["asset"]) == (x402.NETWORK_V2, OWN)
    assert required["amount"] == str(10**15)
    old, = json.loads(verifier.ask("own").body)["accepts"]
    assert (old["network"], old["asset"], old["maxAmountRequired"]) == (x402.NETWORK_V1, OWN, str(10**15))
    assert verifier.pay("own").status == 200
    # The same under the network's usual domain is another token's signature.
    usual = required | {"extra": required["extra"] | {"name": "USDC", "version": "2"}}
    forged = x402.decode_header(x402.sign(verifier.stack.scripts, 2, usual, valid_before="+600"))
    verifier.facilitator("/script")
    answer = verifier.ask("own", x402.encode_header(forged | {"accepted": required}))
    assert answer.status == 402
    assert "signature" in x402.decode_header(answer.headers["PAYMENT-REQUIRED"])["error"]
    assert verifier.facilitator("/counts") == {"verify": 0, "settle": 0}


def test_a_credential_changes_with_its_file(verifier):
    verifier.sell("secretive", credential="ours", facilitator="scripted")
    assert verifier.pay("secretive").headers["Authorization"] == "Bearer first"
    # docs/configuration.md: read again every 10 s; what is no value leaves the last one.
    log = verifier.stack.cluster.processes["verifier"].log
    verifier.credential.write_text("unusable\nlines\n")
    wait_until(lambda: "keeping the last value" in log(), 13, "the log tells", interval=0.2)
    assert verifier.pay("secretive").headers["Authorization"] == "Bearer first"
    verifier.credential.write_text("Bearer second\n")
    wait_until(
        lambda: verifier.pay("secretive").headers["Authorization"] == "Bearer second", 13, "the new value", interval=1
    )
    assert "Bearer" not in log() and "unusable" not in log()


def test_an_offer_whose_credential_is_gone_at_a_start_is_not_called_admitted(verifier):
    verifier.sell("bereft", credential="ours", facilitator="scripted")
    verifier.stack.wait_condition("bereft", "Ready")
    kept = verifier.credential.read_text()
    verifier.credential.unlink()
    try:
        verifier.restart("verifier")
        verifier.stack.wait_condition("bereft", "Ready", status="False", timeout=15)
        status, reason, message = verifier.stack.conditions("bereft")["PaymentGateReady"]
        assert (status, reason) == ("False", "NotAdmitted") and "credential" in message
        assert verifier.ask("bereft").status == 503
    finally:
        verifier.credential.write_text(kept)
    verifier.stack.wait_condition("bereft", "Ready", timeout=20)


def test_a_credential_of_other_namespaces_is_not_to_be_had(verifier):
    verifier.sell("curious", credential="theirs", facilitator="scripted")
    verifier.stack.wait_condition("curious", "Ready", status="False")
    said = " ".join(message for _, _, message in verifier.stack.conditions("curious").values())
    assert '"theirs"' in said
    assert verifier.ask("curious").status in (403, 503)


def token(**changes):
    """A network with one token, as YAML; None leaves a member out."""
    members = {"symbol": "COIN", "address": COIN, "name": "Coin", "version": "1", "decimals": 6} | changes
    given = {key: value for key, value in members.items() if value is not None}
    return f"networks:\n- network: eip155:5\n  tokens:\n  - {json.dumps(given)}\n"


@pytest.mark.parametrize(
    "text, words",
    [
        ("networks: eip155:5\n", ("networks", "line 1", "list")),
        ("networks: {network: 'eip155:5'}\n", ("networks", "line 1", "list")),
        ("networks:\n- eip155:5\n", ("networks", "line 2", "mapping")),
        ("networks:\n- {network: 'eip155:5', rpc: x}\n", ("networks", "line 2", '"rpc"')),
        ("networks:\n- {v1Name: five}\n", ("networks", "line 2", '"network"')),
        ("networks:\n- {network: [five]}\n", ("networks", "line 2", '"network"')),
        ("networks:\n- {network: five}\n", ("networks", "five", "CAIP-2")),
        ("networks:\n- {network: 'eip155:5', v1Name: 'a:b'}\n", ("networks", "eip155:5", "v1 name")),
        ("networks:\n- {network: 'eip155:5', aliases: five}\n", ("networks", "line 2", '"aliases"')),
        ("networks:\n- {network: 'eip155:5', aliases: [[five]]}\n", ("networks", "line 2", '"aliases"')),
        ("networks:\n- {network: 'eip155:5', aliases: [base]}\n", ("networks", "eip155:5", '"base"', "eip155:8453")),
        (
            "networks:\n- {network: 'eip155:5', aliases: [x]}\n- {network: 'eip155:6', aliases: [x]}\n",
            ("networks", "eip155:6", '"x"', "eip155:5"),
        ),
        ("networks:\n- {network: 'eip155:5', tokens: COIN}\n", ("networks", "line 2", "tokens", "list")),
        ("networks:\n- {network: 'eip155:5', tokens: [COIN]}\n", ("networks", "line 2", "token", "mapping")),
        (token(symbl="COIN"), ("networks", "line 4", "token", '"symbl"')),
        (token(decimals=None), ("networks", "line 4", "token", '"decimals"')),
        (token(decimals="six"), ("networks", "line 4", "decimals", '"six"')),
        (token(decimals=-1), ("networks", "line 4", "decimals", '"-1"')),
        (token(decimals=256), ("networks", "line 4", "decimals", "256")),
        (token(address=COIN[:-1]), ("networks", "eip155:5", "address", COIN[:-1])),
        (token(version=[1]), ("networks", "line 4", "token", '"version"')),
        (token(transferMethod="eip2612"), ("networks", "line 4", "transferMethod", '"eip2612"')),
        ("chains: base\n", ("chains", "line 1", "list")),
        ("chains:\n- {name: base, rpcUrl: 'https://planted-secret'}\n", ("chains", "line 2", '"rpcUrl"')),
        ("chains:\n- {rpcURL: 'https://planted-secret'}\n", ("chains", "line 2", '"name"')),
        ("chains:\n- {name: base, rpcURL: [planted-secret]}\n", ("chains", "line 2", '"rpcURL"')),
        ("chains:\n- {name: base, rpcURL: planted-secret}\n", ("chains", "line 2", "base", "rpcURL")),
        ("chains:\n- {name: base, rpcURL: 'wss://node/planted-secret'}\n", ("chains", "line 2", "base", "rpcURL")),
        ("chains:\n- {name: base}\n- {name: base}\n", ("chains", "line 3", "base", "twice")),
        ("credentials: upstream\n", ("credentials", "line 1", "list")),
        ("credentials:\n- {name: a, file: /a, namespace: b}\n", ("credentials", "line 2", '"namespace"')),
        ("credentials:\n- {name: a}\n", ("credentials", "line 2", '"file"')),
        ("credentials:\n- {name: a, file: /a, namespaces: b}\n", ("credentials", "line 2", '"namespaces"')),
        ("facilitators: https://a\n", ("facilitators", "line 1", "list")),
        ("facilitators:\n- {name: a, url: nowhere}\n", ("facilitators", "facilitator a", '"nowhere"')),
        (
            "facilitators:\n- {name: a, url: 'https://a'}\n- {name: a, url: 'https://b'}\n",
            ("facilitators", "line 3", "facilitator a", "twice"),
        ),
        ("chains: []\nnetworks: []\nchains: []\n", ("chains", ":3", "twice")),
        ("chains:\n- {name: base, name: base}\n", ("chains", "line 2", '"name"', "twice")),
    ],
)
def test_a_wrong_entry_ends_the_start(tmp_path, text, words):
    """The error names the file, the list, the entry and the member."""
    assert_refused(start(tmp_path, text), str(tmp_path / "portitor.yaml"), *words, code=2)


@pytest.mark.parametrize(
    "text, words",
    [
        ("chains:\n- {name: five, rpcURL: 'https://node.example.com/planted-secret'}\n", ("chain five", "network")),
        ("chains:\n- {name: five}\n", ("chain five", "rpcURL")),
        ("chains:\n- {name: base, rpcURL: 'http://127.0.0.1:1/planted-secret'}\n", ("chain base", "rpcURL", "https")),
        (
            "allow-insecure-facilitator: true\n"
            "chains:\n- {name: base, rpcURL: 'http://node.example.com/planted-secret'}\n",
            ("chain base", "rpcURL", "https"),
        ),
        ("facilitators:\n- {name: a, url: 'http://127.0.0.1:1'}\n", ("facilitator a", "https")),
    ],
)
def test_an_entry_that_goes_with_no_other_setting_ends_the_start(tmp_path, text, words):
    # What no table of networks knows shows only when the role is made.
    assert_refused(start(tmp_path, text), *words, code=1 if "network" in words else 2)


def start(folder, text):
    config, kubeconfig = folder / "portitor.yaml", folder / "kubeconfig"
    config.write_text(text)
    kubeconfig.write_text(KUBECONFIG)
    ports = ["--health-listen=127.0.0.1:0", "--listen=127.0.0.1:0"]
    return run("--role=verifier", *ports, f"--kubeconfig={kubeconfig}", f"--config={config}")
