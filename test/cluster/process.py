"""One process inside a cluster, which a test can stop, kill, pause and start again."""

import contextlib
import json
import os
import select
import signal
import subprocess
from pathlib import Path

from .errors import ClusterError
from .waiting import wait_until


class Process:
    """A process with its process group, its log in DIR/logs/NAME.log, and its id in DIR/run/NAME.json: by
    that, another run of Python finds it again."""

    def __init__(self, name, command, netns, directory, env=None, ready=None):
        self.name = name
        self.command = [str(part) for part in command]
        self.log_path = Path(directory) / "logs" / f"{name}.log"
        self._netns = netns
        self._directory = directory
        self._env = env
        self._ready = ready
        self._record = Path(directory) / "run" / f"{name}.json"
        self._child = None
        self._log_start = 0

    def start(self):
        """Starts it; returns itself. Its log goes on where an earlier run of it ended."""
        if self.running:
            raise ClusterError(f"{self.name} runs already")
        self.log_path.parent.mkdir(exist_ok=True)
        self._record.parent.mkdir(exist_ok=True)
        with open(self.log_path, "ab") as log:
            self._log_start = log.tell()
            self._child = subprocess.Popen(
                self._netns.wrap(self.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._directory,
                env=self._env,
                start_new_session=True,
            )
        self._record.write_text(json.dumps({"pid": self._child.pid, "started": _start_time(self._child.pid)}))
        return self

    @property
    def pid(self):
        """Its process id, or None when it does not run."""
        with self._handle() as handle:
            return handle.pid

    @property
    def running(self):
        """Whether it runs; a paused one does."""
        return self.pid is not None

    @property
    def returncode(self):
        """How it ended, as subprocess has it; None while it runs, or when another process started it."""
        return self._child.poll() if self._child else None

    def stop(self, timeout=10):
        """Asks it to end, and makes it when it does not in time. Returns its exit code as `returncode` has it."""
        with self._handle() as handle:
            # A paused process takes notice only when it goes on.
            handle.signal(signal.SIGTERM)
            handle.signal(signal.SIGCONT)
            if not handle.ended(timeout):
                handle.signal(signal.SIGKILL)
                handle.ended(None)
        return self.returncode

    def kill(self):
        """Ends it at once, with all of its process group."""
        with self._handle() as handle:
            handle.signal(signal.SIGKILL)
            handle.ended(None)

    def pause(self):
        """Stands it still: connections stay open, and nothing answers."""
        self.send(signal.SIGSTOP)
        # Threads that just run take the signal a moment later than it is sent.
        wait_until(lambda: _stands_still(self.pid), 5, f"{self.name} is paused", interval=0.001)

    def resume(self):
        """Lets a paused process go on."""
        self.send(signal.SIGCONT)

    def send(self, number):
        """Sends it a signal."""
        with self._handle() as handle:
            if handle.pid is None:
                raise ClusterError(f"{self.name} does not run")
            handle.signal(number)

    def wait(self, timeout=None):
        """Waits for its end. Returns its exit code as `returncode` has it."""
        with self._handle() as handle:
            if not handle.ended(timeout):
                raise ClusterError(f"{self.name} still runs after {timeout:g} s")
        return self.returncode

    def restart(self):
        """Stops it and starts it again; returns itself."""
        self.stop()
        return self.start()

    def wait_ready(self, timeout=30):
        """Waits until it does its work; returns itself. Fails early, with the end of its log, when it ends."""
        try:
            wait_until(self._ready_or_ended, timeout, f"{self.name} is ready")
        except ClusterError as error:
            raise ClusterError(f"{error}\n{self.log_tail()}") from None
        return self

    def log(self):
        """What it wrote since it was last started here."""
        with open(self.log_path, "rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def log_tail(self, lines=20):
        """The last lines that it wrote."""
        tail = self.log().splitlines()[-lines:]
        return "\n".join([f"the end of {self.log_path}:", *(f"  {line}" for line in tail)])

    def _ready_or_ended(self):
        if not self.running:
            raise ClusterError(f"{self.name} ended with exit code {self.returncode} instead of getting ready")
        return self._ready is None or self._ready(self)

    def _handle(self):
        if self._child:
            # Ends the traces of one that has ended, so that its id means nothing any more.
            self._child.poll()
        try:
            record = json.loads(self._record.read_text())
        except FileNotFoundError:
            record = {"pid": None, "started": None}
        return _Handle(record["pid"], record["started"])


class _Handle:
    """A hold on a process that cannot slip to another one with the same id; `pid` is None when it has ended."""

    def __init__(self, pid, started):
        self.pid = None
        self._fd = None
        if pid is None:
            return
        try:
            self._fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        if _start_time(pid) == started and not self.ended(0):
            self.pid = pid
        else:
            os.close(self._fd)
            self._fd = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._fd is not None:
            os.close(self._fd)

    def signal(self, number):
        """To all of its group, of which it is the leader, as long as it lives."""
        if self.pid is not None and not self.ended(0):
            os.killpg(self.pid, number)

    def ended(self, timeout):
        """Waits up to `timeout` seconds for its end (None: as long as it takes)."""
        if self._fd is None:
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))


def _stands_still(pid):
    states = []
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            states.append(stat.read_text().rpartition(")")[2].split()[0])
    return all(state in "TtZX" for state in states)


def _start_time(pid):
    """When a process started, in clock ticks: with its id, that names it for good."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[19])
