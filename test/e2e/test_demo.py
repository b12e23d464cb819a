"""What a newcomer does: `scripts/demo.sh --shell`, and in it the README's lines as they are written."""

import re
import subprocess
import sys
from pathlib import Path

import demo_shell
from stack import ROOT


def test_what_the_demo_tells_to_type_works_as_it_is_written():
    """All but what `scripts/demo.sh --shell` builds first. The README's line is among it; each has to end well."""
    (block,) = re.findall(r"^```\n(portitor sell http .*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    assert block in demo_shell.LINES
    typed = f"set -e\npwd\nip netns identify\n{demo_shell.LINES}"
    done = subprocess.run([sys.executable, demo_shell.__file__], input=typed, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in demo_shell.LINES.splitlines():
        assert f"  {line}\n" in done.stdout, "it says what to type"
    for said in (
        "ServiceOffer sellers/hello created (type: http)",
        "Ready              True",
        "good: the gate asks for 0.001 USDC on Base Sepolia (402)",
        "HTTP/1.1 402 Payment Required",
        "answer       402, and 0.001 USDC on Base Sepolia buys it",
        "served: status 200",
        "serviceoffer.obol.org/hello",
        "3 as wanted",
        "Confirmed",
        "base-sepolia: balance of 0x",
        " 0 failure",
        "ServiceOffer sellers/hello deleted",
    ):
        assert said in done.stdout + done.stderr, said
    folder, namespace = re.search(r"^(/\S+/shell)\n(portitor-\S+)$", done.stdout, re.M).groups()
    assert not Path(folder).parent.exists()
    assert not Path("/run/netns", namespace).exists()


def test_a_demo_that_there_is_not_is_refused_at_once():
    done = subprocess.run([ROOT / "scripts" / "demo.sh", "--keep"], capture_output=True, text=True, timeout=10)
    assert (done.returncode, done.stderr) == (2, "usage: scripts/demo.sh [--shell]\n")
