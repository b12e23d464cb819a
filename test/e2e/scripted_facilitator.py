"""A facilitator that does what a test says: GET /script?verify=KIND&settle=KIND&delay=SECONDS sets what it does (to
payments that no ordinary account has signed: strangers=KIND, where that is said),
GET /counts tells what it was asked, and supported=KIND is what GET /supported comes to: a name in SUPPORTED, or one of the
others; GET /always/KIND/supported comes to that kind, whatever is set.
KIND is one of the names in ANSWERS, or hang, drip, redirect, huge or close;
relayed asks the real facilitator, lost does so and then hangs up, slow does so and then takes its time, moved-KIND
does so and then does as KIND, late-SECONDS does so after that time, and held-KIND does as KIND when GET /go or another
script lets it; settled names the transaction=HASH, where that is
said. Several KINDs, with commas, are for one call after the other, and the last one for all that
follow.
"""

import http.server
import json
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

ANSWERS = {
    "valid": (200, {"isValid": True}),
    "invalid": (200, {"isValid": False, "invalidReason": "insufficient_funds"}),
    "settled": (200, {"success": True, "transaction": "0x" + "ab" * 32, "network": "eip155:84532"}),
    "refused": (400, {"success": False, "errorReason": "insufficient_funds", "transaction": "", "network": "eip155:84532"}),
    "pending": (200, {"success": False, "errorReason": "settlement_pending", "transaction": "0x1", "network": "eip155:84532"}),
    "used": (200, {"success": False, "errorReason": "invalid_exact_evm_nonce_already_used", "network": "eip155:84532"}),
    "empty": (200, {}),
    "types": (200, {"isValid": "true", "success": 1}),
    "list": (200, [True]),
    "error": (500, {"error": "broken"}),
    "busy": (503, {"error": "later"}),
    "too-many": (429, {"error": "too many requests"}),
    "bad-gateway": (502, {"error": "bad gateway"}),
    # What real facilitators say when they lose sight of a transaction.
    "internal-500": (500, {"success": False, "errorReason": "internal_error"}),
    "node-failure": (200, {"success": False, "errorReason": "settle_exact_node_failure", "transaction": ""}),
    "node-failure-500": (500, {"success": False, "errorReason": "settle_exact_node_failure", "transaction": ""}),
    "unknown-error": (200, {"success": False, "errorReason": "unknown_error", "network": "eip155:84532"}),
    "http402": (402, {"success": False, "errorReason": "settlement_failed", "transaction": None}),
    "failed": (200, {"success": False, "errorReason": "invalid_transaction_state", "transaction": "0x" + "fa" * 32}),
    "tx-null": (200, {"success": True, "transaction": None, "network": "eip155:84532"}),
}
SUPPORTED = {
    "served": (200, {"kinds": [{"x402Version": 2, "scheme": "exact", "network": "eip155:84532"}]}),
    "elsewhere": (200, {"kinds": [{"x402Version": 2, "scheme": "exact", "network": "eip155:8453"}]}),
    "everywhere": (200, {"kinds": [{"x402Version": 2, "scheme": "exact", "network": "eip155:*"}]}),
    "unauthorized": (401, {"error": "unauthorized"}),
    "forbidden": (403, {"error": "forbidden"}),
    "unknown": (404, {"error": "not found"}),
    "error": (500, {"error": "broken"}),
}
ASKS_TO_WAIT = ("busy", "too-many")
HANG = 60
# Longer than a buyer is kept waiting.
SLOW = 20.3


class State:
    lock = threading.Lock()
    script = {"verify": "valid", "settle": "settled", "delay": "0"}
    counts = {"verify": 0, "settle": 0}
    go = threading.Event()


class Facilitator(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path.endswith("/supported"):
            always = path.removesuffix("/supported").removeprefix("/always/")
            kind = always or State.script.get("supported", "served")
            if kind not in SUPPORTED:
                return getattr(self, f"_{kind}")()
            status, body = SUPPORTED[kind]
            return self._say(status, json.dumps(body).encode())
        with State.lock:
            if path in ("/go", "/script"):
                State.go.set()
                State.go = threading.Event()
            if path == "/script":
                State.script = {"verify": "valid", "settle": "settled", "delay": "0"} | dict(urllib.parse.parse_qsl(query))
                State.counts = {"verify": 0, "settle": 0}
            self._say(200, json.dumps(State.counts).encode())

    def do_POST(self):
        self.asked = self.rfile.read(int(self.headers["Content-Length"]))
        what = self.path.strip("/")
        with State.lock:
            State.counts[what] += 1
            if "strangers" in State.script and self._is_strangers():
                what = "strangers"
            kind, _, later = State.script[what].partition(",")
            State.script[what] = later or kind
            delay, go = float(State.script["delay"]), State.go
        time.sleep(delay)
        if kind.startswith("held-"):
            go.wait(HANG)
            kind = kind.removeprefix("held-")
        if kind.startswith("moved-"):
            self._ask_the_real_one()
            kind = kind.removeprefix("moved-")
        if kind.startswith("late-"):
            time.sleep(float(kind.removeprefix("late-")))
            kind = "relayed"
        if kind in ANSWERS:
            status, body = ANSWERS[kind]
            if kind == "settled" and "transaction" in State.script:
                body = body | {"transaction": State.script["transaction"]}
            return self._say(status, json.dumps(body).encode(), [("Retry-After", "7")] if kind in ASKS_TO_WAIT else [])
        getattr(self, f"_{kind}")()

    def _is_strangers(self):
        return len(json.loads(self.asked)["paymentPayload"]["payload"]["signature"]) > 2 + 2 * 65

    def _html(self):
        self._say(200, b"<html>sign in, please</html>")

    def _redirect(self):
        self._say(307, b"", [("Location", f"http://{self.headers['Host']}/elsewhere")])

    def _huge(self):
        self._say(200, b'{"isValid":true,"success":true,"padding":"' + b"x" * 1_000_000 + b'"}')

    def _close(self):
        self.close_connection = True

    def _relayed(self):
        self._say(*self._ask_the_real_one())

    def _slow(self):
        answer = self._ask_the_real_one()
        time.sleep(SLOW)
        self._say(*answer)

    def _lost(self):
        self._ask_the_real_one()
        self._close()

    def _ask_the_real_one(self):
        relayed = urllib.request.Request(REAL + self.path, self.asked, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(relayed, timeout=HANG) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def _hang(self):
        time.sleep(HANG)

    def _drip(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(HANG):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(1)

    def _say(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    REAL = sys.argv[2]
    http.server.ThreadingHTTPServer.daemon_threads = True
    # What finds no place in a short queue is heard seconds after who asked has gone, and counted then.
    http.server.ThreadingHTTPServer.request_queue_size = 1024
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Facilitator).serve_forever()
