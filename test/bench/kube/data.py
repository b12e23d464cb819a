#!/usr/bin/env python3
"""The benchmarks' data: PaymentRoutes as an API server sends them, the same ones for the same seed."""

import argparse
import hashlib
import json
import random
from pathlib import Path

API_VERSION = "obol.org/v1alpha1"
ROUTES = 10_000
EVENTS = 1_000
SEED = 402

_FIRST_VERSION = 1_000_000
_NAMES = ["atlas", "beacon", "cipher", "delta", "engine", "forge", "gateway", "harbor", "index", "journal", "kernel"]
_NETWORKS = ["eip155:8453", "eip155:84532", "eip155:1"]


def encode(value):
    """JSON as an API server writes it: sorted, without spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def route(number, version=None, generation=1, seed=SEED):
    """One PaymentRoute of 2.5 kB with all fields, as the controller and the verifier leave it."""
    rng = random.Random(f"{seed}/{number}")
    name = f"{rng.choice(_NAMES)}-{number:05d}"
    spec = _spec(name, rng)
    created = _time(rng)
    status = {
        "admitted": True,
        "lastAdmittedGeneration": generation,
        "conditions": [
            {
                "type": "Admitted",
                "status": "True",
                "reason": "Served",
                "message": "at least one verifier serves this generation",
                "observedGeneration": generation,
                "lastTransitionTime": created,
            }
        ],
    }
    metadata = {
        "name": name,
        "namespace": f"seller-{number % 100:02d}",
        "uid": _uid(rng),
        "resourceVersion": str(version or _FIRST_VERSION + number),
        "generation": generation,
        "creationTimestamp": created,
        "labels": {"app.kubernetes.io/managed-by": "portitor", "obol.org/serviceoffer": name},
        "annotations": {"obol.org/desired-hash": hashlib.sha256(encode(spec)).hexdigest()[:16]},
        "ownerReferences": [
            {
                "apiVersion": API_VERSION,
                "kind": "ServiceOffer",
                "name": name,
                "uid": _uid(rng),
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
    metadata["managedFields"] = _managed_fields(metadata, spec, created)
    return {"apiVersion": API_VERSION, "kind": "PaymentRoute", "metadata": metadata, "spec": spec, "status": status}


def event(kind, changed):
    """One line of a watch."""
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), encode(changed))


def write_routes(path, count=ROUTES, seed=SEED):
    """One PaymentRoute a line, in the order of a list: by namespace and name."""
    routes = [route(number, seed=seed) for number in range(count)]
    routes.sort(key=lambda each: (each["metadata"]["namespace"], each["metadata"]["name"]))
    Path(path).write_bytes(b"".join(encode(each) + b"\n" for each in routes))


def write_events(path, count=EVENTS, seed=SEED):
    """A watch of the first `count` routes, each of which changes once."""
    latest = _FIRST_VERSION + ROUTES
    lines = [event("MODIFIED", route(n, latest + 1 + n, generation=2, seed=seed)) for n in range(count)]
    Path(path).write_bytes(b"".join(lines))


def _spec(name, rng):
    price = rng.randrange(100, 1_000_000)
    return {
        "pattern": f"/services/{name}/*",
        "price": str(price),
        "asset": _address(rng),
        "payTo": _address(rng),
        "network": rng.choice(_NETWORKS),
        "facilitatorURL": "https://pay.example.com",
        "priceModel": "per-mtok",
        "perMTok": f"{price / 1000:.2f}",
        "approxTokensPerRequest": rng.randrange(500, 5000),
        "description": f"Answers of {name}",
        "maxTimeoutSeconds": rng.choice([60, 300]),
        "settlement": rng.choice(["beforeResponse", "afterResponse"]),
        "publicURL": f"https://shop.example.com/services/{name}",
        "credential": f"upstream-{rng.randrange(100)}",
        "suspended": False,
        "rules": [{"pattern": "/v1/*", "gate": "paid", "price": str(price * 2)}],
    }


def _managed_fields(metadata, spec, when):
    owner = encode({"uid": metadata["ownerReferences"][0]["uid"]}).decode()
    by_controller = {
        "f:metadata": {
            "f:annotations": {f"f:{name}": {} for name in metadata["annotations"]},
            "f:labels": {f"f:{name}": {} for name in metadata["labels"]},
            "f:ownerReferences": {f"k:{owner}": {}},
        },
        "f:spec": {f"f:{name}": {} for name in spec},
    }
    condition = ["lastTransitionTime", "message", "observedGeneration", "reason", "status", "type"]
    by_verifier = {
        "f:status": {
            "f:admitted": {},
            "f:conditions": {'k:{"type":"Admitted"}': {".": {}, **{f"f:{name}": {} for name in condition}}},
            "f:lastAdmittedGeneration": {},
        }
    }
    common = {"operation": "Apply", "apiVersion": API_VERSION, "time": when, "fieldsType": "FieldsV1"}
    return [
        {**common, "manager": "portitor-controller", "fieldsV1": by_controller},
        {**common, "manager": "portitor-verifier", "subresource": "status", "fieldsV1": by_verifier},
    ]


def _address(rng):
    return f"0x{rng.getrandbits(160):040x}"


def _uid(rng):
    digits = f"{rng.getrandbits(128):032x}"
    return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])


def _time(rng):
    month, day, hour = rng.randrange(1, 13), rng.randrange(1, 29), rng.randrange(24)
    return f"2026-{month:02d}-{day:02d}T{hour:02d}:00:{rng.randrange(60):02d}Z"


def main():
    """Writes routes.jsonl and events.jsonl into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--routes", type=int, default=ROUTES, help="how many (default: %(default)s)")
    parser.add_argument("--events", type=int, default=EVENTS, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    write_routes(arguments.folder / "routes.jsonl", arguments.routes, arguments.seed)
    write_events(arguments.folder / "events.jsonl", arguments.events, arguments.seed)


if __name__ == "__main__":
    main()
