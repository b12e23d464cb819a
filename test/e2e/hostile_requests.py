"""Buyers who do not pay: requests made of payments that can buy nothing (spent, cancelled, out of their time, of a payer
without money, signed by somebody else, for too little, for another payee, token or network), each mutated at random, in what
is signed, in its encoding, or in the request around it. Whatever they are, none of them may be answered with a 2xx."""

import base64
import json
import random

import x402
from stack import ADDRESS, NAMESPACE

OTHERS = ("0x" + "00" * 20, "0x" + "11" * 20, x402.BUYER, x402.BUYER2, x402.SELLER)
CONTRACT = x402.USDC  # a payer whose signature only a facilitator can judge
NUMBERS = ("0", "1", "999", "1000", "1001", "01000", "1e3", "-1", "", " 1000", "0x3e8", 0, 1000)
NUMBERS += (str(2**64), str(2**256 - 1), str(2**256))
METHODS = ("GET", "HEAD", "POST", "OPTIONS", "get", "PUT", "PROPFIND", "CONNECT", "G", "GET,GET", "", "GET ", "A" * 33)
HOSTS = ("gate.test", "GATE.test", "gate.test:80", "gate.test.", "other.test", "[::1]", "", "a, b", "x" * 301, "10.77.0.1")
SCHEMES = ("http", "https", "ws", "wss", "HTTP", "ftp", "", "http, https")
NETWORKS = ("eip155:84532", "base-sepolia", "eip155:8453", "base", "EIP155:84532", "eip155:084532", "*", "", "solana:x", 84532)
FORGED = (
    ("X-Payment-Status", "settled"),
    ("X-Payer", x402.BUYER),
    ("X_Payer", x402.BUYER),
    ("X-Payment-Tx", "0x" + "ab" * 32),
    ("X-Payment-Response", "e30="),
    ("Payment-Response", "e30="),
    ("X-Verified-Wallet", x402.BUYER),
    ("X-Portitor-Route", "sellers/free"),
    ("Authorization", "Bearer upstream-secret"),
    ("X-HTTP-Method-Override", "OPTIONS"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Connection", "X-Forwarded-Uri, Payment-Signature"),
    ("Origin", "https://shop.example.com"),
    ("Access-Control-Request-Method", "GET"),
    ("Expect", "100-continue"),
    ("X-Original-URL", "/health"),
    ("X-Rewrite-URL", "/health"),
    ("X-Forwarded-Prefix", "/free"),
    ("X-Forwarded-Uri", "/health"),
    ("X-Forwarded-Method", "OPTIONS"),
    ("X-Forwarded-Host", "other.test"),
    ("Payment-Signature", "e30="),
    ("X-Payment", "e30="),
    ("X.Payment", "e30="),
    ("Content-Length", "0"),
    ("Accept", "text/html"),
    ("User-Agent", "Mozilla/5.0"),
)


class Seed:
    """A payment that can buy nothing, and where its buyer would show it."""

    def __init__(self, name, header, version, offer, uri="/a"):
        self.name, self.version, self.offer, self.uri = name, version, offer, uri
        self.text = base64.b64decode(header).decode()
        # Of all others the verifier knows by itself.
        self.reaches_facilitator = name in ("pauper", "cancelled")


class Mutator:
    """Makes requests, the same ones for the same seed."""

    def __init__(self, seeds, offers, seed, to_facilitator):
        """`offers`: by name, the target that the gateway asks at. `to_facilitator`: share of those that it may be asked
        about, which takes its time."""
        self._to_facilitator = to_facilitator
        self._seeds = seeds
        self._dear = [each for each in seeds if each.reaches_facilitator]
        self._cheap = [each for each in seeds if not each.reaches_facilitator]
        self._offers = offers
        self._random = random.Random(seed)
        self._in_payload = [getattr(self, name) for name in dir(self) if name.startswith("_payload_")]
        self._in_text = [getattr(self, name) for name in dir(self) if name.startswith("_text_")]
        self._in_request = [getattr(self, name) for name in dir(self) if name.startswith("_request_")]

    def next(self):
        """One request, as bytes."""
        rng = self._random
        seed = rng.choice(self._dear if rng.random() < self._to_facilitator else self._cheap)
        kind = rng.random()
        text = seed.text
        if kind < 0.6:
            payment = json.loads(text)
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                rng.choice(self._in_payload)(payment)
            text = json.dumps(payment, separators=(",", ":"))
        header = base64.b64encode(text.encode()).decode()
        if 0.6 <= kind < 0.75:
            header = rng.choice(self._in_text)(text, header)
        request = {
            "target": self._offers[seed.offer],
            "uri": f"/services/{seed.offer}{seed.uri}",
            "method": "GET",
            "host": "gate.test",
            "scheme": "http",
            "payments": [("Payment-Signature" if seed.version == 2 else "X-Payment", header)],
            "more": [],
        }
        if kind >= 0.7:
            for _ in range(rng.choice((1, 1, 2, 3))):
                rng.choice(self._in_request)(request)
        return self._written(request)

    @staticmethod
    def _written(request):
        lines = [
            f"GET {request['target']} HTTP/1.1",
            "Host: verifier",
            f"X-Forwarded-Uri: {request['uri']}",
            f"X-Forwarded-Method: {request['method']}",
            f"X-Forwarded-Host: {request['host']}",
            f"X-Forwarded-Proto: {request['scheme']}",
        ]
        lines += [f"{name}: {value}" for name, value in request["payments"] + request["more"]]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")

    # What is signed, and what is said about it.

    def _authorization(self, payment):
        payload = payment.get("payload")
        if not isinstance(payload, dict):
            return {}
        found = payload.get("authorization")
        return found if isinstance(found, dict) else {}

    def _payload_signature(self, payment):
        payload = payment.get("payload")
        if not isinstance(payload, dict) or not isinstance(payload.get("signature"), str):
            return
        rng, old = self._random, payload["signature"]
        at = rng.randrange(2, max(3, len(old)))
        short = old[:128]
        payload["signature"] = rng.choice(
            (
                old[:at] + rng.choice("0123456789abcdef") + old[at + 1 :],
                old[:at],
                old + rng.choice(("00", "1b", "ff" * 32)),
                old[:-2] + rng.choice(("00", "01", "1b", "1c", "1d", "ff")),
                old.upper(),
                "0x" + "00" * 65,
                "0x" + "ff" * 64 + "1b",
                "0x" + "11" * 66,
                "0x",
                "",
                None,
                short + "f" * 64 + "1c",
                "0x" + "11" * 66 + "6492" * 16 if rng.random() < self._to_facilitator else old[2:],
            )
        )

    def _payload_number(self, payment):
        self._authorization(payment)[self._random.choice(("value", "validAfter", "validBefore"))] = self._random.choice(NUMBERS)

    def _payload_account(self, payment):
        account = CONTRACT if self._random.random() < self._to_facilitator else self._random.choice(OTHERS)
        self._authorization(payment)[self._random.choice(("from", "to"))] = account

    def _payload_case(self, payment):
        said = self._authorization(payment)
        for name in ("from", "to", "nonce"):
            if isinstance(said.get(name), str):
                text = said[name]
                said[name] = self._random.choice((text.upper(), text.lower(), text + "00", "0x0" + text[2:]))

    def _payload_nonce(self, payment):
        self._authorization(payment)["nonce"] = f"0x{self._random.getrandbits(256):064x}"

    def _payload_drop(self, payment):
        where = self._random.choice((payment, payment.get("payload"), self._authorization(payment), payment.get("accepted")))
        if isinstance(where, dict) and where:
            del where[self._random.choice(list(where))]

    def _payload_kind(self, payment):
        wrong = self._random.choice((None, True, [], {}, "", 0, 1.5, "x" * 300, [[[[]]]]))
        where = self._random.choice((payment, payment.get("payload"), self._authorization(payment), payment.get("accepted")))
        if isinstance(where, dict) and where:
            where[self._random.choice(list(where))] = wrong

    def _payload_version(self, payment):
        payment["x402Version"] = self._random.choice((0, 1, 2, 3, "2", 1.0, 2.0, -1, None, 2**63))

    def _payload_network(self, payment):
        where = payment.get("accepted")
        network = self._random.choice(NETWORKS)
        payment["network"] = network
        if isinstance(where, dict):
            where["network"] = network

    def _payload_scheme(self, payment):
        scheme = self._random.choice(("upto", "EXACT", "exact ", "", "batch-settlement", "free"))
        payment["scheme"] = scheme
        if isinstance(payment.get("accepted"), dict):
            payment["accepted"]["scheme"] = scheme

    def _payload_terms(self, payment):
        where = payment.get("accepted")
        if isinstance(where, dict):
            where[self._random.choice(("amount", "maxTimeoutSeconds"))] = self._random.choice(NUMBERS)
            where[self._random.choice(("payTo", "asset"))] = self._random.choice((*OTHERS, CONTRACT))

    def _payload_price_too(self, payment):
        """Both what is signed and what is said to be accepted, as a buyer who names his own price."""
        where, price = payment.get("accepted"), self._random.choice(NUMBERS)
        self._authorization(payment)["value"] = price
        if isinstance(where, dict):
            where["amount"] = price

    def _payload_extra(self, payment):
        where = payment.get("accepted")
        if isinstance(where, dict):
            where["extra"] = self._random.choice(
                (
                    {},
                    {"name": "USDC", "version": "2"},
                    {"name": "USD Coin", "version": "2", "paymentFlow": "upfront"},
                    {"name": "USDC", "version": "2", "paymentFlow": "authorization"},
                    {"name": "USDC", "version": "2", "paymentFlow": "upfront", "assetTransferMethod": "permit2"},
                )
            )

    def _payload_permit2(self, payment):
        """As a permit: instead of the authorization, or beside it."""
        payload = payment.get("payload")
        if not isinstance(payload, dict):
            return
        said = self._authorization(payment)
        payload["permit2Authorization"] = {
            "permitted": {"token": x402.USDC, "amount": said.get("value", "1000")},
            "from": said.get("from", x402.BUYER),
            "spender": "0x402085c248EeA27D92E8b30b2C58ed07f9E20001",
            "nonce": str(self._random.getrandbits(64)),
            "deadline": said.get("validBefore", "0"),
            "witness": {"to": said.get("to", x402.SELLER), "validAfter": "0"},
        }
        if self._random.random() < 0.8:
            payload.pop("authorization", None)

    # How it is written.

    def _text_cut(self, text, header):
        return header[: self._random.randrange(len(header))]

    def _text_bytes(self, text, header):
        at = self._random.randrange(len(header))
        return header[:at] + self._random.choice("AZaz09+/=-_ ,;%\t\x7fé") + header[at + 1 :]

    def _text_url_safe(self, text, header):
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _text_unpadded(self, text, header):
        return base64.b64encode((text + " " * self._random.randrange(3)).encode()).decode().rstrip("=")

    def _text_plain(self, text, header):
        return text

    def _text_twice(self, text, header):
        return self._random.choice((f"{header},{header}", f"{header} {header}", base64.b64encode(header.encode()).decode()))

    def _text_json_byte(self, text, header):
        at = self._random.randrange(len(text))
        return base64.b64encode((text[:at] + chr(self._random.randrange(256)) + text[at + 1 :]).encode("latin-1")).decode()

    def _text_twin_member(self, text, header):
        name = self._random.choice(('"x402Version":2', '"value":"0"', '"from":"' + x402.BUYER + '"', '"payload":{}'))
        at = self._random.choice([i for i, each in enumerate(text) if each == "{"])
        return base64.b64encode((text[: at + 1] + name + "," + text[at + 1 :]).encode()).decode()

    def _text_long(self, text, header):
        return base64.b64encode((text[:-1] + ',"padding":"' + "x" * self._random.randrange(20_000) + '"}').encode()).decode()

    def _text_deep(self, text, header):
        return base64.b64encode((text[:-1] + ',"padding":' + "[" * self._random.randrange(3_000)).encode()).decode()

    # The request around it.

    def _request_other_offer(self, request):
        name = self._random.choice(list(self._offers))
        request["target"] = self._offers[name]
        if self._random.random() < 0.7:
            request["uri"] = f"/services/{name}/a"

    def _request_target(self, request):
        at = request["target"]
        path, _, query = at.partition("?")
        request["target"] = self._random.choice(
            (
                "/verify",
                "/verify/",
                path,
                path + "/",
                path + "/a",
                path.upper(),
                path.replace("/verify", "//verify"),
                path.replace("verify/", "verify/../verify/"),
                path.replace(NAMESPACE, "%73ellers"),
                path + "?token=" + "0" * 64,
                path + "?" + query + "&" + query,
                "/healthz",
                "/metrics",
                "/",
                "*",
                f"http://{ADDRESS}{path}",
                f"/verify/{NAMESPACE}/none",
                f"/verify/kube-system/{path.rsplit('/', 1)[-1]}",
            )
        )

    def _request_path(self, request):
        uri = request["uri"]
        request["uri"] = self._random.choice(
            (
                "/",
                "",
                "/health",
                uri + "/",
                uri + "?x=1",
                uri + "?",
                uri + "#a",
                uri + "/../../free/a",
                uri + "/%2e%2e/%2e%2e/free",
                uri.replace("/a", "/%61"),
                uri.replace("/a", "//a"),
                uri.replace("/a", "/./a"),
                uri.replace("/a", "\\a"),
                uri.replace("/a", "%2fa"),
                uri.replace("/a", "/%c0%ae"),
                uri.replace("/a", "/\xe9"),
                uri.replace("/a", "/%00"),
                uri.replace("/a", ";x=1/a"),
                uri.upper(),
                "/services",
                "http://gate.test" + uri,
                uri + "a" * self._random.randrange(3_000),
                uri + "?" + "q" * self._random.randrange(30_000),
            )
        )

    def _request_method(self, request):
        request["method"] = self._random.choice(METHODS)

    def _request_host(self, request):
        request["host"] = self._random.choice(HOSTS)

    def _request_scheme(self, request):
        request["scheme"] = self._random.choice(SCHEMES)

    def _request_forged(self, request):
        request["more"] = request["more"] + self._random.sample(FORGED, self._random.randrange(1, 4))

    def _request_header_name(self, request):
        if not request["payments"]:
            return
        name, value = request["payments"][0]
        other = "X-Payment" if name == "Payment-Signature" else "Payment-Signature"
        request["payments"] = self._random.choice(
            (
                [(other, value)],
                [(name, value), (other, value)],
                [(name, value), (name, value)],
                [(name.upper(), value)],
                [(name.replace("-", "_"), value)],
                [("X-Payment-Signature", value)],
                [(name, value), (name, "")],
                [(name + " ", value)],
                [],
            )
        )
