#!/usr/bin/python3
"""Runs the files of an image as a container runtime would: its own mount, pid, ipc, uts, network and user namespaces,
the image's user, no capabilities, a read-only root. Needs root, and nothing but Python.

From Python, `Container`. As a command, for whoever starts processes in a way of its own (SIGTERM, SIGINT and SIGHUP
reach the program, and its exit code comes back):

    container.py ROOT [--netns PATH] [--mount SOURCE:TARGET]... [--env NAME=VALUE]... -- COMMAND...

A network namespace that exists is joined by its path; /proc/self/ns/net is the one that this is started in.
"""

import argparse
import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
from pathlib import Path

USER = 65532

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    *(0x00020000, 0x04000000, 0x08000000),
    *(0x10000000, 0x20000000, 0x40000000),
)
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
_MNT_DETACH = 2
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPABILITY_VERSION = 0x20080522
_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_libc = ctypes.CDLL(None, use_errno=True)


class Container:
    """One run of an image's files. `mounts` (target to source) appear read-only in it, but for folders that everybody may write to; without `netns` it has a
    network of its own, with nothing but a loopback interface."""

    def __init__(self, root, command, *, env=None, mounts=None, netns=None):
        self._line = command_line(root, command, env=env, mounts=mounts, netns=netns)
        self._launcher = None

    def run(self, input="", timeout=20):
        """Runs it to its end; returns what subprocess.run does."""
        return subprocess.run(self._line, input=input, capture_output=True, text=True, timeout=timeout)

    @contextlib.contextmanager
    def running(self, log):
        """Runs it beside the block, which gets this object, with its output in the file `log`; ends it after that."""
        with open(log, "ab") as out:
            self._launcher = subprocess.Popen(
                self._line, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )
        try:
            yield self
        finally:
            self._launcher.kill()
            self._launcher.wait()

    def stop(self, timeout=10):
        """Asks it to end, as a kubelet does; returns its exit code."""
        self._launcher.terminate()
        return self._launcher.wait(timeout)

    @property
    def pid(self):
        """The id of the program itself, as seen from outside; waits until it is the program of the image."""
        children = Path(f"/proc/{self._launcher.pid}/task/{self._launcher.pid}/children")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            # The launcher is Python, and so is its child until it becomes the program.
            for pid in children.read_text().split():
                if os.readlink(f"/proc/{pid}/exe") != os.readlink(f"/proc/{self._launcher.pid}/exe"):
                    return int(pid)
            if self._launcher.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"the container does not start: {self._launcher.poll()}")

    def inside(self, command):
        """The command line that runs one of this machine's programs in the container's network."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *map(str, command)]


def command_line(root, command, *, env=None, mounts=None, netns=None):
    """The command line that runs `command` in the image's files."""
    line = ["/usr/bin/python3", str(Path(__file__).resolve()), str(root)]
    line += ["--netns", str(netns)] if netns else []
    for target, source in (mounts or {}).items():
        line += ["--mount", f"{source}:{target}"]
    for name, value in (env or {}).items():
        line += ["--env", f"{name}={value}"]
    return [*line, "--", *map(str, command)]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("root", type=Path)
    options.add_argument("--netns")
    options.add_argument("--mount", action="append", default=[], type=lambda text: text.split(":", 1))
    options.add_argument("--env", action="append", default=[])
    options.add_argument("command", nargs="+")
    chosen = options.parse_args()

    # The new process namespace is for children only.
    _check(_libc.unshare(_NEWPID), "unshare")
    unshared, mapped = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(unshared[0])
            os.close(mapped[1])
            _become(chosen, unshared[1], mapped[0])
        except BaseException as error:  # noqa: BLE001: the child must never go on as its parent
            print(f"container: {error}", file=sys.stderr, flush=True)
        os._exit(125)
    os.close(unshared[1])
    os.close(mapped[0])
    # Sent to a group, a signal must not come twice: the child is in a session of its own.
    for number in _PASSED_ON:
        signal.signal(number, lambda which, _: os.kill(child, which))
    if os.read(unshared[0], 1):
        # Nobody but this user exists in there. Only a parent with capabilities may say who it is outside.
        for kind in ("gid_map", "uid_map"):
            Path(f"/proc/{child}/{kind}").write_text(f"{USER} {USER} 1\n")
        os.write(mapped[1], b"1")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.exit(code if code >= 0 else 128 - code)


def _become(chosen, unshared, mapped):
    """Turns this process, the first one of its namespace, into the program."""
    os.setsid()
    if chosen.netns:
        with open(chosen.netns, "rb") as network:
            _check(_libc.setns(network.fileno(), _NEWNET), chosen.netns)
    _check(_libc.unshare(_NEWNS | _NEWIPC | _NEWUTS | (0 if chosen.netns else _NEWNET)), "unshare")
    socket.sethostname("container")
    if not chosen.netns:
        _loopback_up()
    _mount_all(chosen.root.resolve(), chosen.mount)

    os.setgroups([])
    # Last, so that all other namespaces belong to the outside and the program has no rights over them.
    _check(_libc.unshare(_NEWUSER), "unshare")
    os.write(unshared, b"1")
    if not os.read(mapped, 1):
        raise RuntimeError("the user was not mapped")
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    _drop_capabilities()
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    # After the change of user, which clears it.
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # Python ignores it, and that would be handed on.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/", "HOSTNAME": "container"}
    environment |= dict(pair.split("=", 1) for pair in chosen.env)
    os.execve(chosen.command[0], chosen.command, environment)


def _mount_all(root, mounts):
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    # A runtime makes these places too, before the root becomes read-only.
    for place in ("proc", "dev"):
        (root / place).mkdir(exist_ok=True)
    for source, target in mounts:
        _make_place(root / target.lstrip("/"), Path(source).is_dir())
    _mount(root, root, None, _MS_BIND)
    _mount("proc", root / "proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    _mount("tmpfs", root / "dev", "tmpfs", _MS_NOSUID | _MS_NOEXEC, "mode=755")
    for device in ("null", "zero", "full", "random", "urandom"):
        (root / "dev" / device).touch()
        _mount(f"/dev/{device}", root / "dev" / device, None, _MS_BIND)
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        (root / "dev" / name).symlink_to(f"/proc/self/fd/{number}")
    for source, target in mounts:
        # What everybody may write to is an emptyDir, or a claim's.
        writable = os.stat(source).st_mode & stat.S_IWOTH
        (_bind if writable else _mount_read_only)(source, root / target.lstrip("/"))
    _mount("tmpfs", root / "dev", None, _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NOEXEC, "mode=755")
    _mount(None, root, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)
    os.chdir(root)
    # The old root on top of the new one, and off again: there is no folder to put it in.
    _check(_libc.syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", _MNT_DETACH), "umount")
    os.chdir("/")


def _bind(source, target):
    _mount(source, target, None, _MS_BIND | _MS_REC)


def _mount_read_only(source, target):
    _bind(source, target)
    _mount(None, target, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)


def _make_place(place, is_folder):
    if is_folder:
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()


def _loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        # SIOCSIFFLAGS with IFF_UP.
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))


def _drop_capabilities():
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        _prctl(_PR_CAPBSET_DROP, capability)
    header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
    _check(_libc.capset(header, bytes(24)), "capset")


def _prctl(option, value):
    # Unused arguments must be zero, and as wide as the kernel reads them.
    _check(_libc.prctl(option, *(ctypes.c_ulong(number) for number in (value, 0, 0, 0))), "prctl")


def _mount(source, target, kind, flags, data=None):
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    done = _libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])
    _check(done, f"mount {target}")


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
