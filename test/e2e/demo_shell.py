#!/usr/bin/python3
"""A shell beside the parts of the demo, in which the README's lines can be typed as they are. Needs root for the network
namespace."""

import shlex
import signal
import subprocess
import sys

from stack import GATEWAY, NAMESPACE, UPSTREAM_PORT, Stack, binary  # noqa: I001 (sets the path of the next ones)

import registry
import x402
from on_chain import Operator

# What there is to try, in an order that works.
LINES = f"""\
portitor sell http hello -n {NAMESPACE} \\
  --upstream hello --port {UPSTREAM_PORT} --price 0.001 --pay-to {x402.SELLER}
portitor sell status hello -n {NAMESPACE}
portitor sell test hello -n {NAMESPACE}
curl -i {GATEWAY}/services/hello/greeting
portitor explain {GATEWAY}/services/hello/greeting
portitor pay {GATEWAY}/services/hello/greeting --key-file buyer.key
kubectl get serviceoffers,paymentroutes,httproutes,middlewares -n {NAMESPACE}
portitor once {NAMESPACE}/hello
portitor sell register hello -n {NAMESPACE} --name "Hello service"
kubectl get registrationrequests -n {NAMESPACE} -o wide
portitor doctor
portitor sell delete hello -n {NAMESPACE} --yes
"""

_ABOUT = """
Portitor runs, with all that it needs: an API server, Traefik, a chain with a test USDC and a registry of
agents, a facilitator. It is all gone when this shell ends (exit, or Ctrl-D), the files of its folder too.

  Service hello, port {port}   in the namespace {namespace}: what there is to sell
  {gateway}    the gateway, as buyers reach it
  buyer.key                the key of an account with test USDC

To try:

{lines}
The same in another terminal: {script}
"""

_SCRIPT = """#!/bin/sh
cd {folder}
# Without a terminal it runs the lines of its input.
[ -t 0 ] && set -- --rcfile {rc} || set -- -s
exec ip netns exec {netns} env {variables} bash "$@"
"""

# The user's own file may change the path.
_RC = """\
[ ! -r ~/.bashrc ] || . ~/.bashrc
export PATH={path}:$PATH
PS1='portitor-demo$ '
source <(portitor completion bash)
"""


class Shop(Stack):
    """Where everything is as an operator has it: nothing for tests alone, and agents are registered on chain."""

    def _start_rest(self, undo):
        super()._start_rest(undo)
        operator = Operator(self, registry.add_to(self))
        operator.run()
        operator.restart_controller()
        self.config.write_text(operator.config.read_text())
        self._publish_settings()

    def _write_config(self):
        self.config.write_text("facilitators: []\n")


def run(stack):
    """Runs it to its end; returns its exit code."""
    script = _prepare(stack)
    about = {"namespace": NAMESPACE, "port": UPSTREAM_PORT, "gateway": GATEWAY, "script": script}
    print(_ABOUT.format(lines="".join(f"  {line}\n" for line in LINES.splitlines()), **about), flush=True)
    # Ctrl-C is for what runs in the shell. A handler ends with the exec, to ignore it would go on there.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.call([script])
    finally:
        signal.signal(signal.SIGINT, before)


def _prepare(stack):
    """Writes what starts the shell, and what is read by it; returns the former's path."""
    cluster = stack.cluster
    folder = cluster.directory / "shell"
    folder.mkdir()
    key = folder / "buyer.key"
    key.touch(0o600)
    key.write_text(x402.BUYER_KEY + "\n")
    environment = cluster.environment()
    path = f"{binary().parent}:{environment['PATH']}"
    wanted = {key: environment[key] for key in ("KUBECONFIG", "KUBECACHEDIR")} | {"PATH": path}
    variables = " ".join(f"{key}={shlex.quote(value)}" for key, value in wanted.items())
    script, rc = cluster.directory / "enter", cluster.directory / "bashrc"
    about = {"folder": shlex.quote(str(folder)), "rc": shlex.quote(str(rc)), "netns": cluster.netns}
    script.write_text(_SCRIPT.format(variables=variables, **about))
    script.chmod(0o700)
    rc.write_text(_RC.format(path=shlex.quote(path)))
    return script


def main():
    # So that what is ended cleans up after itself.
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda *_: sys.exit(143))
    print(f"portitor: {binary()}")
    with Shop(say=lambda text: print(f"  {text}", flush=True)) as shop:
        return run(shop)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
