"""`portitor man`, as man and groff read it, and what CMake installs of it."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def page(run, tmp_path_factory):
    done = run("man")
    assert (done.returncode, done.stderr) == (0, "")
    path = tmp_path_factory.mktemp("man") / "portitor.1"
    path.write_text(done.stdout)
    return path


def test_it_has_all_its_sections(page):
    text = page.read_text()
    titles = [line[4:] for line in text.splitlines() if line.startswith(".SH ")]
    assert [title for title in titles if "OPTIONS" not in title] == [
        *("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES")
    ]
    assert text.count("\\fB\\-\\-public\\-url\\fR") == 1 and "Options of roles that it has, too" in text
    assert "\\fB\\-\\-max\\-claims\\fR" in text and "portitor release\\-finalizers" in text


@pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")
def test_man_shows_it_without_a_warning(page):
    done = subprocess.run(
        ["man", "--warnings", "-P", "cat", "-l", page],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "80"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--log-level debug|info|warn|error" in done.stdout, done.stdout[:2000]


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_mandoc_finds_nothing_to_improve(page):
    # That there is no date is meant: the page is the same whenever it is made.
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
    said = [line for line in done.stdout.splitlines() if "missing date" not in line]
    assert said == []


def test_it_is_installed_with_the_completions(run, tmp_path):
    build = ROOT / "build/release"
    if not (build / "reference/portitor.1").exists():
        pytest.skip("scripts/build.sh release has not made the manual page")
    done = subprocess.run(["cmake", "--install", build, "--prefix", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, first in (
        ("share/man/man1/portitor.1", ".TH PORTITOR 1"),
        ("share/bash-completion/completions/portitor", "# Completion of portitor for bash"),
        ("share/zsh/site-functions/_portitor", "#compdef portitor"),
        ("share/fish/vendor_completions.d/portitor.fish", "# Completion of portitor for fish"),
    ):
        assert (tmp_path / name).read_text().startswith(first)
    assert (tmp_path / "bin/kubectl-portitor").readlink().name == "portitor"
    assert run("version", program=tmp_path / "bin/kubectl-portitor").stdout.startswith("portitor ")
