"""What a seller and a buyer need beside Portitor, on real parts: cluster, chain, facilitator and a service to sell."""

import contextlib
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "test"), str(ROOT / "test" / "x402")]

import x402  # noqa: E402
from cluster import Cluster, ClusterError, conditions_of, wait_until  # noqa: E402

ADDRESS = "10.77.0.1"
GATEWAY = f"http://{ADDRESS}:8000"
NAMESPACE = "sellers"
FACILITATOR_PORT = 8546
UPSTREAM_PORT = 9000


def tool_folders():
    """Where test/tools/build.sh has put things: BIN, NPM and so on."""
    command = [ROOT / "test" / "tools" / "build.sh", "--print"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr.strip())
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def offer(name, price="0.001", namespace=NAMESPACE, service="hello", registration=False, **payment):
    """A ServiceOffer as a seller writes it."""
    return {
        "apiVersion": "obol.org/v1alpha1",
        "kind": "ServiceOffer",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "type": "http",
            "upstream": {"service": service, "port": UPSTREAM_PORT, "healthPath": "/health"},
            "payment": {
                "network": "base-sepolia",
                "payTo": x402.SELLER,
                "price": {"perRequest": price},
            }
            | payment,
            "registration": {"enabled": registration, "description": f"the service {name}"},
        },
    }


class Market:
    """Started by `with`, gone without a trace afterwards."""

    def __init__(self, say=lambda text: None, facilitator_host="127.0.0.1", **cluster):
        """`cluster` is as Cluster has it. Pods reach a facilitator on ADDRESS only."""
        self._say = say
        self._tools = tool_folders()
        self._facilitator_host = facilitator_host
        self.cluster = Cluster(**cluster)
        self._undo = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            self._say("starting etcd, the API server, the controller manager and Traefik")
            undo.enter_context(self.cluster)
            self.scripts = undo.enter_context(x402.Scripts(self._run, self._popen, self._tools["NPM"]))
            self._say("starting a chain with a test USDC, and an x402 facilitator on it")
            self.chain = undo.enter_context(x402.Chain(self.scripts))
            where = {"port": FACILITATOR_PORT, "host": self._facilitator_host}
            self.facilitator = undo.enter_context(x402.Facilitator(self.scripts, self.chain, **where))
            self._say("starting the seller's service")
            self._start_upstream()
            self._start_rest(undo)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_):
        self._undo.close()

    def _start_upstream(self):
        script = pathlib.Path(__file__).with_name("upstream.py")
        self.cluster.popen(["/usr/bin/python3", script, ADDRESS, str(UPSTREAM_PORT)], "upstream")
        self.cluster.service(NAMESPACE, "hello", UPSTREAM_PORT)

    def _start_rest(self, undo):
        """What comes on top; `undo` takes what ends it."""

    def get(self, path, headers=(), method="GET"):
        """One request through Traefik, as a buyer sends it."""
        return self.cluster.http(method, GATEWAY + path, headers)

    def buy(self, version, path, **options):
        """Buys with the unmodified client of that x402 version."""
        return x402.buy(self.scripts, version, GATEWAY + path, **options)

    def conditions(self, name, namespace=NAMESPACE):
        """An offer's conditions by type: (status, reason, message)."""
        every = conditions_of(self.cluster.get("serviceoffer", name, namespace))
        return {kind: (one["status"], one["reason"], one["message"]) for kind, one in every.items()}

    def wait_condition(self, name, kind, status="True", timeout=60, namespace=NAMESPACE):
        try:
            wait_until(
                lambda: self.conditions(name, namespace).get(kind, ("", "", ""))[0] == status,
                timeout,
                f"{name}: {kind} is {status}",
            )
        except ClusterError as late:
            raise ClusterError(f"{late}: {self.conditions(name, namespace)}") from None

    def remove_offers(self, namespace):
        """All that are there. The namespace may stay: to delete it takes 5 s at least, and 8 s more with offers in it."""
        offers = [each["metadata"]["name"] for each in self.cluster.get("serviceoffer", ns=namespace)["items"]]
        self.cluster.delete("serviceoffer", *offers, ns=namespace, timeout=90)

    def wait_gateway(self):
        """After an outage of the API server: until Traefik follows it again. By itself it backs off for up to a minute."""
        self.cluster.processes["traefik"].restart().wait_ready()
        self.cluster.apply(offer("sounding"))
        self.wait_condition("sounding", "Ready")
        self.cluster.delete("serviceoffer", "sounding", ns=NAMESPACE)

    def _run(self, cmd, env=None, timeout=None):
        return subprocess.run(self.cluster.wrap(cmd), env=self._env(env), timeout=timeout, capture_output=True, text=True)

    def _popen(self, cmd, name, env=None, **more):
        with open(self.cluster.directory / "logs" / f"{name}.log", "ab") as log:
            usual = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            return subprocess.Popen(self.cluster.wrap(cmd), env=self._env(env), **usual | more)

    def _env(self, env):
        # The tools' folder holds a Node that is new enough, where the machine has none.
        env = dict(env or os.environ)
        env["PATH"] = f"{self._tools['BIN']}:{env['PATH']}"
        return env
