"""Asks a gate by hand, to see that all gates answer the same before they are measured."""

import base64
import json
import socket
import ssl

from processes import Failed

_LONGEST = 65536


class Connection:
    """One keep-alive connection to 127.0.0.1."""

    def __init__(self, port, tls=False):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self._socket = context.wrap_socket(self._socket)
            if self._socket.version() != "TLSv1.3":
                raise Failed(f"speaks {self._socket.version()}, not TLSv1.3")

    def close(self):
        """Lets it go."""
        self._socket.close()

    def ask(self, request):
        """Status, header fields in lower case, body."""
        self._socket.sendall(request)
        came = b""
        while b"\r\n\r\n" not in came:
            came += self._more()
        head, _, body = came.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        while len(body) < int(fields["content-length"]):
            body += self._more()
        return int(lines[0].split()[1]), fields, body

    def _more(self):
        came = self._socket.recv(_LONGEST)
        if not came:
            raise Failed("a gate closed the connection")
        return came


def terms_of(port, requests, tls=False):
    """What a gate's 402 say, whatever the order of the members; the size of each is compared as well."""
    connection = Connection(port, tls)
    try:
        return [_terms(*connection.ask(request)) for request in requests]
    finally:
        connection.close()


def _terms(status, fields, body):
    if status != 402:
        raise Failed(f"answers {status} where 402 is expected: {body[:200]!r}")
    header = base64.b64decode(fields["payment-required"], validate=True)
    return {"v1": json.loads(body), "v2": json.loads(header), "sizes": [len(body), len(header)]}
