"""The network namespace that holds a whole cluster."""

import concurrent.futures
import ctypes
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from .errors import ClusterError

# An address that is the namespace's own and that the API server accepts in an EndpointSlice, which it
# does not with loopback ones.
ADDRESS = "10.77.0.1"

_CLONE_NEWNET = 0x40000000


class Netns:
    """The namespace of one cluster; its prefix keeps anybody else's namespaces out of reach."""

    def __init__(self, cluster):
        self.name = f"portitor-{cluster}"
        self.path = Path("/run/netns") / self.name
        self._etc = Path("/etc/netns") / self.name

    def create(self):
        """Makes the namespace, with its address and with a resolver that asks that address."""
        # `ip netns exec` shows a namespace its own files of /etc.
        self._etc.mkdir(parents=True)
        (self._etc / "resolv.conf").write_text(f"nameserver {ADDRESS}\n")
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "set", "lo", "up")
        _ip("-n", self.name, "addr", "add", f"{ADDRESS}/32", "dev", "lo")

    def delete(self):
        """Removes the namespace with every process in it; fine when there is none."""
        if self.path.exists():
            self._kill_all()
            _ip("netns", "del", self.name)
        shutil.rmtree(self._etc, ignore_errors=True)

    def wrap(self, command):
        """The command line that runs `command` inside the namespace, under the same process id."""
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def pids(self):
        """The processes in the namespace."""
        try:
            namespace = self.path.stat()
        except FileNotFoundError:
            return []
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit() and _same(f"/proc/{entry}/ns/net", namespace):
                found.append(int(entry))
        return found

    def _kill_all(self, timeout=10):
        if os.getpid() in self.pids():
            raise ClusterError("a cluster cannot be removed from inside of it")
        deadline = time.monotonic() + timeout
        # Again until none is left: what is killed may just have forked.
        while pids := self.pids():
            if time.monotonic() > deadline:
                raise ClusterError(f"processes of {self.name} do not end: {pids}")
            for pid in pids:
                self._kill(pid)

    def _kill(self, pid):
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            # Only now that the handle is held is it certain that this id is still the same process.
            if _same(f"/proc/{pid}/ns/net", self.path.stat()):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                ended = select.poll()
                ended.register(handle, select.POLLIN)
                ended.poll(1000)
        except ProcessLookupError:
            pass
        finally:
            os.close(handle)


class Sockets:
    """Opens sockets inside a namespace for a process that is outside of it. A socket belongs to where it was
    opened, whoever uses it, so one thread that lives inside is enough."""

    def __init__(self, netns):
        self._path = netns.path
        self._inside = concurrent.futures.ThreadPoolExecutor(1, "netns", self._enter)

    def connect(self, host, port, timeout):
        """A TCP connection made inside the namespace."""
        connection = self._inside.submit(socket.socket, socket.AF_INET, socket.SOCK_STREAM).result()
        try:
            connection.settimeout(timeout)
            connection.connect((host, port))
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self):
        """Ends the thread, which would keep the namespace alive."""
        self._inside.shutdown()

    def _enter(self):
        with open(self._path, "rb") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), f"cannot enter {self._path}")


def _same(path, namespace):
    try:
        found = os.stat(path)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return (found.st_dev, found.st_ino) == (namespace.st_dev, namespace.st_ino)


def _ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise ClusterError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
