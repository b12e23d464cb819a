"""What must be there of an offer, worked out from nothing but the offer, in another language than Portitor's."""

import decimal

import x402
from cluster import ClusterError, conditions_of, wait_until
from stack import FACILITATOR_PORT, GATEWAY

# What makes the route, in the order in which it is taken down, by the offer's name.
CHILDREN = {"httproutes": "so-{}", "middlewares": "x402-{}", "paymentroutes": "{}-payment"}
KINDS = ("paymentroutes", "httproutes", "middlewares", "registrationrequests")
_DECIMALS = 6
FINALIZER = "obol.org/portitor"


def atomic(price):
    """A price per request in the token's smallest units as text, or None where it cannot be expressed."""
    units = decimal.Decimal(price).scaleb(_DECIMALS)
    return str(int(units)) if units == int(units) else None


def expected(offers):
    """The names that must be there of each kind, with what matters of their specs."""
    out = {kind: {} for kind in KINDS}
    for offer in offers:
        name = offer["metadata"]["name"]
        if payment_route(offer) is None:
            continue
        out["paymentroutes"][f"{name}-payment"] = payment_route(offer)
        out["httproutes"][f"so-{name}"] = http_route(offer)
        out["middlewares"][f"x402-{name}"] = middleware(offer)
        if offer["spec"]["registration"]["enabled"]:
            out["registrationrequests"][f"{name}-registration"] = {"name": name, "desiredState": "Active"}
    return out


def payment_route(offer):
    """The spec of its PaymentRoute; None where it cannot be sold."""
    name, spec = offer["metadata"]["name"], offer["spec"]
    rules = [_rule(each, spec["payment"]["price"]["perRequest"]) for each in spec.get("routes", [])]
    prices = [atomic(spec["payment"]["price"]["perRequest"]), *(rule["price"] for rule in rules if "price" in rule)]
    if None in prices:
        return None
    return {
        "pattern": f"/services/{name}/*",
        "price": prices[0],
        "priceModel": "per-request",
        "asset": x402.USDC,
        "network": x402.NETWORK_V2,
        "payTo": spec["payment"]["payTo"],
        "facilitatorURL": f"http://127.0.0.1:{FACILITATOR_PORT}",
        "publicURL": f"{GATEWAY}/services/{name}",
        "suspended": False,
        "rules": rules,
    }


def http_route(offer):
    """Of its HTTPRoute what could be mixed up between offers."""
    name, upstream = offer["metadata"]["name"], offer["spec"]["upstream"]
    return {
        "rules[].matches[].path.value": [f"/services/{name}"],
        "rules[].filters[].extensionRef.name": [f"x402-{name}"],
        "rules[].backendRefs[].name": [upstream["service"]],
        "rules[].backendRefs[].port": [upstream["port"]],
    }


def middleware(offer):
    """Of its Middleware: whom it asks about what."""
    where = f"{offer['metadata']['namespace']}/{offer['metadata']['name']}"
    return {"forwardAuth.address": f"http://portitor-verifier.portitor.svc:8080/verify/{where}"}


def actual(client, ns, wanted):
    """The same of what is there: all objects of these kinds in the namespace, each with the fields that are wanted of
    it, or None where there is no object to compare with."""
    out = {}
    for kind in KINDS:
        out[kind] = {}
        for name, found in client.list(kind, ns).items():
            fields = wanted[kind].get(name, {})
            out[kind][name] = {field: _values(found["spec"], field) for field in fields}
            if "deletionTimestamp" in found["metadata"]:
                out[kind][name] |= {"deletionTimestamp": found["metadata"]["deletionTimestamp"]}
    return out


def differences(client, ns, offers):
    """What is not as it must be in the namespace, as text; [] when all are converged and nothing else is there."""
    live = client.list("serviceoffers", ns)
    names = {offer["metadata"]["name"]: offer for offer in offers}
    out = [f"serviceoffers {name}" for name in live.keys() ^ names.keys()]
    for name in live.keys() & names.keys():
        if told := _wrong_status(live[name], names[name]):
            out.append(f"{name} says {told}")
    wanted = expected(offers)
    there = actual(client, ns, wanted)
    for kind in KINDS:
        for name in wanted[kind].keys() | there[kind].keys():
            must, is_ = wanted[kind].get(name), there[kind].get(name)
            if must != is_:
                out.append(f"{kind} {name}: {is_} instead of {must}")
    return out


def assert_converges(client, ns, offers, what, timeout=60):
    """In time; tells what is wrong where it does not."""
    wrong = []

    def converged():
        wrong[:] = differences(client, ns, offers)
        return not wrong

    try:
        wait_until(converged, timeout, what, interval=0.5)
    except ClusterError as error:
        raise AssertionError(f"{error}: {wrong}") from None


def _rule(written, price):
    rule = {"pattern": written["path"], "gate": written.get("gate", "paid")}
    if rule["gate"] == "paid":
        rule["price"] = atomic(written.get("price", {"perRequest": price})["perRequest"])
        rule["priceModel"] = "per-request"
    return rule


def _wrong_status(live, offer):
    meta, status = live["metadata"], live.get("status", {})
    if "deletionTimestamp" in meta or meta.get("finalizers") != [FINALIZER]:
        return f"finalizers {meta.get('finalizers')}, deleted {meta.get('deletionTimestamp')}"
    conditions = conditions_of(live)
    if status.get("observedGeneration") != meta["generation"] or "Ready" not in conditions:
        return f"observedGeneration {status.get('observedGeneration')} of {meta['generation']}"
    ready = conditions["Ready"]
    sold = payment_route(offer) is not None
    said = (ready["status"], ready["reason"])
    if said != (("True", "Ready") if sold else ("False", "InvalidPrice")):
        return f"{said}: {ready['message']}"
    return None


def _values(spec, field):
    """`a.b` of an object, or `a[].b` of each element of a list that has it."""
    here = [spec]
    for part in field.split("."):
        name, is_list, _ = part.partition("[]")
        here = [each[name] for each in here if isinstance(each, dict) and name in each]
        if is_list:
            here = [element for each in here for element in each]
    return here if "[]" in field else (here[0] if here else None)
