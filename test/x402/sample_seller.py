"""The smallest server that sells to x402 v1 and v2 clients alike: every path costs the same.

One 402 carries the v2 offer in its header and the v1 offer in its body. A payment is verified and settled
before the answer, as any gate must that cannot see the answer. It exists to prove the real clients and the
facilitator against each other, without the product in between.
"""

import http.server
import json
import threading
import urllib.request

import x402


def post_json(url, value):
    body = json.dumps(value).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


class SampleSeller:
    """Usable in a `with`. `settled` holds the facilitator's replies to the settlements that succeeded."""

    def __init__(self, facilitator_url, price, pay_to=x402.SELLER):
        self.facilitator_url = facilitator_url
        self.settled = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/item"
        self.accepts = {
            1: x402.requirements_v1(pay_to, price, self.url),
            2: x402.requirements_v2(pay_to, price),
        }

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def offer(self, version, error):
        offer = {"x402Version": version, "error": error, "accepts": [self.accepts[version]]}
        return {**offer, "resource": {"url": self.url}} if version == 2 else offer

    def take(self, version, payment):
        """Returns why the payment was refused, or None when it is settled."""
        request = {
            "x402Version": version,
            "paymentPayload": payment,
            "paymentRequirements": self.accepts[version],
        }
        verified = post_json(f"{self.facilitator_url}/verify", request)
        if not verified["isValid"]:
            return verified["invalidReason"]
        settled = post_json(f"{self.facilitator_url}/settle", request)
        if not settled["success"]:
            return settled["errorReason"]
        self.settled.append(settled)
        return None


def _handler(seller):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            for version, name in ((2, "PAYMENT-SIGNATURE"), (1, "X-PAYMENT")):
                if name in self.headers:
                    refusal = seller.take(version, x402.decode_header(self.headers[name]))
                    break
            else:
                refusal = "payment required"
            if refusal is None:
                self.answer(200, b"sold", {})
            else:
                header = x402.encode_header(seller.offer(2, refusal))
                self.answer(402, json.dumps(seller.offer(1, refusal)).encode(), {"PAYMENT-REQUIRED": header})

        def answer(self, status, body, headers):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler
