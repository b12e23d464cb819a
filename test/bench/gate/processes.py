"""The programs of a measurement, each on its processor, and what the kernel counts of them."""

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent

_CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU, LOAD_CPU = _CPUS[0], _CPUS[-1]
PATIENCE = 120  # seconds until a program must be ready


class Failed(Exception):
    """A program did not do its part."""


def pinned(cpu, *command):
    """The command line of a program on one processor."""
    return ["taskset", "-c", str(cpu), *map(str, command)]


def run(*command, cpu=None, timeout=600):
    """Runs a program to its end; what it printed."""
    words = pinned(cpu, *command) if cpu is not None else [str(each) for each in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False)
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise Failed(f"{command[0]}: {failure}") from None
    if done.returncode != 0:
        raise Failed(f"{Path(command[0]).name}: exit code {done.returncode}: {done.stderr.strip()[-600:]}")
    return done.stdout


def free_port():
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def raise_file_limit(wanted):
    """For this process and all that it starts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < wanted:
        raise Failed(f"needs {wanted} open files, and the hard limit is {most}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


class Program:
    """A program that runs until the block's end, then it is killed."""

    def __init__(self, name, command, folder, cpu=SERVER_CPU, stdin=subprocess.DEVNULL):
        self.name = name
        self._log = (folder / f"{name}.log").open("w+b")
        # It goes with us, however we end.
        words = pinned(cpu, "setpriv", "--pdeathsig", "KILL", *command)
        self._child = subprocess.Popen(words, stdin=stdin, stdout=self._log, stderr=self._log)
        self.pid = self._child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGKILL)
        self._child.wait()
        if self._child.stdin:
            self._child.stdin.close()
        self._log.close()

    def wait_for(self, is_ready):
        """Until `is_ready()` is true."""
        deadline = time.monotonic() + PATIENCE
        while not is_ready():
            if self._child.poll() is not None:
                raise Failed(f"{self.name}: ended: {self._tail()}")
            if time.monotonic() > deadline:
                raise Failed(f"{self.name}: not ready after {PATIENCE} s: {self._tail()}")
            time.sleep(0.02)

    def wait_for_port(self, port):
        """Until something listens there."""
        self.wait_for(lambda: _listens(port))

    def cpu_seconds(self):
        """Of all its threads, as the scheduler counts them."""
        threads = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in threads) / 1e9

    def rss(self):
        """Bytes."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise Failed(f"{self.name}: has no memory any more")

    def _tail(self):
        self._log.seek(0)
        return " / ".join(self._log.read().decode(errors="replace").strip().splitlines()[-3:]) or "no message"


@contextlib.contextmanager
def api_server(routes, folder):
    """The Kubernetes API server's look-alike, away from the gate's processor; its port."""
    port = free_port()
    command = [sys.executable, HERE.parent / "kube" / "server.py", routes, "--port", port, "--prepare", 500]
    with Program("api-server", command, folder, LOAD_CPU, subprocess.PIPE) as server:
        server.wait_for_port(port)
        yield port


@contextlib.contextmanager
def facilitator(binary, port, folder):
    """The stub; a function that tells its counts."""
    with Program("facilitator", [binary, port], folder, LOAD_CPU) as server:
        server.wait_for_port(port)
        yield lambda: json.loads(get(f"http://127.0.0.1:{port}/stats"))


@contextlib.contextmanager
def awake(binary, folder):
    """No processor sleeps meanwhile (awake.cpp)."""
    with contextlib.ExitStack() as stack:
        for cpu in {SERVER_CPU, LOAD_CPU}:
            stack.enter_context(Program(f"awake-{cpu}", ["chrt", "--idle", "0", binary], folder, cpu))
        yield


def get(url):
    """The body at a URL; empty where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except (OSError, urllib.error.URLError):
        return ""


def _listens(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
