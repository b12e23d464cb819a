"""The scripts of `portitor completion`, asked by the real shells."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import termios
import time

import pytest


def script(run, tmp_path, shell):
    done = run("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    # The name that fish and zsh look for.
    path = tmp_path / {"bash": "portitor.bash", "zsh": "_portitor", "fish": "portitor.fish"}[shell]
    path.write_text(done.stdout)
    return path


class Terminal:
    """A program on a terminal of its own: zsh completes nowhere else."""

    def __init__(self, command, env):
        self._unread = ""
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.execvpe(command[0], command, env)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 500, 200, 0, 0))

    def write(self, text):
        os.write(self._terminal, text.encode())

    def read_until(self, sign):
        """What is shown up to that, and without the codes that move the cursor."""
        said, self._unread = self._unread, ""
        ends = time.monotonic() + 15
        while sign not in said:
            assert select.select([self._terminal], [], [], max(0, ends - time.monotonic()))[0], (sign, said)
            said += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", os.read(self._terminal, 65536).decode(errors="replace"))
        end = said.index(sign) + len(sign)
        self._unread = said[end:]
        return said[:end]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)


@pytest.fixture
def bash(run, tmp_path):
    """What bash offers for a line, split as readline does it."""
    path = script(run, tmp_path, "bash")

    def ask(line):
        words = re.findall(r"=|[^\s=]+", line) + ([""] if line.endswith((" ", "=")) and not line.endswith("==") else [])
        if line.endswith("="):
            words.pop()
        quoted = " ".join(f"'{word}'" for word in words)
        asked = (
            f"source {path}; complete -p portitor >/dev/null || exit 9; COMP_WORDS=({quoted}); "
            f"COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _portitor; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        )
        done = run("--norc", "-c", asked, program="bash", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout.split()

    return ask


def test_bash_completes_commands(bash):
    assert {"once", "version", "completion"} <= set(bash("portitor "))
    assert bash("portitor rel") == ["release-finalizers"]
    assert bash("portitor nonsense") == []


def test_bash_completes_flags_and_values(bash):
    assert {"--help", "--output", "-o"} <= set(bash("portitor version -"))
    assert "--max-claims" not in bash("portitor version -")
    assert "--max-claims" in bash("portitor --")
    assert bash("portitor version --out") == ["--output"]
    for line in ("portitor version --output ", "portitor version --output=", "portitor version -o "):
        assert bash(line) == ["text", "json", "yaml"], line
    assert bash("portitor version --output=j") == ["json"]
    assert bash("portitor --role ver") == ["verifier"]
    assert bash("portitor --listen ") == []
    assert bash("portitor completion ") == ["bash", "zsh", "fish"]
    # The word of an option is no command.
    assert "once" in bash("portitor --log-level debug ")
    assert "once" not in bash("portitor --log-level ")


def test_bash_completes_behind_flags(bash):
    for before in ("-n shop ", "--kubeconfig file --color=never ", "--log-level=debug -n version "):
        assert bash(f"portitor {before}rel") == ["release-finalizers"], before
        assert bash(f"portitor {before}version -o ") == ["text", "json", "yaml"], before
    assert "list" in bash("portitor sell -n shop ")
    assert "--selector" in bash("portitor sell -n shop list --sel")


def test_bash_completes_files(bash, tmp_path):
    (tmp_path / "offer.yaml").touch()
    assert bash("portitor once -f off") == ["offer.yaml"]
    assert bash("portitor --config=off") == ["offer.yaml"]


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_completes_with_descriptions(run, tmp_path):
    path = script(run, tmp_path, "fish")
    env = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}

    def ask(line):
        done = run("--no-config", "-c", f"source {path}; complete -C '{line}'", program="fish", env=env)
        assert (done.returncode, done.stderr) == (0, ""), done
        return dict(line.partition("\t")[::2] for line in done.stdout.splitlines())

    assert ask("portitor rel")["release-finalizers"].startswith("before an uninstall")
    assert set(ask("portitor version --outp")) == {"--output"}
    assert set(ask("portitor version -o ")) == {"text", "json", "yaml"}
    assert set(ask("kubectl-portitor version --color=al")) == {"--color=always"}
    assert set(ask("portitor completion ")) == {"bash", "zsh", "fish"}
    assert "--max-claims" not in ask("portitor version --")
    assert "--max-claims" in ask("portitor --m")
    assert set(ask("portitor -n shop version -o ")) == {"text", "json", "yaml"}
    assert "release-finalizers" in ask("portitor --color=never --context here rel")


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_completes_with_descriptions(run, tmp_path):
    script(run, tmp_path, "zsh")
    with Terminal(["zsh", "-f", "-i"], {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "TERM": "dumb"}) as zsh:
        zsh.write(f"fpath=({tmp_path} $fpath); PROMPT=at-$((20 + 1)); RPROMPT=; LISTMAX=10000; setopt no_beep\n")
        zsh.write(f"autoload -Uz compinit; compinit -u -d {tmp_path}/dump; print begin-$((40 + 2))\n")
        zsh.read_until("begin-42")

        def ask(line, sign):
            # Before its prompt it does not read single keys. ^D lists what may follow, ^U clears the line.
            zsh.read_until("at-21")
            zsh.write(line + "\x04")
            said = zsh.read_until(sign)
            zsh.write("\x15print end-$((40 + 3))\n")
            return said + zsh.read_until("end-43")

        said = ask("portitor ", "release-finalizers")
        assert "before an uninstall: stops the controller" in said and "once" in said
        said = ask("portitor version --", "--output")
        assert "how it is printed" in said and "--max-claims" not in said
        assert "text" in ask("portitor version --output=", "json")
        assert "bash" in ask("portitor completion ", "fish")
