"""The command line as people use it: of the real parts only the shells, man and kubectl, and no cluster."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "test/e2e"))
PORTITOR = Path(os.environ.get("PORTITOR_BIN", ROOT / "build/release/portitor"))


@pytest.fixture(scope="session")
def portitor():
    return PORTITOR


@pytest.fixture(scope="session")
def run():
    """Runs the program; nothing of the machine's own settings decides a test."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PORTITOR_", "KUBE", "NO_COLOR"))}

    def start(*arguments, program=PORTITOR, env=None, **more):
        return subprocess.run(
            [program, *arguments], env=kept | (env or {}), capture_output=True, text=True, timeout=20, **more
        )

    return start


@pytest.fixture
def on_path(tmp_path):
    """An environment in which portitor and its kubectl plug-in are found by their names."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("portitor", "kubectl-portitor"):
        (folder / name).symlink_to(PORTITOR)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(tmp_path), "TERM": "xterm"}
