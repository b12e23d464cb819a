#!/usr/bin/env python3
"""An API server's look-alike over plain HTTP, as far as lists and watches of PaymentRoutes go.

All pages are rendered before it listens, so that a list costs it no more than writing to a socket. What it
reads on standard input, watch lines as data.event() makes them, it sends to all watchers, and to those who come
later with an older resource version. It ends with its standard input. On standard output it says, in one line
of JSON, its port and when it began to listen.
"""

import argparse
import json
import socket
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from data import API_VERSION, encode

PATH = f"/apis/{API_VERSION}/paymentroutes"

# Go's net/http, so a real API server, writes an uncompressed list in chunks of this size.
_CHUNK = 2048
_HEAD = (
    b"HTTP/1.1 200 OK\r\nAudit-Id: 5d4c2a1e-7b0f-4e0e-9c55-4f1f6a8f0b11\r\nCache-Control: no-cache, private\r\n"
    b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)
_INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}


class Collection:
    """PaymentRoutes at one resource version, and what happened to them since."""

    def __init__(self, lines):
        self._items = lines
        self._listed = max((_version(json.loads(line)) for line in lines), default=1)
        self._pages = {}
        self._events = []  # (resource version, watch line)
        self._changed = threading.Condition()

    def page(self, limit, start):
        """A whole answer to a list request for `limit` items from the one numbered `start` on; 0 is no limit."""
        key = (limit, start)
        if key not in self._pages:
            self._pages[key] = self._render(limit, start)
        return self._pages[key]

    def prepare(self, limit):
        """Renders all pages of that size."""
        for start in range(0, max(len(self._items), 1), limit or max(len(self._items), 1)):
            self.page(limit, start)

    def publish(self, line):
        """Lets all watchers have one more event."""
        with self._changed:
            self._events.append((_version(json.loads(line)["object"]), line))
            self._changed.notify_all()

    def initial_events(self):
        """The items as ADDED events, and what the bookmark after them says."""
        bookmark = {
            "apiVersion": API_VERSION,
            "kind": "PaymentRoute",
            "metadata": {"annotations": _INITIAL_EVENTS_END, "resourceVersion": str(self._listed)},
        }
        added = b"".join(b'{"type":"ADDED","object":%s}\n' % item for item in self._items)
        return added, b'{"type":"BOOKMARK","object":%s}\n' % encode(bookmark)

    def wait(self, version, count, timeout):
        """Events newer than `version` beyond the first `count` ones: the lines, and how many events there are."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._events) > count, timeout)
            return [line for at, line in self._events[count:] if at > version], len(self._events)

    def _render(self, limit, start):
        end = start + limit if limit else len(self._items)
        metadata = {"resourceVersion": str(self._listed)}
        if end < len(self._items):
            metadata |= {"continue": f"from-{limit}-{end}", "remainingItemCount": len(self._items) - end}
        items = b",".join(self._items[start:end])
        body = b'{"apiVersion":"%s","items":[%s],"kind":"PaymentRouteList","metadata":%s}\n'
        body %= (API_VERSION.encode(), items, encode(metadata))
        chunks = [_chunk(body[at : at + _CHUNK]) for at in range(0, len(body), _CHUNK)]
        return b"".join([_HEAD, *chunks, _chunk(b"")])


class Server:
    """One thread for each connection."""

    def __init__(self, collection, port):
        self._collection = collection
        # Binds with SO_REUSEADDR, so at once to the port of one that was killed.
        self._socket = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = self._socket.getsockname()[1]

    def run(self):
        """Serves for ever."""
        while True:
            connection, _ = self._socket.accept()
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as reader:
            try:
                while (request := _read_request(reader)) is not None:
                    self._answer(connection, *request)
            except OSError:
                pass

    def _answer(self, connection, method, target):
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if method != "GET" or url.path != PATH:
            connection.sendall(_failure(404, "NotFound", f"nothing here for {method} {url.path}"))
        elif query.get("watch") in ("1", "true"):
            self._watch(connection, query)
        else:
            connection.sendall(self._list(query))

    def _list(self, query):
        limit, start = int(query.get("limit", 0)), 0
        if "continue" in query:
            prefix, _, start = query["continue"].rpartition("-")
            if prefix != f"from-{limit}" or not start.isdecimal():
                return _failure(410, "Expired", "that continue token is not from here")
        return self._collection.page(limit, int(start))

    def _watch(self, connection, query):
        deadline = time.monotonic() + int(query.get("timeoutSeconds", 3600))
        version = int(query.get("resourceVersion") or 0)
        initial = query.get("sendInitialEvents") == "true"
        connection.sendall(_HEAD)
        if initial or not version:
            added, bookmark = self._collection.initial_events()
            connection.sendall(_chunk(added + (bookmark if initial else b"")))
            version = 0
        count = 0
        while (left := deadline - time.monotonic()) > 0:
            lines, count = self._collection.wait(version, count, left)
            if lines:
                connection.sendall(b"".join(map(_chunk, lines)))
        connection.sendall(_chunk(b""))


def _read_request(reader):
    """The method and target of the next request, whose header fields do not matter; None at the end."""
    first = reader.readline()
    while (line := reader.readline()) not in (b"\r\n", b"\n"):
        if not line:
            return None
    parts = first.decode().split()
    return (parts[0], parts[1]) if len(parts) == 3 else None


def _chunk(content):
    return b"%x\r\n%s\r\n" % (len(content), content)


def _failure(code, reason, message):
    status = {"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure"}
    body = encode(status | {"code": code, "reason": reason, "message": message})
    head = f"HTTP/1.1 {code} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _version(item):
    return int(item["metadata"]["resourceVersion"])


def main():
    """Serves until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("routes", type=Path, help="PaymentRoutes, one a line, as data.py writes them")
    parser.add_argument("--port", type=int, default=0, help="by default one that is free")
    parser.add_argument("--prepare", type=int, nargs="*", default=[], metavar="SIZE", help="pages to render first")
    arguments = parser.parse_args()
    collection = Collection(arguments.routes.read_bytes().splitlines())
    for size in arguments.prepare:
        collection.prepare(size)
    server = Server(collection, arguments.port)
    print(json.dumps({"port": server.port, "unix_ms": time.time() * 1000}), flush=True)
    threading.Thread(target=server.run, daemon=True).start()
    for line in sys.stdin.buffer:
        collection.publish(line)


if __name__ == "__main__":
    main()
