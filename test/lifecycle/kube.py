"""The API server, as the kubelet and the tests ask it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from kube_client import MERGE_PATCH, KubeClient  # noqa: E402, F401 (for those who import from here)

STRATEGIC_PATCH = "application/strategic-merge-patch+json"


class Kube(KubeClient):
    """Any path of the API; what is not answered with 2xx is an error unless it is allowed."""

    def ask(self, method, path, body=None, allowed=(), content_type="application/json"):
        """The object, or None where the status is one of those allowed."""
        status, found = self.request(method, path, body, content_type)
        if status in allowed:
            return None
        if not 200 <= status < 300:
            raise RuntimeError(f"{method} {path}: {status}: {found and found.get('message')}")
        return found

    def items(self, path):
        return self.ask("GET", path)["items"]
