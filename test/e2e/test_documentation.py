"""What the documentation shows as the output of commands is what they print. PORTITOR_UPDATE_DOCS=1 writes it anew."""

import os
import re
import shlex
import subprocess

import pytest
import registry
import transcript
import yaml
from on_chain import Operator
from stack import GATEWAY, ROOT, binary
from x402 import BUYER_KEY

PAGE = ROOT / "docs" / "tour.md"
NAMESPACE = "sellers"
# As the documentation names the gateway.
PUBLIC = "http://api.example.com"


@pytest.fixture
def folder(stack, tmp_path):
    """Where the reader of the page sits: a service to sell, and a buyer's key."""
    stack.cluster.service(NAMESPACE, "hello", 9000)
    key = tmp_path / "buyer.key"
    key.write_text(BUYER_KEY + "\n")
    key.chmod(0o600)
    # So that its name is the same each time.
    (tmp_path / "kubeconfig").write_text(stack.cluster.kubeconfig.read_text())
    yield tmp_path
    stack.remove_offers(NAMESPACE)


@pytest.fixture
def on_chain(stack, folder):
    """The registrar has a key, and a registry in which nobody is yet: at the canonical address, for the time of the test."""
    canonical = "0x8004A818BFB912233c491871b3d84c89A494BD9e"
    chain = registry.add_to(stack, canonical)
    # Spelled as it is built in, so that commands see no difference.
    chain.registry = canonical
    with Operator(stack, chain, NAMESPACE):
        yield
        # While there is a registrar that can retire them.
        stack.remove_offers(NAMESPACE)
    # As it was: others find no contract there.
    chain.rpc("anvil_setCode", canonical, "0x")


def run(stack, folder, command):
    """What a shell prints for it; both outputs, as on a terminal."""
    environment = stack.cluster.environment()
    done = subprocess.run(
        stack.cluster.wrap(["bash", "-c", command.replace(PUBLIC, GATEWAY)]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env=environment | {"PATH": f"{binary().parent}:{environment['PATH']}", "KUBECONFIG": "kubeconfig"},
        timeout=90,
    )
    return done.stdout.replace(GATEWAY, PUBLIC).replace(GATEWAY.removeprefix("http://"), PUBLIC.removeprefix("http://"))


def test_the_tour_shows_what_the_commands_print(stack, folder, on_chain):
    page = PAGE.read_text()
    steps = transcript.steps(page)
    assert len(steps) > 10, "the page has commands"
    printed = [run(stack, folder, step.command) for step in steps]
    if os.environ.get("PORTITOR_UPDATE_DOCS"):
        PAGE.write_text(transcript.rewritten(page, printed))
        return
    stale = [
        f"$ {step.command}\n{different}"
        for step, now in zip(steps, printed)
        if (different := transcript.difference(step.shown, now))
    ]
    assert not stale, "docs/tour.md is stale; PORTITOR_UPDATE_DOCS=1 writes it anew:\n" + "\n\n".join(stale)


README = (ROOT / "README.md").read_text()


def readme_block(begin):
    """The block of code of the README that begins so."""
    (found,) = [each for each in re.findall(r"^```\w*\n(.*?)^```$", README, re.M | re.S) if each.startswith(begin)]
    return found


def readme_table(heading):
    """The first cells of the table with that heading, bare of marks."""
    table = README[README.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    return [line.split("|")[1].strip(" `") for line in table]


def test_the_readme_shows_an_offer_as_kubectl_does(stack, folder):
    manifest = yaml.safe_load(readme_block("apiVersion:"))
    shown = readme_block("$ kubectl")
    command = shown.splitlines()[0].removeprefix("$ ")
    stack.cluster.apply(manifest)
    stack.wait_condition("hello", "Ready", namespace=NAMESPACE)
    printed = run(stack, folder, command).replace(PUBLIC, "https://api.example.com")
    assert transcript.difference(shown.split("\n", 1)[1], printed) == ""
    conditions = stack.cluster.get("serviceoffer", "hello", NAMESPACE)["status"]["conditions"]
    assert {each["type"] for each in conditions} == set(readme_table("condition"))


def test_what_the_readme_tells_to_type_is_understood(stack, folder):
    (folder / "offer.yaml").write_text(readme_block("apiVersion:"))
    (folder / "charts").symlink_to(ROOT / "charts")
    typed = readme_block("portitor --role=controller").splitlines()
    assert [shlex.split(each)[1] for each in typed] == ["--role=controller", "--role=verifier", "--role=registrar", "once"]
    for each in typed[:3]:
        # What is typed wrong ends with 2; these do not get as far as to look for a cluster otherwise.
        done = subprocess.run(
            [binary(), *shlex.split(each)[1:], "--kubeconfig=nowhere"], cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 1 and "nowhere cannot be read" in done.stderr, done.stderr
    assert "0.001 USDC on Base Sepolia" in run(stack, folder, typed[3] + " --public-url=https://api.example.com")
    helm = shlex.split(readme_block("helm install"))
    assert helm[1] == "install"
    helm[1] = "template"
    rendered = run(stack, folder, shlex.join(each for each in helm if each != "--create-namespace"))
    assert "kind: Deployment" in rendered and "https://api.example.com" in rendered, rendered


def test_the_readme_names_what_is_there():
    help_of = lambda *words: subprocess.run([binary(), *words, "--help"], capture_output=True, text=True).stdout
    for role in readme_table("`--role=`"):
        assert role in help_of()
    for command in readme_table("`portitor`"):
        assert help_of(command.split()[0]).startswith(f"portitor {command.split()[0]}: ")
    for script in set(re.findall(r"\bscripts/[\w.-]+", README)):
        assert os.access(ROOT / script, os.X_OK), script
    for link in set(re.findall(r"\]\((?!https?:)([^)#]+)", README)):
        assert (ROOT / link).exists(), link


def test_a_transcript_that_is_stale_is_noticed():
    page = "text\n```console\n$ echo a \\\n    b\na b   3s\n$ true\n$ echo c\nd\n```\n"
    first, second, third = transcript.steps(page)
    assert first.command == "echo a     b" and second.shown == ""
    assert transcript.difference(first.shown, "a b 17m") == ""
    assert "+c" in transcript.difference(third.shown, "c\n")
    assert transcript.rewritten(page, ["x\n", "", "c\n"]) == page.replace("a b   3s", "x").replace("\nd\n", "\nc\n")
