"""What the gates are given: routes for the API server's look-alike and for the baselines, and requests.

The PaymentRoutes are those of ../kube/data.py, of one token and one facilitator, without a public URL, so that a
resource's URL is made of what the gateway says, and without rules.
"""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "kube"))

import data  # noqa: E402

NETWORK, V1_NETWORK = "eip155:84532", "base-sepolia"
ASSET, ASSET_NAME, ASSET_VERSION = "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC", "2"
SEED = 402
REQUESTS = 2000

# As Traefik asks; the payments' requests of payments.cpp look the same.
_REQUEST = """\
GET /verify/{key} HTTP/1.1
Host: portitor-verifier
User-Agent: Go-http-client/1.1
X-Forwarded-For: 203.0.113.7
X-Forwarded-Host: api.example.com
X-Forwarded-Method: GET
X-Forwarded-Port: 443
X-Forwarded-Proto: https
X-Forwarded-Uri: {prefix}/v1/answers/{number}?language=en
Accept-Encoding: gzip

"""


class Data:
    """Files for so many routes in a folder, written when made."""

    def __init__(self, folder, count, facilitator):
        self.count = count
        self.routes = folder / f"routes-{count}.jsonl"
        self.table = folder / f"routes-{count}.tsv"
        self.requests = folder / f"requests-{count}.txt"
        self.facilitator = facilitator
        routes = [_route(number, facilitator) for number in range(count)]
        routes.sort(key=lambda each: (each["metadata"]["namespace"], each["metadata"]["name"]))
        with self.routes.open("wb") as file:
            file.writelines(data.encode(each) + b"\n" for each in routes)
        self.table.write_text("".join("\t".join(_row(each)) + "\n" for each in routes))
        rng = random.Random(SEED)
        chosen = [rng.choice(routes) for _ in range(REQUESTS)]
        self.requests.write_text("".join(_request(each, rng) for each in chosen), newline="\r\n")

    def some_requests(self, count):
        """The first ones of the file of requests, as bytes."""
        whole = self.requests.read_bytes().split(b"\r\n\r\n")[:count]
        return [each + b"\r\n\r\n" for each in whole]


def _route(number, facilitator):
    out = data.route(number)
    offer = out["metadata"]["name"]
    out["metadata"]["name"] = f"{offer}-payment"
    spec = out["spec"]
    for unused in ("publicURL", "credential", "rules"):
        del spec[unused]
    spec |= {"network": NETWORK, "asset": ASSET, "facilitatorURL": facilitator, "settlement": "beforeResponse"}
    return out


def _row(route):
    """As routes.hpp and go/route.go read it."""
    spec = route["spec"]
    return [
        _key(route),
        _prefix(route),
        spec["price"],
        NETWORK,
        V1_NETWORK,
        ASSET,
        ASSET_NAME,
        ASSET_VERSION,
        spec["payTo"],
        spec["description"],
        str(spec["maxTimeoutSeconds"]),
        spec["facilitatorURL"],
    ]


def _request(route, rng):
    return _REQUEST.format(key=_key(route), prefix=_prefix(route), number=rng.randrange(10_000))


def _key(route):
    metadata = route["metadata"]
    return f"{metadata['namespace']}/{metadata['ownerReferences'][0]['name']}"


def _prefix(route):
    return route["spec"]["pattern"].removesuffix("/*")
