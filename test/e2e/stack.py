"""Everything that a seller and a buyer need, on real parts: a market, and Portitor's roles in it."""

import json
import os
import pathlib
import subprocess
import urllib.parse

from market import (  # noqa: F401 (for those who import from here)
    ADDRESS,
    FACILITATOR_PORT,
    GATEWAY,
    NAMESPACE,
    ROOT,
    UPSTREAM_PORT,
    Market,
    offer,
    tool_folders,
)

import x402
from cluster import wait_until

SCRIPTED_PORT = 8560
# Besides USDC, which is the network's first, a token that Permit2 moves; its contract is where test_permit2.py puts it.
BEAN = {
    "symbol": "BEAN",
    "address": "0x00000000000000000000000000000000000c0ffe",
    "decimals": 6,
    "transferMethod": "permit2",
}
_TOKENS = [BEAN | {"name": "USDC", "version": "2"}]
NETWORKS = f"networks:\n- {json.dumps({'network': x402.NETWORK_V2, 'tokens': _TOKENS})}\n"
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


def with_flags(command, more):
    """The command with more flags; where it has one of them already this one counts."""
    own = {flag.partition("=")[0] for flag in more}
    return [each for each in command if str(each).partition("=")[0] not in own] + [*more]


class Stack(Market):
    """A market, and Portitor in it: started by `with`, gone without a trace afterwards."""

    def __init__(self, say=lambda text: None, cluster_name=None, traefik_throttle="2s", program=None):
        """`program` is run instead of the program under test."""
        super().__init__(say, name=cluster_name, traefik_throttle=traefik_throttle)
        self._program = program or binary()

    def _start_rest(self, undo):
        self.cluster.service("portitor", "portitor-verifier", VERIFIER_PORT)
        self.cluster.service("portitor", "portitor-controller", DISCOVERY_PORT)
        self._write_config()
        self._publish_settings()
        self._say("starting portitor: controller, verifier and registrar")
        undo.callback(self.stop_roles)
        for role in HEALTH_PORTS:
            self.start_role(role)
        for role in HEALTH_PORTS:
            self.wait_ready(role)

    def _write_config(self):
        """The operator's file: a facilitator that tests can script, a credential for one namespace, the gate key, and a
        list of hosts, which is the last so that tests can add to it."""
        folder = self.cluster.directory
        (folder / "credential").write_text("Bearer upstream-secret\n")
        self.gate_key.write_text("0123456789abcdef" * 4)
        self.config.write_text(
            f"{NETWORKS}facilitators:\n- {{name: scripted, url: http://127.0.0.1:{SCRIPTED_PORT}}}\n"
            f"gate-key-file: {self.gate_key}\n"
            f"credentials:\n- {{name: upstream, file: {folder}/credential, namespaces: [{NAMESPACE}]}}\n"
            "hosts:\n- {host: '*.example.com', namespaces: ['*']}\n"
        )

    def _publish_settings(self):
        """As the chart does, for commands: what the roles are told by flags and file, in the release's ConfigMap."""
        settings = (
            f"namespace: portitor\npublic-url: {GATEWAY}\ngateway-url: {GATEWAY}\n"
            "verifier-service: portitor/portitor-verifier\n"
            f"discovery-service: portitor/portitor-controller:{DISCOVERY_PORT}\n"
            f"default-facilitator: http://127.0.0.1:{FACILITATOR_PORT}\nallow-insecure-facilitator: true\n"
        )
        self.cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "portitor-config", "namespace": "portitor"},
                "data": {"portitor.yaml": settings + self.config.read_text()},
            }
        )

    def sales(self, ledger, *words):
        """What `portitor sales` says of a verifier's file, parsed."""
        done = self.portitor("sales", *words, f"--ledger={ledger}", "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def portitor(self, *words, stdin=None, env=None, cwd=None, timeout=60):
        """Runs a command of Portitor to its end, inside the namespace, as the cluster's administrator; returns what
        became of it, as subprocess.run() does."""
        return subprocess.run(
            self.cluster.wrap([self._program, *words]),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            env=self.cluster.environment() | (env or {}),
            cwd=cwd,
            timeout=timeout,
        )

    @property
    def config(self):
        return self.cluster.directory / "portitor.yaml"

    @property
    def gate_key(self):
        """The secret of controller and verifier by which the one knows who asks for the other's offers."""
        return self.cluster.directory / "gate-key"

    def gate_target(self, name, namespace=NAMESPACE):
        """Path and query that an offer's Middleware asks the verifier at; without a Middleware, those of one that
        shows no token."""
        found = self.cluster.get("middleware", f"x402-{name}", namespace)
        if not found:
            return f"/verify/{namespace}/{name}"
        address = urllib.parse.urlsplit(found["spec"]["forwardAuth"]["address"])
        return urllib.parse.urlunsplit(("", "", *address[2:]))

    def start_role(self, role, *more):
        command = [
            self._program,
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
        ]
        command = with_flags(command, more)
        # As a container that is restarted in its pod: it goes on with the lease that it held.
        pod = {"POD_NAME": f"portitor-{role}-0", "POD_UID": f"uid-of-{role}"}
        return self.cluster.popen(command, role, env=pod)

    def another_verifier(self, name, port, health_port, *flags):
        """One more verifier beside the stack's own, with settings of its own."""
        command = [
            self._program,
            "--role=verifier",
            f"--kubeconfig={self.cluster.role_kubeconfig('verifier')}",
            f"--listen={ADDRESS}:{port}",
            f"--health-listen={ADDRESS}:{health_port}",
            f"--public-url={GATEWAY}",
            f"--default-facilitator=http://127.0.0.1:{FACILITATOR_PORT}",
            "--allow-insecure-facilitator",
        ]
        return self.cluster.popen(with_flags(command, flags), name, env={"POD_NAME": name})

    def revive_roles(self):
        """Starts those that have ended, as a kubelet would. Returns what there is to say of those that should not have."""
        odd = []
        for role in HEALTH_PORTS:
            process = self.cluster.processes[role]
            if not process.running:
                # A leader that could not renew its Lease in time ends in order.
                if "lost the leadership" not in process.log():
                    odd.append(f"{role} has ended with {process.returncode}:\n{process.log_tail()}")
                self.start_role(role)
                self.wait_ready(role)
        return odd

    def stop_roles(self):
        """Ends all roles as Kubernetes would; each must end in order, and in time."""
        ended = {}
        for role in HEALTH_PORTS:
            process = self.cluster.processes.get(role)
            if process and process.running:
                ended[role] = process.stop(timeout=40)
        for role, code in ended.items():
            assert code == 0, f"{role} ended with {code}:\n{self.cluster.processes[role].log()[-4000:]}"

    def wait_ready(self, role, timeout=60):
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


class NotUp:
    """What a request to a process that does not listen yet comes to."""

    status = 0
    body = b""
