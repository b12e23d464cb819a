"""The API server for tests that look at statuses: what it refuses is an answer here, not an error."""

from cluster.api import APPLY, JSON_PATCH, MERGE_PATCH  # noqa: F401 (for those who import from here)
from cluster.components import API_PORT
from cluster.netns import ADDRESS

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
        self._api = cluster.api

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
        return self._api.request(method, where, body, content_type)

    def request_text(self, method, where, text, content_type="application/json"):
        """The same for what is deeper than Python's reader and writer go: the answer is text too."""
        return self._api.request_text(method, where, text, content_type)


def path(kind, ns, name=None):
    """Of a kind's objects in a namespace, or of one."""
    return "/".join(["", _GROUPS[kind], "namespaces", ns, kind] + ([name] if name else []))
