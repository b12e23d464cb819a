"""The API server without kubectl, for tests that ask it hundreds of things: one connection for each thread."""

import http.client
import json
import socket
import ssl
import threading

from cluster.components import API_PORT
from cluster.netns import ADDRESS

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"

_GROUPS = {
    "serviceoffers": "apis/obol.org/v1alpha1",
    "paymentroutes": "apis/obol.org/v1alpha1",
    "registrationrequests": "apis/obol.org/v1alpha1",
    "httproutes": "apis/gateway.networking.k8s.io/v1",
    "middlewares": "apis/traefik.io/v1alpha1",
    "leases": "apis/coordination.k8s.io/v1",
    "events": "apis/events.k8s.io/v1",
}


class KubeClient:
    """What the administrator may do. Answers are (HTTP status, object)."""

    address, port = ADDRESS, API_PORT  # of the API server, inside the cluster

    def __init__(self, cluster):
        self._cluster = cluster
        certs = cluster.directory / "pki"
        self._tls = ssl.create_default_context(cafile=cluster.ca)
        self._tls.load_cert_chain(certs / "admin.crt", certs / "admin.key")
        self._kept = threading.local()

    def create(self, kind, what, ns):
        return self.request("POST", path(kind, ns), what)

    def get(self, kind, name, ns):
        """The object, or None."""
        status, found = self.request("GET", path(kind, ns, name))
        return found if status == 200 else None

    def list(self, kind, ns):
        status, found = self.request("GET", path(kind, ns))
        assert status == 200, found
        return {each["metadata"]["name"]: each for each in found["items"]}

    def patch(self, kind, name, ns, change, how=MERGE_PATCH, manager="a-test", force=False):
        query = f"?fieldManager={manager}" + ("&force=true" if force else "")
        return self.request("PATCH", path(kind, ns, name) + query, change, how)

    def patch_status(self, kind, name, ns, status):
        """As whoever reports on the object would."""
        return self.request("PATCH", path(kind, ns, name) + "/status", {"status": status}, MERGE_PATCH)

    def delete(self, kind, name, ns, propagation="Background"):
        return self.request("DELETE", path(kind, ns, name), {"propagationPolicy": propagation})

    def request(self, method, where, body=None, content_type="application/json"):
        text = None if body is None else json.dumps(body)
        status, content = self.request_text(method, where, text, content_type)
        return status, json.loads(content) if content else None

    def request_text(self, method, where, text, content_type="application/json"):
        """The same for what is deeper than Python's reader and writer go: the answer is text too."""
        line = getattr(self._kept, "line", None) or self._connect()
        try:
            line.request(method, where, text, {"Content-Type": content_type})
            answer = line.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            line.close()
            self._kept.line = None
            raise
        return answer.status, content

    def _connect(self):
        line = http.client.HTTPSConnection("127.0.0.1", API_PORT)
        line.auto_open = 0
        plain = self._cluster.connect("127.0.0.1", API_PORT, 30)
        # Otherwise the body waits for 40 ms until the server has acknowledged the head.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sock = self._tls.wrap_socket(plain, server_hostname="127.0.0.1")
        self._kept.line = line
        return line


def path(kind, ns, name=None):
    """Of a kind's objects in a namespace, or of one."""
    return "/".join(["", _GROUPS[kind], "namespaces", ns, kind] + ([name] if name else []))
