"""HTTP requests from inside a cluster's network namespace, sent exactly as given."""

import http.client
import ipaddress
import ssl
from typing import NamedTuple

from .netns import ADDRESS


class Response(NamedTuple):
    """An answer; `headers` finds names in any case, and has get_all() for repeated ones."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class HttpClient:
    """One connection for each request: nothing is ever sent twice because a kept connection had gone."""

    def __init__(self, sockets, ca_file):
        self._sockets = sockets
        self._ca_file = ca_file
        self._tls = None

    def request(self, method, url, headers=(), body=None, timeout=5):
        """Sends one request. `headers` is a dict or a list of pairs (names may repeat). The path goes out
        byte for byte as it stands in the URL. Host names other than localhost are the cluster's address."""
        scheme, _, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        host, _, port = authority.partition(":")
        connection = self._sockets.connect(_address(host), int(port or {"http": 80, "https": 443}[scheme]), timeout)
        with connection:
            if scheme == "https":
                connection = self._context().wrap_socket(connection, server_hostname=host)
            with connection:
                connection.sendall(_message(method, authority, slash + path or "/", headers, body))
                response = http.client.HTTPResponse(connection, method=method)
                with response:
                    response.begin()
                    return Response(response.status, response.headers, response.read())

    def _context(self):
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self._ca_file)
        return self._tls


def _message(method, authority, target, headers, body):
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    given = {name.lower() for name, _ in pairs}
    if "host" not in given:
        pairs.insert(0, ("Host", authority))
    if body is not None and not given & {"content-length", "transfer-encoding"}:
        pairs.append(("Content-Length", len(body)))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs), "", ""]
    return "\r\n".join(lines).encode() + (body or b"")


def _address(host):
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        return ADDRESS
