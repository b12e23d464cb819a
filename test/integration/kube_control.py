"""What the C++ cases want done to the real cluster, one JSON line at a time over a unix socket."""

import base64
import json
import socketserver
import threading
import time
import traceback

from cluster import kubeconfig, wait_until
from cluster.components import API_SERVER

ETCD = "http://127.0.0.1:2379"
WIDGETS = f"{API_SERVER}/apis/test.example/v1"
CRDS = f"{API_SERVER}/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.test.example"},
    "spec": {
        "group": "test.example",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "selectableFields": [{"jsonPath": ".spec.color"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "integer"},
                                    "color": {"type": "string"},
                                    "note": {"type": "string"},
                                },
                            },
                            "status": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "integer"},
                                    "conditions": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["type"],
                                        "items": {
                                            "type": "object",
                                            "required": ["type", "status"],
                                            "properties": {
                                                "type": {"type": "string"},
                                                "status": {"type": "string"},
                                            },
                                        },
                                    },
                                },
                            },
                        },
                    }
                },
            }
        ],
    },
}


class Control:
    """Serves the socket `path` until closed; the cluster must run."""

    def __init__(self, cluster, path):
        self.path = path
        self._cluster = cluster
        self._apiserver = cluster.processes["apiserver"]
        self._etcd = cluster.processes["etcd"]
        self._paused = set()
        self._tokens = 0
        self._token_file = cluster.directory / "tokens" / "tester"
        self._token_kubeconfig = cluster.directory / "tester.kubeconfig"
        self._prepare()
        self._server = socketserver.ThreadingUnixStreamServer(str(path), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        """Ends the service."""
        self._server.shutdown()
        self._server.server_close()

    def wrap(self, command):
        """The command line that runs `command` where the cluster is."""
        return self._cluster.wrap(command)

    def reset(self):
        """Everything as at the start."""
        for process in list(self._paused):
            self._thaw(process)
        for process in (self._etcd, self._apiserver):
            if not process.running:
                process.start().wait_ready()
        wait_until(lambda: self._api("GET", CRDS)[0] == 200, 20, "the API server answers")
        self.add_kind()
        for namespace in ("default", "elsewhere"):
            self._empty(f"{WIDGETS}/namespaces/{namespace}/widgets")
            self._empty(f"{API_SERVER}/api/v1/namespaces/{namespace}/configmaps")
            self._empty(f"{API_SERVER}/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")
        return {"kubeconfig": str(self._cluster.kubeconfig), "token_kubeconfig": str(self._token_kubeconfig)}

    def stop(self):
        """The API server is killed."""
        self._apiserver.kill()

    def start(self):
        """It is back."""
        self._apiserver.start().wait_ready()

    def freeze(self):
        """It stands still."""
        self._freeze(self._apiserver)

    def thaw(self):
        """It goes on."""
        self._thaw(self._apiserver)

    def stop_etcd(self):
        """etcd is killed."""
        self._etcd.kill()

    def start_etcd(self):
        """It is back."""
        self._etcd.start().wait_ready()

    def freeze_etcd(self):
        """It stands still, and with it whatever the API server has to ask it."""
        self._freeze(self._etcd)

    def thaw_etcd(self):
        """It goes on."""
        self._thaw(self._etcd)

    def compact(self):
        """Drops all history. The API server would still have some in memory."""
        noise = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "noise-"}}
        for _ in range(3):
            self._must("POST", f"{API_SERVER}/api/v1/namespaces/default/configmaps", noise)
        self._apiserver.kill()
        revision = self._ask_etcd("range", {"key": _encoded("/")})["header"]["revision"]
        self._ask_etcd("compaction", {"revision": revision, "physical": True})
        self.start()

    def drop_kind(self):
        """The CRD goes, and all of its objects."""
        self._must("DELETE", f"{CRDS}/widgets.test.example")
        wait_until(lambda: self._api("GET", f"{CRDS}/widgets.test.example")[0] == 404, 20, "the CRD is gone")

    def add_kind(self):
        """The CRD is there, and works."""
        code, answer = self._api("POST", CRDS, CRD)
        if code not in (201, 409):
            raise RuntimeError(f"cannot create the CRD: {code} {answer}")
        # It answers a few times before it answers for good.
        for _ in range(3):
            wait_until(lambda: self._api("GET", f"{WIDGETS}/widgets")[0] == 200, 20, "the CRD works")

    def rotate_token(self):
        """A new token is in the file; the old one is refused some seconds later."""
        old = self._tokens
        self._tokens += 1
        secret = f"token-{self._tokens}"
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret}}
        self._must("POST", f"{API_SERVER}/api/v1/namespaces/kube-public/secrets", manifest)
        self._token_file.write_text(self._token(boundObjectRef={"kind": "Secret", "apiVersion": "v1", "name": secret}))
        if old:
            self._must("DELETE", f"{API_SERVER}/api/v1/namespaces/kube-public/secrets/token-{old}")

    def remove_unseen(self, namespace, name):
        """Takes a widget out of etcd."""
        self._ask_etcd("deleterange", {"key": _encoded(f"/registry/test.example/widgets/{namespace}/{name}")})

    def _prepare(self):
        self._cluster.kubectl("create", "namespace", "elsewhere")
        self._cluster.kubectl("create", "serviceaccount", "tester", "-n", "kube-public")
        role = ["--clusterrole=cluster-admin", "--serviceaccount=kube-public:tester"]
        self._cluster.kubectl("create", "clusterrolebinding", "tester", *role)
        self._admin_token = self._token()
        self.rotate_token()
        kubeconfig.write(
            self._token_kubeconfig, API_SERVER, self._cluster.ca, {"tokenFile": str(self._token_file)}
        )
        wait_until(lambda: self._api("GET", CRDS)[0] == 200, 20, "the tester's role works")

    def _token(self, **bound):
        return self._cluster.api.token("tester", "kube-public", expirationSeconds=2 * 60 * 60, **bound)

    def _freeze(self, process):
        process.pause()
        self._paused.add(process)

    def _thaw(self, process):
        if process.running:
            process.resume()
        self._paused.discard(process)

    def _empty(self, collection):
        code, found = self._api("GET", collection)
        for item in found.get("items", []) if code == 200 else []:
            one = f"{collection}/{item['metadata']['name']}"
            if item["metadata"].get("finalizers"):
                free = [{"op": "remove", "path": "/metadata/finalizers"}]
                self._api("PATCH", one, free, "application/json-patch+json")
        self._api("DELETE", collection)

    def _must(self, method, url, body=None):
        code, answer = self._api(method, url, body)
        if not 200 <= code < 300:
            raise RuntimeError(f"{method} {url}: {code} {answer}")
        return answer

    def _api(self, method, url, body=None, content_type="application/json"):
        headers = {"Authorization": f"Bearer {self._admin_token}", "Content-Type": content_type}
        # What is being started answers 429 or breaks connections for a moment.
        for _ in range(50):
            try:
                data = None if body is None else json.dumps(body).encode()
                response = self._cluster.http(method, url, headers, data, timeout=10)
            except OSError:
                time.sleep(0.1)
                continue
            if response.status != 429:
                break
            time.sleep(0.1)
        try:
            return response.status, json.loads(response.body)
        except ValueError:
            return response.status, {}

    def _ask_etcd(self, what, body):
        response = self._cluster.http("POST", f"{ETCD}/v3/kv/{what}", {}, json.dumps(body).encode())
        if response.status != 200:
            raise RuntimeError(f"etcd, {what}: {response.status} {response.body}")
        return json.loads(response.body)

    def _answer(self, line):
        arguments = json.loads(line)
        name = arguments.pop("command")
        if name.startswith("_"):
            raise ValueError(name)
        return getattr(self, name)(**arguments) or {}

    def _handler(control):
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                for line in self.rfile:
                    try:
                        answer = control._answer(line)
                    except Exception as error:
                        traceback.print_exc()
                        answer = {"error": f"{type(error).__name__}: {error}"}
                    self.wfile.write(json.dumps(answer).encode() + b"\n")

        return Handler


def _encoded(text):
    return base64.b64encode(text.encode()).decode()
