"""What the documentation shows as the output of commands is what they print. PORTITOR_UPDATE_DOCS=1 writes it anew."""

import os
import subprocess

import pytest
import transcript
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


def test_the_tour_shows_what_the_commands_print(stack, folder):
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


def test_a_transcript_that_is_stale_is_noticed():
    page = "text\n```console\n$ echo a \\\n    b\na b   3s\n$ true\n$ echo c\nd\n```\n"
    first, second, third = transcript.steps(page)
    assert first.command == "echo a     b" and second.shown == ""
    assert transcript.difference(first.shown, "a b 17m") == ""
    assert "+c" in transcript.difference(third.shown, "c\n")
    assert transcript.rewritten(page, ["x\n", "", "c\n"]) == page.replace("a b   3s", "x").replace("\nd\n", "\nc\n")
