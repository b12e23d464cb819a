"""Everything that a seller and a buyer need, on real parts: cluster, chain, facilitator, upstream and Portitor."""

import contextlib
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "test"), str(ROOT / "test" / "x402")]

import x402  # noqa: E402
from cluster import Cluster, ClusterError, wait_until  # noqa: E402

ADDRESS = "10.77.0.1"
GATEWAY = f"http://{ADDRESS}:8000"
NAMESPACE = "sellers"
FACILITATOR_PORT = 8546
SCRIPTED_PORT = 8560
UPSTREAM_PORT = 9000
VERIFIER_PORT = 8080
DISCOVERY_PORT = 8084
# On one address here; each role has a pod of its own in a cluster.
LISTEN_PORTS = {"controller": DISCOVERY_PORT, "verifier": VERIFIER_PORT, "registrar": VERIFIER_PORT}
HEALTH_PORTS = {"controller": 8081, "verifier": 8082, "registrar": 8083}


def binary():
    """The program under test: PORTITOR_BIN, or the release build."""
    path = os.environ.get("PORTITOR_BIN", ROOT / "build" / "release" / "portitor")
    if not os.access(path, os.X_OK):
        raise SystemExit(f"{path} is not there: build it first (cmake --build --preset release)")
    return pathlib.Path(path).resolve()


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


class Stack:
    """Started by `with`, gone without a trace afterwards."""

    def __init__(self, say=lambda text: None, cluster_name=None, traefik_throttle="2s"):
        self._say = say
        self._tools = tool_folders()
        self.cluster = Cluster(name=cluster_name, traefik_throttle=traefik_throttle)
        self._undo = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            self._say("starting etcd, the API server, the controller manager and Traefik")
            undo.enter_context(self.cluster)
            self.scripts = x402.Scripts(self._run, self._popen, self._tools["NPM"])
            self._say("starting a chain with a test USDC, and an x402 facilitator on it")
            self.chain = undo.enter_context(x402.Chain(self.scripts))
            self.facilitator = undo.enter_context(x402.Facilitator(self.scripts, self.chain, FACILITATOR_PORT))
            self._say("starting the seller's service")
            self._start_upstream()
            self._write_config()
            self._say("starting portitor: controller, verifier and registrar")
            undo.callback(self.stop_roles)
            for role in HEALTH_PORTS:
                self.start_role(role)
            for role in HEALTH_PORTS:
                self.wait_ready(role)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_):
        self._undo.close()

    def _start_upstream(self):
        script = pathlib.Path(__file__).with_name("upstream.py")
        self.cluster.popen(["/usr/bin/python3", script, ADDRESS, str(UPSTREAM_PORT)], "upstream")
        self.cluster.service(NAMESPACE, "hello", UPSTREAM_PORT)
        self.cluster.service("portitor", "portitor-verifier", VERIFIER_PORT)
        self.cluster.service("portitor", "portitor-controller", DISCOVERY_PORT)

    def _write_config(self):
        """The operator's file: a facilitator that tests can script, and a credential for one namespace."""
        folder = self.cluster.directory
        (folder / "credential").write_text("Bearer upstream-secret\n")
        self.config.write_text(
            f"facilitators:\n- {{name: scripted, url: http://127.0.0.1:{SCRIPTED_PORT}}}\n"
            f"credentials:\n- {{name: upstream, file: {folder}/credential, namespaces: [{NAMESPACE}]}}\n"
        )

    @property
    def config(self):
        return self.cluster.directory / "portitor.yaml"

    def start_role(self, role, *more):
        command = [
            binary(),
            f"--role={role}",
            f"--kubeconfig={self.cluster.role_kubeconfig(role)}",
            f"--health-listen={ADDRESS}:{HEALTH_PORTS[role]}",
            f"--listen={ADDRESS}:{LISTEN_PORTS[role]}",
            f"--public-url={GATEWAY}",
            f"--gateway-url={GATEWAY}",
            "--verifier-service=portitor/portitor-verifier",
            f"--discovery-service=portitor/portitor-controller:{DISCOVERY_PORT}",
            f"--default-facilitator=http://127.0.0.1:{FACILITATOR_PORT}",
            "--allow-insecure-facilitator",
            "--log-level=debug",
            "--log-format=json",
            f"--config={self.config}",
            *more,
        ]
        # As a container that is restarted in its pod: it goes on with the lease that it held.
        pod = {"POD_NAME": f"portitor-{role}-0", "POD_UID": f"uid-of-{role}"}
        return self.cluster.popen(command, role, env=pod)

    def another_verifier(self, name, port, health_port, *flags):
        """One more verifier beside the stack's own, with settings of its own."""
        command = [
            binary(),
            "--role=verifier",
            f"--kubeconfig={self.cluster.role_kubeconfig('verifier')}",
            f"--listen={ADDRESS}:{port}",
            f"--health-listen={ADDRESS}:{health_port}",
            f"--public-url={GATEWAY}",
            f"--default-facilitator=http://127.0.0.1:{FACILITATOR_PORT}",
            "--allow-insecure-facilitator",
            *flags,
        ]
        return self.cluster.popen(command, name)

    def stop_roles(self):
        """Ends all roles as Kubernetes would; each must end in order, and in time."""
        ended = {}
        for role in HEALTH_PORTS:
            process = self.cluster.processes.get(role)
            if process and process.running:
                ended[role] = process.stop(timeout=40)
        for role, code in ended.items():
            assert code == 0, f"{role} ended with {code}:\n{self.cluster.processes[role].log()[-4000:]}"

    def wait_ready(self, role, timeout=15):
        def ready():
            process = self.cluster.processes[role]
            if not process.running:
                raise RuntimeError(f"{role} has ended:\n{process.log()}")
            return self.health(role, "/readyz").status == 200

        wait_until(ready, timeout, f"{role} is ready")

    def health(self, role, path):
        """One request to a role's probes and metrics."""
        try:
            return self.cluster.http("GET", f"http://{ADDRESS}:{HEALTH_PORTS[role]}{path}")
        except OSError:
            return NotUp()

    def get(self, path, headers=(), method="GET"):
        """One request through Traefik, as a buyer sends it."""
        return self.cluster.http(method, GATEWAY + path, headers)

    def buy(self, version, path, **options):
        """Buys with the unmodified client of that x402 version."""
        return x402.buy(self.scripts, version, GATEWAY + path, **options)

    def conditions(self, name, namespace=NAMESPACE):
        """An offer's conditions by type: (status, reason, message)."""
        found = self.cluster.get("serviceoffer", name, namespace) or {}
        every = found.get("status", {}).get("conditions", [])
        return {one["type"]: (one["status"], one["reason"], one["message"]) for one in every}

    def wait_condition(self, name, kind, status="True", timeout=20, namespace=NAMESPACE):
        try:
            wait_until(
                lambda: self.conditions(name, namespace).get(kind, ("", "", ""))[0] == status,
                timeout,
                f"{name}: {kind} is {status}",
            )
        except ClusterError as late:
            raise ClusterError(f"{late}: {self.conditions(name, namespace)}") from None

    def wait_gateway(self):
        """After an outage of the API server: until Traefik follows it again. It backs off the further the more there
        were."""
        self.cluster.apply(offer("sounding"))
        self.wait_condition("sounding", "Ready", timeout=150)
        self.cluster.kubectl("delete", "serviceoffer", "sounding", "-n", NAMESPACE, "--timeout=60s")

    def _run(self, cmd, env=None, timeout=None):
        return subprocess.run(self.cluster.wrap(cmd), env=self._env(env), timeout=timeout, capture_output=True, text=True)

    def _popen(self, cmd, name, env=None):
        log = open(self.cluster.directory / "logs" / f"{name}.log", "ab")
        with log:
            return subprocess.Popen(
                self.cluster.wrap(cmd), env=self._env(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _env(self, env):
        # The tools' folder holds a Node that is new enough, where the machine has none.
        env = dict(env or os.environ)
        env["PATH"] = f"{self._tools['BIN']}:{env['PATH']}"
        return env


class NotUp:
    """What a request to a process that does not listen yet comes to."""

    status = 0
    body = b""
