"""A bridge in the cluster's network namespace, and a namespace with an address of its own for each pod."""

import itertools
import subprocess

from cluster import ClusterError
from cluster.netns import ADDRESS

GATEWAY = "10.78.0.1"


class PodNetwork:
    """Made once in a cluster; goes with it."""

    def __init__(self, cluster):
        self._cluster = cluster
        self._numbers = itertools.count(2)
        # Without an address of its own, a bridge takes that of another port with each pod that comes or goes, and is
        # deaf to every other pod until that asks for its address again.
        self._ip("link", "add", "pods", "address", "02:00:00:00:00:01", "type", "bridge")
        self._ip("addr", "add", f"{GATEWAY}/24", "dev", "pods")
        self._ip("link", "set", "pods", "up")

    def sandbox(self):
        return Sandbox(self._cluster, self._ip, next(self._numbers))

    def _ip(self, *arguments):
        _run(self._cluster.wrap(["ip", *arguments]))


class Sandbox:
    """The network of one pod, held by a process that does nothing, and that ends with its parent."""

    def __init__(self, cluster, ip, number):
        self.address = f"10.78.0.{number}"
        command = ["unshare", "--net", "setpriv", "--pdeathsig", "KILL", "sh", "-c", "echo up; exec sleep infinity"]
        self._holder = subprocess.Popen(cluster.wrap(command), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self._holder.stdout.readline()
        ip("link", "add", f"pod{number}", "type", "veth", "peer", "name", "eth0", "netns", str(self._holder.pid))
        ip("link", "set", f"pod{number}", "master", "pods", "up")
        for arguments in (
            ["link", "set", "lo", "up"],
            ["addr", "add", f"{self.address}/24", "dev", "eth0"],
            ["link", "set", "eth0", "up"],
            ["route", "add", "default", "via", GATEWAY],
        ):
            _run(["nsenter", "-t", str(self._holder.pid), "-n", "ip", *arguments])

    @property
    def path(self):
        """Of the network namespace."""
        return f"/proc/{self._holder.pid}/ns/net"

    def close(self):
        self._holder.kill()
        self._holder.wait()
        self._holder.stdout.close()


def resolver(namespace):
    """A pod's resolv.conf."""
    return f"nameserver {ADDRESS}\nsearch {namespace}.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n"


def _run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise ClusterError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
