"""The API server without kubectl, of which every start costs a tenth of a second of CPU."""

import http.client
import json
import select
import socket
import ssl
import threading
import time

from .components import API_PORT
from .conditions import conditions_of
from .errors import ApiError
from .kinds import Kinds
from .waiting import wait_until

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"

_HOST = "127.0.0.1"
_TIMEOUT = 30
_NOT_FOUND = 404
# An API server that has just started, or has just been given a CRD, says these without meaning them.
_NOT_YET = (429, 503)
_NOT_YET_WORDS = "storage is (re)initializing"


class Api:
    """Somebody's requests, on one kept connection for each thread.

    Nothing is ever sent twice: a connection that the server has closed is replaced before it is used, and one that
    breaks while it is used is an OSError.
    """

    def __init__(self, sockets, certs, headers=None, client="admin", kinds=None):
        """`headers` go with each request; `client` is the certificate to show, None for none; `kinds` is what another
        one has learnt."""
        self._sockets = sockets
        self._certs = certs
        self._headers = headers or {}
        self._client = client
        self._tls = None
        self._kinds = kinds
        self._kept = threading.local()

    def impersonating(self, user, *groups):
        """The same for another user, as the administrator may act."""
        names = {"Impersonate-User": user} | ({"Impersonate-Group": groups[0]} if groups else {})
        return Api(self._sockets, self._certs, names, self._client, self._kinds)

    def bearing(self, token):
        """The same for the owner of a token."""
        return Api(self._sockets, self._certs, {"Authorization": f"Bearer {token}"}, None, self._kinds)

    def request(self, method, path, body=None, content_type="application/json", accept="application/json"):
        """One request; returns the HTTP status and the object that was answered."""
        text = None if body is None else json.dumps(body)
        status, content = self.request_text(method, path, text, content_type, accept)
        return status, json.loads(content) if content else None

    def request_text(self, method, path, text, content_type="application/json", accept="application/json"):
        """The same with text, also for what is deeper than Python's reader and writer go."""
        line = self._line()
        try:
            line.request(method, path, text, self._headers | {"Content-Type": content_type, "Accept": accept})
            answer = line.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self._drop()
            raise
        return answer.status, content

    def get(self, kind, name=None, ns=None):
        """An object (None when there is no such), or without a name the list of all of its kind."""
        path = self.kind(kind).path(ns, name)
        status, found = self.request("GET", path)
        if name and status == _NOT_FOUND:
            return None
        return _checked("GET", path, status, found)

    def create(self, what, dry_run=False):
        """Makes an object; returns it."""
        path = self._typed(what).path(what["metadata"].get("namespace")) + _query(dry_run)
        return _checked("POST", path, *self.request("POST", path, what))

    def apply(self, what, manager="kubectl", subresource=None, dry_run=False):
        """Makes or changes an object, or a subresource of it, by server-side apply; returns it."""
        path = self._typed(what).path(what["metadata"].get("namespace"), what["metadata"]["name"], subresource)
        query = f"{_query(dry_run)}&fieldManager={manager}&force=true"
        return self._patiently("PATCH", path + query, what, APPLY)

    def patch(self, kind, name, change, ns=None, how=MERGE_PATCH, subresource=None):
        """Changes an object, or a subresource of it; returns it."""
        path = self.kind(kind).path(ns, name, subresource)
        return _checked("PATCH", path, *self.request("PATCH", path, change, how))

    def delete(self, kind, *names, ns=None, propagation="Background", missing_ok=False, wait=True, timeout=60):
        """Deletes objects, and waits until they are gone."""
        going = {}
        for name in names:
            path = self.kind(kind).path(ns, name)
            status, answer = self.request("DELETE", path, {"propagationPolicy": propagation})
            if status == _NOT_FOUND and missing_ok:
                continue
            _checked("DELETE", path, status, answer)
            # Either the object, or a Status that tells of it.
            going[path] = (answer.get("metadata") or {}).get("uid") or answer.get("details", {}).get("uid")
        if wait:
            wait_until(lambda: self._gone(going), timeout, f"{kind} {', '.join(names)} gone")

    def kind(self, word):
        """What a user calls it, as kubectl takes it: serviceoffers, so, ServiceOffer.obol.org."""
        return self._known(lambda kinds: kinds.named(word), word)

    def may(self, verb, kind, ns=None, subresource=None):
        """Whether the one who asks has that right, by the API server's word."""
        found = self.kind(kind)
        right = {"verb": verb, "group": found.group, "resource": found.plural, "namespace": ns or "default"}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "metadata": {},
            "spec": {"resourceAttributes": right | {"subresource": subresource or ""}},
        }
        return self.create(review)["status"]["allowed"]

    def token(self, account, ns, **spec):
        """A new token for a service account."""
        path = self.kind("serviceaccounts").path(ns, account, "token")
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return _checked("POST", path, *self.request("POST", path, request))["status"]["token"]

    def _typed(self, what):
        version, kind = what["apiVersion"], what["kind"]
        return self._known(lambda kinds: kinds.typed(version, kind), f"{kind} of {version}")

    def _gone(self, going):
        for path, uid in list(going.items()):
            status, found = self.request("GET", path)
            if status != _NOT_FOUND and _checked("GET", path, status, found)["metadata"]["uid"] == uid:
                self._look_again(path, found)
                return False
            del going[path]
        return True

    def _look_again(self, path, found):
        """For a CRD whose objects could not be listed, as their store was being opened ("storage is (re)initializing"):
        the API server looks again when the CRD changes, and otherwise after five minutes."""
        if conditions_of(found).get("Terminating", {}).get("reason") == "InstanceDeletionFailed":
            touched = {"metadata": {"annotations": {"touched": str(time.monotonic())}}}
            self.request("PATCH", path, touched, MERGE_PATCH)

    def _known(self, find, what):
        """Looks again before it says that there is no such kind."""
        kind = self._kinds and find(self._kinds)
        if not kind:
            asked = [self.request("GET", path, accept=Kinds.ACCEPT) for path in Kinds.PATHS]
            self._kinds = Kinds([_checked("GET", path, *each) for path, each in zip(Kinds.PATHS, asked)])
            kind = find(self._kinds)
        if not kind:
            raise ApiError("GET", "/apis", _NOT_FOUND, f"the server knows no kind {what}")
        return kind

    def _patiently(self, method, path, body, content_type, timeout=15):
        deadline = time.monotonic() + timeout
        while True:
            status, answer = self.request(method, path, body, content_type)
            excused = status in _NOT_YET or _NOT_YET_WORDS in str(answer)
            if not excused or time.monotonic() > deadline:
                return _checked(method, path, status, answer)
            time.sleep(0.1)

    def _line(self):
        line = getattr(self._kept, "line", None)
        # What there is to read on an idle connection is its end.
        if line and (line.sock is None or select.select([line.sock], [], [], 0)[0]):
            self._drop()
            line = None
        return line or self._connect()

    def _drop(self):
        self._kept.line.close()
        self._kept.line = None

    def _connect(self):
        plain = self._sockets.connect(_HOST, API_PORT, _TIMEOUT)
        # Otherwise the body waits for 40 ms until the server has acknowledged the head.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = http.client.HTTPSConnection(_HOST, API_PORT)
        line.auto_open = 0
        line.sock = self._context().wrap_socket(plain, server_hostname=_HOST)
        self._kept.line = line
        return line

    def _context(self):
        if self._tls is None:
            tls = ssl.create_default_context(cafile=self._certs.ca)
            if self._client:
                tls.load_cert_chain(self._certs.certificate(self._client), self._certs.key(self._client))
            self._tls = tls
        return self._tls


def _query(dry_run):
    return "?fieldValidation=Strict" + ("&dryRun=All" if dry_run else "")


def _checked(method, path, status, answer):
    if not 200 <= status < 300:
        raise ApiError(method, path, status, (answer or {}).get("message", ""))
    return answer
