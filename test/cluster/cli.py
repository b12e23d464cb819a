"""The command line of the test cluster."""

import argparse
import os
import shlex
import signal
import sys
import time

from . import objects
from .cluster import Cluster
from .errors import ClusterError


def main():
    """Runs one command; returns the exit code."""
    arguments = _parser().parse_args()
    # So that an interrupted start cleans up after itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return arguments.run(arguments)
    except ClusterError as error:
        print(f"cluster: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser():
    parser = argparse.ArgumentParser(prog="cluster", description="A Kubernetes API server with Traefik, for tests.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name, run, text):
        added = commands.add_parser(name, help=text)
        added.add_argument("--name", default="default", help="which cluster (default: %(default)s)")
        added.set_defaults(run=run)
        return added

    up = command("up", _up, "start a cluster")
    up.add_argument("--dir", help="where it keeps its files: absent or empty, removed with the cluster")
    throttle = "least time between two of Traefik's readings (default: %(default)s)"
    up.add_argument("--traefik-throttle", default="2s", metavar="TIME", help=throttle)
    up.add_argument("--no-controller-manager", action="store_true", help="no garbage collector")
    up.add_argument("--no-traefik", action="store_true", help="no gateway")
    command("down", _down, "remove a cluster with everything that runs in it")
    inside = command("exec", _exec, "run a program inside, with kubectl and the administrator's KUBECONFIG")
    inside.add_argument("command", nargs="+", metavar="-- COMMAND", help="the program with its arguments")
    command("env", _env, "print a cluster's names and files as shell variables")
    command("status", _status, "print what runs; exit code 1 when something does not")
    return parser


def _up(arguments):
    cluster = Cluster(
        arguments.name,
        arguments.dir,
        arguments.traefik_throttle,
        controller_manager=not arguments.no_controller_manager,
        traefik=not arguments.no_traefik,
    )
    since = time.monotonic()
    cluster.up()
    print(f"cluster '{cluster.name}' is up after {time.monotonic() - since:.1f} s, its files in {cluster.directory}")
    return 0


def _down(arguments):
    Cluster.remove(arguments.name)
    return 0


def _exec(arguments):
    cluster = Cluster.attach(arguments.name)
    command = cluster.wrap(arguments.command)
    os.execvpe(command[0], command, cluster.environment())


def _env(arguments):
    cluster = Cluster.attach(arguments.name)
    variables = {
        "PATH": cluster.environment()["PATH"],
        "KUBECONFIG": cluster.kubeconfig,
        "KUBECACHEDIR": cluster.environment()["KUBECACHEDIR"],
        "PORTITOR_CLUSTER_DIR": cluster.directory,
        "PORTITOR_CLUSTER_NETNS": cluster.netns,
    }
    for role in objects.ROLES:
        variables[f"PORTITOR_{role.upper()}_KUBECONFIG"] = cluster.role_kubeconfig(role)
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(str(value))}")
    return 0


def _status(arguments):
    cluster = Cluster.attach(arguments.name)
    pids = {name: process.pid for name, process in cluster.processes.items()}
    print(f"{cluster.name}: network namespace {cluster.netns}, files in {cluster.directory}")
    for name, pid in pids.items():
        print(f"  {name:20} {pid or 'does not run'}")
    return 0 if all(pids.values()) else 1
