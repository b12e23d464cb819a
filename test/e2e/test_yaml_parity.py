"""The cases that offers' files are read by (test/unit/cli/yaml_cases.json), shown to kubectl."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster import tools

CASES = json.loads((Path(__file__).resolve().parents[1] / "unit/cli/yaml_cases.json").read_text())


def read(*values):
    """What kubectl makes of an object with these values; it asks no cluster. None: it refuses them."""
    text = "apiVersion: obol.org/v1alpha1\nkind: ServiceOffer\nmetadata: {name: a}\nspec:\n"
    text += "".join(f"  v{position}: {value}\n" for position, value in enumerate(values))
    words = [tools.program("kubectl"), "label", "--local", "-f", "-", "-o", "json", "seen=yes"]
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    if done.returncode:
        return None
    spec = json.loads(done.stdout)["spec"]
    return [as_read(spec[f"v{position}"]) for position in range(len(values))]


def as_read(value):
    """Kubernetes has no integers beyond 64 bits: such are floating-point numbers, however they are printed."""
    return float(value) if type(value) is int and not -(2**63) <= value < 2**63 else value


def test_what_is_taken():
    written = [text for text, _ in CASES["taken"]]
    # Anchors are of a whole document, so that those that have some go alone.
    alone = [text for text in written if "&" in text]
    together = [text for text in written if text not in alone]
    said = dict(zip(together, read(*together)))
    said |= {text: read(text)[0] for text in alone}
    wrong = {text: (value, said[text]) for text, value in CASES["taken"] if repr(value) != repr(said[text])}
    assert not wrong


def test_what_is_refused():
    with ThreadPoolExecutor(2) as pool:
        assert dict(zip(CASES["refused"], pool.map(read, CASES["refused"]))) == dict.fromkeys(CASES["refused"])
