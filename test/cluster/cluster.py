"""A cluster: starts it, offers what tests do with it, and removes every trace of it."""

import concurrent.futures
import json
import os
import secrets
import shutil
import subprocess
import time
from pathlib import Path

import yaml

from . import chart, kubeconfig, objects, registry, tools
from .api import MERGE_PATCH, Api
from .components import API_SERVER, Components
from .conditions import is_true
from .errors import ApiError, ClusterError, KubectlError
from .httpclient import HttpClient
from .netns import Netns, Sockets
from .process import Process
from .waiting import wait_until

# Holds the cluster's name: in such a folder, everything is the cluster's and may be deleted.
_MARK = ".portitor-cluster"

# An API server that has just started says these without meaning them: of a namespace, and of a new kind.
_NOT_YET_KNOWN = (403, 404)


class Cluster:
    """etcd, API server, controller manager and Traefik in a network namespace, all files in one folder.

    `with Cluster() as cluster:` starts it and removes it. `processes` has them by name (`etcd`, `apiserver`,
    `controller-manager`, `traefik`, `dnsmasq`, and what `popen` started), to stop, kill, pause and restart.
    """

    def __init__(
        self,
        name=None,
        directory=None,
        traefik_throttle="2s",
        controller_manager=True,
        traefik=True,
        controllers=(),
        portitor=True,
    ):
        """`directory` must be absent or empty, and is removed with the cluster; the default is a folder for
        temporary files. `traefik_throttle` is the least time between two of Traefik's readings. `controllers` are
        those of the controller manager that run beside the garbage collector and the namespace controller. Without
        `portitor` the project's CRDs, accounts and rights are left to Helm."""
        name = name or f"t{os.getpid()}-{secrets.token_hex(3)}"
        registry.check_name(name)
        directory = os.path.abspath(directory or registry.default_directory(name))
        every = (*registry.Settings.controllers, *controllers)
        self._use(registry.Settings(name, directory, traefik_throttle, controller_manager, traefik, every, portitor))

    @classmethod
    def attach(cls, name):
        """The running cluster `name`, which another process started."""
        settings = registry.find(name)
        if settings is None:
            raise ClusterError(f"there is no cluster '{name}'")
        cluster = cls.__new__(cls)
        cluster._use(settings)
        cluster._connect()
        return cluster

    @classmethod
    def remove(cls, name):
        """Removes the cluster `name`, or whatever a start or an end that was cut off has left of it."""
        cluster = cls.__new__(cls)
        cluster._use(registry.find(name) or registry.Settings(name, registry.default_directory(name)))
        cluster.down()

    def __enter__(self):
        self.up()
        return self

    def __exit__(self, *_):
        self.down()

    def up(self):
        """Starts everything and waits until it works; when that fails, leaves nothing behind."""
        registry.register(self.settings)
        try:
            self._make_directory()
            self._netns.create()
            self._connect()
            self._components.write_files()
            self._start_api_server()
            self._fill()
            self._start_rest()
        except BaseException:
            self.down()
            raise

    def down(self):
        """Ends every process in the namespace, and removes it with all files. Fine when half of it, or nothing,
        is there, and from another process than the one that started it."""
        if self._sockets:
            self._sockets.close()
            self._sockets = None
        self._netns.delete()
        for process in self.processes.values():
            # Our own children stay in the process table until asked how they ended.
            process.wait(10)
        if self._owns_directory():
            shutil.rmtree(self.directory)
        registry.forget(self.name)

    @property
    def name(self):
        """Its name."""
        return self.settings.name

    @property
    def netns(self):
        """The name of its network namespace."""
        return self._netns.name

    @property
    def kubeconfig(self):
        """The administrator's kubeconfig. Like all others it is of use only inside the namespace."""
        return self.directory / "kubeconfig"

    @property
    def ca(self):
        """The certificate authority that signed the API server's certificate."""
        return self._components.certs.ca

    @property
    def access_log(self):
        """Traefik's access log."""
        return self._components.access_log

    @property
    def audit_log(self):
        """The API server's audit log."""
        return self._components.audit_log

    def role_token(self, role):
        """The file with the service account token of `controller`, `verifier` or `registrar`."""
        return self.directory / "tokens" / f"portitor-{role}"

    def role_kubeconfig(self, role):
        """The kubeconfig of `controller`, `verifier` or `registrar`."""
        return self.directory / "tokens" / f"portitor-{role}.kubeconfig"

    def role_api(self, role):
        """The API server as `controller`, `verifier` or `registrar` asks it, without kubectl."""
        return self.api.bearing(self.role_token(role).read_text())

    def wrap(self, command):
        """The command line that runs `command` inside the namespace."""
        return self._netns.wrap(command)

    def environment(self):
        """Environment variables for work with kubectl inside the namespace, as the administrator."""
        return self._program_environment() | {"KUBECONFIG": str(self.kubeconfig)}

    def kubectl(self, *arguments, stdin=None, role=None):
        """Runs kubectl as the administrator, or as one of the roles; returns what it printed, and raises
        KubectlError when it fails."""
        arguments = [str(argument) for argument in arguments]
        environment = self.environment()
        if role:
            environment["KUBECONFIG"] = str(self.role_kubeconfig(role))
        done = subprocess.run(
            self.wrap([self._tools.bin / "kubectl", *arguments]),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            env=environment,
        )
        if done.returncode != 0:
            raise KubectlError(arguments, done.returncode, done.stderr)
        return done.stdout

    def apply(self, what):
        """Applies YAML text, an object or a list of objects, on the server's side."""
        for each in _objects(what):
            self.api.apply(each)

    def get(self, kind, name=None, ns=None):
        """An object (None when there is no such), or without a name the list of all of its kind."""
        return self.api.get(kind, name, ns)

    def patch(self, kind, name, change, ns=None, how=MERGE_PATCH, subresource=None):
        """Changes an object, or a subresource of it; returns it."""
        return self.api.patch(kind, name, change, ns, how, subresource)

    def delete(self, kind, *names, ns=None, **how):
        """Deletes objects, and waits until they are gone; see Api.delete for `how`."""
        self.api.delete(kind, *names, ns=ns, **how)

    def service(self, ns, name, port):
        """Makes a Service, with its namespace where needed, that leads to `port` in the network namespace."""
        self.apply([objects.namespace(ns), *objects.service(ns, name, port)])

    def popen(self, command, name, env=None, ready=None):
        """Starts any program inside the namespace, with `env` added to the environment, and no KUBECONFIG but
        one given there, in the cluster's folder. It ends with the cluster. `ready`, called with the process,
        tells `wait_ready` whether it works."""
        if name in self.processes and self.processes[name].running:
            raise ClusterError(f"there is a process '{name}' already")
        environment = self._program_environment() | {key: str(value) for key, value in (env or {}).items()}
        process = Process(name, command, self._netns, self.directory, environment, ready)
        self.processes[name] = process
        return process.start()

    def http(self, method, url, headers=(), body=None, timeout=5):
        """One HTTP request from inside the namespace; see HttpClient.request."""
        return self._client.request(method, url, headers, body, timeout)

    def connect(self, host, port, timeout=5):
        """A TCP connection made inside the namespace, for what no HTTP client would send."""
        return self._sockets.connect(host, port, timeout)

    def audit_events(self, offset=0):
        """What the API server's audit log holds from that byte on, as dicts, oldest first."""
        with open(self._components.audit_log, "rb") as log:
            log.seek(offset)
            # The last line may still be being written.
            events = [json.loads(line) for line in log if line.endswith(b"\n")]
        for event in events:
            # Whose credential was refused has no name at all.
            event["user"].setdefault("username", "")
        return events

    def _use(self, settings):
        self.settings = settings
        self.directory = Path(settings.directory)
        self.processes = {}
        self._netns = Netns(settings.name)
        self._sockets = None

    def _make_directory(self):
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(self.directory.iterdir()):
            raise ClusterError(f"{self.directory} is not empty")
        (self.directory / _MARK).write_text(self.name)

    def _owns_directory(self):
        try:
            return (self.directory / _MARK).read_text() == self.name
        except FileNotFoundError:
            return False

    def _connect(self):
        self._tools = tools.find()
        self._sockets = Sockets(self._netns)
        self._client = HttpClient(self._sockets, self.directory / "pki" / "ca.crt")
        self._components = Components(self.directory, self._tools, self._netns, self._sockets, self._client)
        self.api = Api(self._sockets, self._components.certs)
        made = [self._components.dnsmasq(), self._components.etcd(), self._components.apiserver()]
        if self.settings.controller_manager:
            made.append(self._components.controller_manager(self.settings.controllers))
        if self.settings.traefik:
            token = self.directory / "tokens" / "traefik"
            made.append(self._components.traefik(self.settings.traefik_throttle, token))
        self.processes = {process.name: process for process in made}

    def _start_api_server(self):
        for name in ("dnsmasq", "etcd"):
            self.processes[name].start()
        for name in ("etcd", "dnsmasq"):
            self.processes[name].wait_ready()
        self.processes["apiserver"].start().wait_ready()

    def _fill(self):
        made = objects.access()
        for folder in (self._tools.gateway_api_crds, self._tools.traefik_crds, self._tools.traefik_rbac):
            made += objects.from_files(folder)
        if self.settings.portitor:
            made += objects.from_chart(self._tools.bin / "helm")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for some in (objects.namespaces(), made):
                list(pool.map(lambda each: _patiently(lambda: self.api.apply(each)), some))
        self._write_tokens()
        wait_until(self._crds_established, 30, "all CRDs are established")
        for each in objects.gateway():
            _patiently(lambda: self.api.apply(each))

    def _crds_established(self):
        crds = self.get("customresourcedefinitions")
        return all(is_true(crd, "Established") for crd in crds["items"])

    def _write_tokens(self):
        (self.directory / "tokens").mkdir()
        accounts = [(objects.TRAEFIK, "traefik")]
        if self.settings.portitor:
            accounts += [(objects.PORTITOR, f"portitor-{role}") for role in objects.ROLES]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda account: self._write_token(*account), accounts))

    def _write_token(self, namespace, account):
        token = self.api.token(account, namespace, expirationSeconds=24 * 60 * 60)
        path = self.directory / "tokens" / account
        path.write_text(token)
        kubeconfig.write(f"{path}.kubeconfig", API_SERVER, self.ca, {"token": token})

    def _start_rest(self):
        names = [name for name in ("controller-manager", "traefik") if name in self.processes]
        for name in names:
            self.processes[name].start()
        for name in names:
            self.processes[name].wait_ready()
        if "traefik" in names:
            wait_until(self._gateway_works, 30, "Traefik has taken the Gateway")

    def _gateway_works(self):
        return is_true(self.get("gateway", "traefik-gateway", objects.TRAEFIK), "Programmed")

    def _program_environment(self):
        environment = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"}
        # kubectl would otherwise remember one cluster's kinds for all others, which have the same address.
        environment["KUBECACHEDIR"] = str(self.directory / "kubectl-cache")
        environment["PATH"] = f"{self._tools.bin}:{environment['PATH']}"
        return environment


def _objects(what):
    if isinstance(what, str):
        return [each for each in yaml.load_all(what, chart.LOADER) if each]
    return what if isinstance(what, list) else [what]


def _patiently(action, timeout=15):
    deadline = time.monotonic() + timeout
    while True:
        try:
            return action()
        except ApiError as error:
            if time.monotonic() > deadline or error.status not in _NOT_YET_KNOWN:
                raise
            time.sleep(0.05)
