"""The tests that docs/verifier.md names as proof of its promises are there, by these names."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_each_proof_of_a_promise_is_there():
    page = (ROOT / "docs/verifier.md").read_text()
    table = page[page.index("| promise |") : page.index("## Signatures")]
    proofs = dict(re.findall(r"^- ([a-z]): (.*(?:\n  .*)*)", table, re.M))
    cited = {letter for letters in re.findall(r"\(([a-z](?:, [a-z])*)\)", table) for letter in letters.split(", ")}
    assert cited == set(proofs)
    for letter, proof in proofs.items():
        path, test = re.match(r"`([^`:]+)(?:::(\w+))?`", proof).groups()
        source = (ROOT / path).read_text()
        assert not test or f"def {test}(" in source, letter
        for name in re.findall(r'"([^"]+)"', proof):
            assert f'"{" ".join(name.split())}"' in source, (letter, name)
