"""What the predecessor has on a cluster: its CRDs, restated, and offers and a request as its programs write them."""

import copy
import json
from pathlib import Path

FOLDER = Path(__file__).with_name("predecessor")
FINALIZER = "monetize.obol.org/finalizer"
NAMESPACE = "sellers"


def crds():
    """Its CRDs, which belong to a Helm release of its own."""
    return [json.loads(path.read_text()) for path in sorted((FOLDER / "crds").glob("*.json"))]


def schema_of(crd):
    return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def offers(held=True):
    """Offers of every kind that it sells; its controller holds them."""
    out = [json.loads(path.read_text()) for path in sorted((FOLDER / "offers").glob("*.json"))]
    for each in out:
        if held:
            each["metadata"]["finalizers"] = [FINALIZER]
    return out


def offer_status():
    """As its controller writes it."""
    return {
        "agentId": "7",
        "agentResolution": {"endpoint": "http://a", "model": "m", "runtime": "hermes", "skills": ["s"]},
        "endpoint": "/services/x",
        "observedGeneration": 1,
        "registrationTxHash": "0x1",
        "conditions": [
            {"type": kind, "status": "True", "reason": "Reconciled", "lastTransitionTime": "2026-10-01T00:00:00Z"}
            for kind in ("UpstreamHealthy", "Ready")
        ],
    }


def request(name="so-hello-registration"):
    """A RegistrationRequest of its kind."""
    return {
        "apiVersion": "obol.org/v1alpha1",
        "kind": "RegistrationRequest",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"serviceOfferName": "hello", "serviceOfferNamespace": NAMESPACE, "desiredState": "Active", "chain": "base"},
    }


def request_status():
    return {
        "phase": "AwaitingExternalRegistration",
        "message": "m",
        "publishedUrl": "https://a.example",
        "agentId": "7",
        "registrationTxHash": "0x1",
        "registrationOwner": "0x2",
        "registrationUri": "https://a.example/x",
        "registrationSearchFromBlock": 12,
        "metadataSynced": True,
    }


def store(cluster):
    """Stores all of it, statuses too, and returns the objects by kind and name."""
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for what, status in [*((each, offer_status()) for each in offers()), (request(), request_status())]:
        cluster.api.create(what)
        cluster.api.patch(
            what["kind"], what["metadata"]["name"], {"status": status}, NAMESPACE, subresource="status"
        )
    return stored(cluster)


def stored(cluster):
    """All offers and requests there are, without what the API server keeps for itself."""
    out = {}
    for kind in ("serviceoffer", "registrationrequest"):
        for each in cluster.get(kind, ns=NAMESPACE)["items"]:
            out[kind, each["metadata"]["name"]] = bare(each)
    return out


def bare(what):
    out = copy.deepcopy(what)
    for field in ("managedFields", "resourceVersion"):
        out["metadata"].pop(field, None)
    return out


def lost(before, after, path=""):
    """The fields of `before` that `after` has not, or has otherwise."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [each for key, value in before.items() for each in lost(value, after.get(key), f"{path}.{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [each for i, pair in enumerate(zip(before, after)) for each in lost(*pair, f"{path}[{i}]")]
    return [] if before == after else [f"{path}: {before!r} -> {after!r}"]
