"""What docs/once.md shows is what the program says."""

import re
import shlex
import subprocess

import pytest
from stack import ROOT, binary

TEXT = (ROOT / "docs" / "once.md").read_text()
SHOWN = re.findall(r"```console\n\$ portitor ([^\n]*)\n(.*?)```", TEXT, re.S)


@pytest.mark.parametrize("words, said", SHOWN, ids=[words for words, _ in SHOWN])
def test_it_says_what_is_shown(tmp_path, words, said):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "pricing.yaml").write_text(re.search(r"```yaml\n(.*?)```", TEXT, re.S)[1])
    done = subprocess.run([binary(), *shlex.split(words)], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (said, "")
