"""The programs that a cluster consists of: their command lines, and how to tell that they are ready."""

import http.client
import json

from . import kubeconfig
from .certs import Certs
from .netns import ADDRESS
from .process import Process

API_PORT = 6443
API_SERVER = f"https://127.0.0.1:{API_PORT}"
WEB_PORT = 8000
# For listeners of HTTPS that a test adds to the Gateway.
WEB_TLS_PORT = 8445

_ETCD = "http://127.0.0.1:2379"
_TRAEFIK_PING = "http://127.0.0.1:8080/ping"

# What happened without what it was about: enough to tell who did what, also for secrets.
_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


class Components:
    """Makes the processes of one cluster, none of them started."""

    def __init__(self, directory, tools, netns, sockets, client):
        self.directory = directory
        self.certs = Certs(directory / "pki")
        self.admin_kubeconfig = directory / "kubeconfig"
        self.audit_log = directory / "audit.log"
        self.access_log = directory / "access.log"
        self._manager_kubeconfig = directory / "controller-manager.kubeconfig"
        self._audit_policy = directory / "audit-policy.json"
        self._tools = tools
        self._netns = netns
        self._sockets = sockets
        self._client = client

    def write_files(self):
        """Writes the certificates and configuration that the processes read."""
        self.certs.create(
            [f"IP:{ADDRESS}", "IP:127.0.0.1", "DNS:localhost", "DNS:kubernetes.default.svc"],
            # Both may do everything; with a name of its own each, the audit log tells them apart.
            {"admin": "/O=system:masters/CN=admin", "manager": "/O=system:masters/CN=controller-manager"},
        )
        for name, path in [("admin", self.admin_kubeconfig), ("manager", self._manager_kubeconfig)]:
            user = {
                "client-certificate-data": kubeconfig.encoded(self.certs.certificate(name)),
                "client-key-data": kubeconfig.encoded(self.certs.key(name)),
            }
            kubeconfig.write(path, API_SERVER, self.certs.ca, user)
        self._audit_policy.write_text(json.dumps(_AUDIT_POLICY))

    def dnsmasq(self):
        """Resolves every service's name to the cluster's one address: there, the port tells them apart. Names in the
        file `service-hosts`, if anybody writes one, come first."""
        names = [f"--address=/{domain}/{ADDRESS}" for domain in ("svc", "svc.cluster.local")]
        command = ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts"]
        command += [f"--addn-hosts={self.directory / 'service-hosts'}"]
        command += [f"--listen-address={ADDRESS}", "--bind-interfaces", *names]
        return self._process("dnsmasq", command, lambda _: self._accepts(ADDRESS, 53))

    def etcd(self):
        """The API server's store; it may lose data with the machine, and so never waits for the disk."""
        command = [self._tools.bin / "etcd", "--data-dir", self.directory / "etcd", "--unsafe-no-fsync"]
        command += ["--listen-client-urls", _ETCD, "--advertise-client-urls", _ETCD, "--log-level", "warn"]
        command += ["--listen-peer-urls", "http://127.0.0.1:2380"]
        return self._process("etcd", command, lambda _: self._answers(f"{_ETCD}/health"))

    def apiserver(self):
        """The API server, with role-based access control and an audit log."""
        flags = {
            "etcd-servers": _ETCD,
            "bind-address": "0.0.0.0",
            "advertise-address": "127.0.0.1",
            "secure-port": API_PORT,
            "tls-cert-file": self.certs.certificate("server"),
            "tls-private-key-file": self.certs.key("server"),
            "client-ca-file": self.certs.ca,
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": self.certs.public_key("tokens"),
            "service-account-signing-key-file": self.certs.key("tokens"),
            "authorization-mode": "RBAC",
            # As strict as any: who writes an owner reference that blocks must have a right to do so.
            "enable-admission-plugins": "OwnerReferencesPermissionEnforcement",
            "service-cluster-ip-range": "10.43.0.0/16",
            "endpoint-reconciler-type": "none",
            "audit-policy-file": self._audit_policy,
            "audit-log-path": self.audit_log,
        }
        # Even /readyz is allowed by a role, so an answer also means that the rules are loaded.
        return self._server("apiserver", "kube-apiserver", flags, lambda _: self._answers(f"{API_SERVER}/readyz"))

    def controller_manager(self, controllers):
        """The controllers of these names; the garbage collector must be among them."""
        config = self._manager_kubeconfig
        flags = {
            "kubeconfig": config,
            "authentication-kubeconfig": config,
            "authorization-kubeconfig": config,
            "controllers": ",".join(controllers),
            "root-ca-file": self.certs.ca,
            "leader-elect": "false",
            "secure-port": 0,
            # Its own limit, 20 requests a second, would make it slow to start and slow to collect.
            "kube-api-qps": 500,
            "kube-api-burst": 1000,
        }
        return self._server(
            "controller-manager",
            "kube-controller-manager",
            flags,
            lambda process: "Proceeding to collect garbage" in process.log(),
        )

    def traefik(self, throttle, token_file):
        """The gateway; `throttle` is the least time between two of its readings of the cluster."""
        flags = {
            "entrypoints.web.address": f":{WEB_PORT}",
            "entrypoints.websecure.address": f":{WEB_TLS_PORT}",
            "entrypoints.traefik.address": "127.0.0.1:8080",
            "ping": "true",
            "accesslog": "true",
            "accesslog.filepath": self.access_log,
            "providers.providersthrottleduration": throttle,
            "global.checknewversion": "false",
            "global.sendanonymoususage": "false",
        }
        # An HTTPRoute's ExtensionRef to a Middleware needs both.
        for provider in ("kubernetesgateway", "kubernetescrd"):
            flags[f"providers.{provider}.endpoint"] = API_SERVER
            flags[f"providers.{provider}.token"] = token_file
            flags[f"providers.{provider}.certauthfilepath"] = self.certs.ca
        return self._server("traefik", "traefik", flags, lambda _: self._answers(_TRAEFIK_PING))

    def _server(self, name, program, flags, ready):
        command = [self._tools.bin / program, *(f"--{flag}={value}" for flag, value in flags.items())]
        return self._process(name, command, ready)

    def _process(self, name, command, ready):
        return Process(name, command, self._netns, self.directory, ready=ready)

    def _answers(self, url):
        try:
            return self._client.request("GET", url, timeout=2).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def _accepts(self, host, port):
        try:
            self._sockets.connect(host, port, 1).close()
        except OSError:
            return False
        return True
