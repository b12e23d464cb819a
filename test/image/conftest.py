"""Builds the image of build/release/portitor once, and unpacks it as a container runtime would."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "test"), str(ROOT / "scripts")]

from archive import Archive  # noqa: E402


@pytest.fixture(scope="session")
def make():
    """Runs scripts/image.py, and returns what it printed."""

    def run(*arguments):
        done = subprocess.run([ROOT / "scripts/image.py", *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def built(make, tmp_path_factory):
    """The folder with the archive and the SBOM beside it."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "said").write_text(make("--output", folder))
    return folder


@pytest.fixture(scope="session")
def image(built):
    (path,) = built.glob("*.tar")
    return Archive(path)


@pytest.fixture(scope="session")
def root(image, tmp_path_factory):
    """The files of the image, for containers: these make the places of their mounts in it."""
    folder = tmp_path_factory.mktemp("root")
    # Another user has to get there.
    for each in (folder, folder.parent):
        each.chmod(0o755)
    image.unpack(folder)
    return folder
