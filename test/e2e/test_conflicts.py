"""Offers that are in each other's way, on the real API server and Traefik: who has the path, and who gets it next."""

import json
import time

import pytest
from audit import AuditTail
from cluster import conditions_of, wait_until
from stack import NAMESPACE, offer
from test_main_job import children, remove, wait_sold


def placed(name, path, hostname="", price="0.001", namespace=NAMESPACE):
    """An offer at a path of its own choice."""
    made = offer(name, price, namespace=namespace)
    made["spec"]["path"] = path
    if hostname:
        made["spec"]["hostname"] = hostname
    return made


def apply_in_order(stack, *offers):
    """One after the other, each of a second of its own."""
    for each in offers:
        stack.cluster.apply(each)
        time.sleep(1.1)


def wait_conflict(stack, loser, winner, timeout=10):
    def said():
        _, reason, message = stack.conditions(loser).get("Ready", ("", "", ""))
        return reason == "PathConflict" and f"earlier offer {NAMESPACE}/{winner}," in message

    wait_until(said, timeout, f"{loser} names {winner}")


def price_of(stack, path):
    answer = stack.get(path)
    return answer.status == 402 and json.loads(answer.body)["accepts"][0]["maxAmountRequired"]


def routes_to(stack, path):
    """The names of the HTTPRoutes with that path."""
    found = stack.cluster.get("httproute", ns=NAMESPACE)["items"]
    return [
        route["metadata"]["name"]
        for route in found
        if any(match["path"]["value"] == path for rule in route["spec"]["rules"] for match in rule["matches"])
    ]


@pytest.mark.parametrize(
    "older, younger",
    [
        ("/contested/same", "/contested/same"),
        ("/contested/wide", "/contested/wide/deep"),
        ("/contested/far/down/below", "/contested/far"),
        ("/contested/case", "/Contested/CASE"),
    ],
    ids=["same", "below", "above", "case"],
)
def test_the_older_offer_keeps_the_path_and_the_younger_takes_over(stack, older, younger):
    apply_in_order(stack, placed("first", older, price="0.001"), placed("second", younger, price="0.002"))
    try:
        wait_sold(stack, "first", older)
        wait_conflict(stack, "second", "first")
        assert stack.conditions("second")["RoutePublished"][:2] == ("False", "PathConflict")
        assert children(stack, "second") == ["serviceoffer.obol.org/second"]
        assert price_of(stack, older) == "1000"
        # An edit of the loser changes nothing: its age counts.
        stack.cluster.apply(placed("second", younger, price="0.003"))
        wait_conflict(stack, "second", "first")
        remove(stack, "first")
        wait_sold(stack, "second", younger)
        assert price_of(stack, younger) == "3000"
        # What was first comes back as the youngest.
        stack.cluster.apply(placed("first", older))
        wait_conflict(stack, "first", "second")
        assert price_of(stack, younger) == "3000"
    finally:
        remove(stack, "first", "second")


def test_slashes_that_make_a_variant_sell_nothing(stack):
    for path in ("contested/slash", "/contested/%73lash"):
        with pytest.raises(Exception, match="spec.path"):
            stack.cluster.apply(placed("variant", path))
    # These the predecessor takes.
    try:
        for path in ("/contested/slash/", "/contested//slash"):
            stack.cluster.apply(placed("variant", path))

            def said():
                status, reason, message = stack.conditions("variant").get("Ready", ("", "", ""))
                return status == "False" and reason == "InvalidSpec" and "spec.path" in message and f'"{path}"' in message

            wait_until(said, 10, f"{path} is withheld")
    finally:
        remove(stack, "variant")


def test_hosts_are_told_apart(stack):
    apply_in_order(
        stack,
        placed("one", "/contested/hosted", "one.example.com"),
        placed("two", "/contested/hosted", "two.example.com"),
        placed("every", "/contested/hosted"),
        placed("late", "/contested/hosted/below", "one.example.com"),
    )
    try:
        for name in ("one", "two"):
            stack.wait_condition(name, "Ready")
        wait_sold(stack, "every", "/contested/hosted")
        wait_conflict(stack, "late", "one")
        remove(stack, "one")
        stack.wait_condition("late", "Ready")
    finally:
        remove(stack, "one", "two", "every", "late")


def test_a_path_is_free_for_the_next_one_once_its_offer_has_moved_or_drained(stack):
    apply_in_order(stack, placed("mover", "/contested/moved"), placed("waiting", "/contested/moved", price="0.002"))
    try:
        wait_sold(stack, "mover", "/contested/moved")
        wait_conflict(stack, "waiting", "mover")
        stack.cluster.apply(placed("mover", "/contested/elsewhere"))
        wait_sold(stack, "waiting", "/contested/moved")
        wait_until(lambda: price_of(stack, "/contested/moved") == "2000", 10, "the waiting offer is the one sold")
        # Whoever is older takes no path from who has it.
        stack.cluster.apply(placed("mover", "/contested/moved"))
        wait_conflict(stack, "mover", "waiting")
        assert price_of(stack, "/contested/moved") == "2000"
        assert stack.conditions("waiting")["Ready"][0] == "True"
        drained = placed("waiting", "/contested/moved", price="0.002")
        drained["spec"] |= {"drainAt": "2020-01-01T00:00:00Z", "drainGracePeriod": "0s"}
        stack.cluster.apply(drained)
        stack.wait_condition("mover", "Ready")
        wait_until(lambda: price_of(stack, "/contested/moved") == "1000", 10, "the next one is sold")
        assert stack.conditions("waiting")["Ready"][1] == "Drained"
    finally:
        remove(stack, "mover", "waiting")


def with_a_mistake(made):
    """It is withheld for a reason that its seller mends."""
    made["spec"]["payment"]["maxTimeoutSeconds"] = 1
    return made


def test_a_mistake_costs_nobody_his_path(stack):
    apply_in_order(stack, placed("owner", "/contested/mistake"), placed("lurker", "/contested/mistake", price="0.002"))
    try:
        wait_sold(stack, "owner", "/contested/mistake")
        wait_conflict(stack, "lurker", "owner")
        stack.cluster.apply(with_a_mistake(placed("owner", "/contested/mistake")))
        wait_sold(stack, "lurker", "/contested/mistake")
        stack.cluster.apply(placed("owner", "/contested/mistake"))
        wait_conflict(stack, "lurker", "owner")
        wait_until(lambda: price_of(stack, "/contested/mistake") == "1000", 10, "its owner has it back")
    finally:
        remove(stack, "owner", "lurker")


def test_an_offer_that_waited_withheld_for_a_path_does_not_get_it_from_who_is_there(stack):
    apply_in_order(stack, with_a_mistake(placed("squatter", "/contested/squat", price="0.002")))
    try:
        wait_until(lambda: stack.conditions("squatter").get("Ready", ("",))[0] == "False", 10, "it is withheld")
        stack.cluster.apply(placed("honest", "/contested/squat"))
        wait_sold(stack, "honest", "/contested/squat")
        stack.cluster.apply(placed("squatter", "/contested/squat", price="0.002"))
        wait_conflict(stack, "squatter", "honest")
        assert price_of(stack, "/contested/squat") == "1000"
        assert stack.conditions("honest")["Ready"][0] == "True"
    finally:
        remove(stack, "squatter", "honest")


def test_fifty_offers_of_one_moment_settle_on_one_which_stays_until_it_goes(stack):
    path = "/contested/fifty"
    names = [f"rush-{i:02}" for i in range(50)]
    stack.cluster.apply([placed(name, path) for name in reversed(names)])
    try:

        def everyone():
            listed = stack.cluster.get("serviceoffer", ns=NAMESPACE)["items"]
            return {each["metadata"]["name"]: each for each in listed if each["metadata"]["name"] in names}

        def oldest():
            return min(everyone().values(), key=lambda each: (each["metadata"]["creationTimestamp"], each["metadata"]["name"]))

        def ready(each):
            found = conditions_of(each).get("Ready", {})
            return found.get("reason", ""), found.get("message", "")

        # Of one that keeps so many from their path, the name is not told.
        def names_winner(message):
            return f"earlier offer {NAMESPACE}/{winner}," in message or "earlier offer of this namespace," in message

        def settled():
            said = {name: ready(each) for name, each in everyone().items()}
            return said.pop(winner)[0] == "Ready" and all(
                reason == "PathConflict" and names_winner(message)
                for reason, message in said.values()
            )

        def first_there():
            return [name for name, each in everyone().items() if ready(each)[0] == "Ready"]

        # Whichever could be sold first.
        wait_until(lambda: len(first_there()) == 1, 60, "one has the path")
        (winner,) = first_there()
        wait_until(settled, 60, f"{winner} has the path")
        assert routes_to(stack, path) == [f"so-{winner}"]
        uid = stack.cluster.get("httproute", f"so-{winner}", NAMESPACE)["metadata"]["uid"]
        stack.cluster.processes["controller"].kill()
        stack.start_role("controller")
        stack.wait_ready("controller")
        time.sleep(3)
        assert settled()
        assert stack.cluster.get("httproute", f"so-{winner}", NAMESPACE)["metadata"]["uid"] == uid
        assert routes_to(stack, path) == [f"so-{winner}"]
        tail = AuditTail(stack.cluster)
        remove(stack, winner)
        names.remove(winner)
        winner = oldest()["metadata"]["name"]
        wait_until(settled, 60, f"{winner} has the path")
        assert routes_to(stack, path) == [f"so-{winner}"]
        # Who waits for it is told nothing new, and costs no write.
        time.sleep(1)
        written = {each.name for each in tail.writes("portitor-controller", kind="serviceoffers/status")}
        assert written & set(names) == {winner}
    finally:
        remove(stack, *names)


def test_an_offer_made_again_at_once_under_its_name_is_sold_again(stack):
    def uids():
        kinds = {"middleware": "x402-again", "httproute": "so-again", "paymentroute": "again-payment"}
        return {kind: stack.cluster.get(kind, name, NAMESPACE)["metadata"]["uid"] for kind, name in kinds.items()}

    stack.cluster.apply(offer("again", "0.001"))
    try:
        wait_sold(stack, "again")
        old = uids()
        old_offer = stack.cluster.get("serviceoffer", "again", NAMESPACE)["metadata"]["uid"]
        for price in ("0.002", "0.003"):
            stack.cluster.delete("serviceoffer", "again", ns=NAMESPACE)
            stack.cluster.apply(offer("again", price))
        made = stack.cluster.get("serviceoffer", "again", NAMESPACE)["metadata"]["uid"]
        assert made != old_offer
        wait_sold(stack, "again")
        wait_until(lambda: price_of(stack, "/services/again") == "3000", 10, "the new terms are asked")
        for kind, uid in uids().items():
            assert uid != old[kind]
        for kind, name in {"middleware": "x402-again", "httproute": "so-again", "paymentroute": "again-payment"}.items():
            owners = stack.cluster.get(kind, name, NAMESPACE)["metadata"]["ownerReferences"]
            assert [owner["uid"] for owner in owners] == [made]
    finally:
        remove(stack, "again")
    wait_until(lambda: children(stack, "again") == [], 10, "nothing is left")


GATEWAY_GROUP = "gateway.networking.k8s.io"


def by_hand(name, path, service="hello", namespace=NAMESPACE, backend_namespace=None, filters=()):
    """An HTTPRoute that somebody wrote, without payment."""
    backend = {"name": service, "port": 9000}
    if backend_namespace:
        backend["namespace"] = backend_namespace
    return {
        "apiVersion": f"{GATEWAY_GROUP}/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "parentRefs": [{"name": "traefik-gateway", "namespace": "traefik"}],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": path}}],
                    "backendRefs": [backend],
                    "filters": list(filters),
                }
            ],
        },
    }


def grant(name, namespace, to_namespace, service=None):
    """Lets HTTPRoutes of `namespace` lead to Services of `to_namespace`."""
    to = {"group": "", "kind": "Service"} | ({"name": service} if service else {})
    return {
        "apiVersion": f"{GATEWAY_GROUP}/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"name": name, "namespace": to_namespace},
        "spec": {"from": [{"group": GATEWAY_GROUP, "kind": "HTTPRoute", "namespace": namespace}], "to": [to]},
    }


def delete(stack, kind, name, namespace=NAMESPACE):
    stack.cluster.delete(kind, name, ns=namespace, missing_ok=True, timeout=30)


def test_a_wider_route_without_payment_withholds_the_offer_until_it_is_gone(stack):
    stack.cluster.apply(placed("guarded", "/guarded/in/here"))
    try:
        wait_sold(stack, "guarded", "/guarded/in/here")
        # What leads elsewhere, or to the same Service by another path, is nobody's business.
        stack.cluster.service(NAMESPACE, "other", 9000)
        stack.cluster.apply([by_hand("beside", "/demo"), by_hand("another", "/guarded", service="other")])
        time.sleep(1)
        assert stack.conditions("guarded")["Ready"][0] == "True"

        stack.cluster.apply(by_hand("wide", "/guarded"))
        stack.wait_condition("guarded", "RoutePublished", "False")
        _, reason, message = stack.conditions("guarded")["RoutePublished"]
        assert reason == "UnpaidRoute"
        assert f"HTTPRoute {NAMESPACE}/wide, spec.rules[0] (PathPrefix /guarded)" in message
        wait_until(lambda: children(stack, "guarded") == ["serviceoffer.obol.org/guarded"], 10, "it is withheld")
        # An offer that is new while the route is there is not published either.
        stack.cluster.apply(placed("late", "/guarded/late"))
        stack.wait_condition("late", "RoutePublished", "False")
        assert stack.conditions("late")["RoutePublished"][1] == "UnpaidRoute"
        assert routes_to(stack, "/guarded/late") == []

        delete(stack, "httproute", "wide")
        wait_sold(stack, "guarded", "/guarded/in/here")
        wait_sold(stack, "late", "/guarded/late")
    finally:
        for name in ("wide", "beside", "another"):
            delete(stack, "httproute", name)
        remove(stack, "guarded", "late")


def test_a_route_by_hand_that_asks_the_verifier_is_no_way_around(stack):
    stack.cluster.apply(placed("asked", "/asked/for"))
    try:
        wait_sold(stack, "asked", "/asked/for")
        gate = {"group": "traefik.io", "kind": "Middleware", "name": "x402-asked"}
        stack.cluster.apply(by_hand("asking", "/asked", filters=[{"type": "ExtensionRef", "extensionRef": gate}]))
        time.sleep(1)
        assert stack.conditions("asked")["Ready"][0] == "True"
        # The same route without it.
        stack.cluster.apply(by_hand("asking", "/asked"))
        stack.wait_condition("asked", "RoutePublished", "False")
        assert stack.conditions("asked")["RoutePublished"][1] == "UnpaidRoute"
        # And, while the offer's own Middleware is gone, with it again.
        stack.cluster.apply(by_hand("asking", "/asked", filters=[{"type": "ExtensionRef", "extensionRef": gate}]))
        wait_sold(stack, "asked", "/asked/for")
    finally:
        delete(stack, "httproute", "asking")
        remove(stack, "asked")


def test_a_service_of_another_namespace_is_sold_only_while_that_one_allows_it(stack):
    stack.cluster.service("backends", "lent", 9000)
    lent = offer("lent", service="lent")
    lent["spec"]["upstream"]["namespace"] = "backends"
    stack.cluster.apply(lent)
    try:
        stack.wait_condition("lent", "UpstreamHealthy", "False")
        _, reason, message = stack.conditions("lent")["UpstreamHealthy"]
        assert reason == "CrossNamespaceUpstream" and "ReferenceGrant made in backends" in message
        stack.cluster.apply(grant("not-this-one", NAMESPACE, "backends", service="kept"))
        time.sleep(1)
        assert children(stack, "lent") == ["serviceoffer.obol.org/lent"]

        stack.cluster.apply(grant("this-one", NAMESPACE, "backends", service="lent"))
        wait_sold(stack, "lent")
        bought = stack.buy(2, "/services/lent/page")
        assert bought["status"] == 200 and json.loads(bought["body"])["path"] == "/page"

        delete(stack, "referencegrant", "this-one", "backends")
        wait_until(lambda: children(stack, "lent") == ["serviceoffer.obol.org/lent"], 10, "it is taken down")
        wait_until(lambda: stack.get("/services/lent").status == 404, 10, "the path answers 404")
        assert stack.conditions("lent")["Ready"][1] == "CrossNamespaceUpstream"
    finally:
        remove(stack, "lent")
        delete(stack, "referencegrant", "not-this-one", "backends")


def test_nobody_takes_down_what_another_namespace_sells(stack):
    """A route of another namespace leads to the Service only with that namespace's word."""
    stack.cluster.service("strangers", "theirs", 9000)
    stack.cluster.apply(placed("aimed-at", "/aimed/at"))
    try:
        wait_sold(stack, "aimed-at", "/aimed/at")
        stack.cluster.apply(by_hand("hostile", "/aimed", namespace="strangers", backend_namespace=NAMESPACE))
        time.sleep(2)
        assert stack.conditions("aimed-at")["Ready"][0] == "True"
        assert stack.get("/aimed/at/x").status == 402
        stack.cluster.apply(grant("to-strangers", "strangers", NAMESPACE))
        stack.wait_condition("aimed-at", "RoutePublished", "False")
        assert stack.conditions("aimed-at")["RoutePublished"][1] == "UnpaidRoute"
        delete(stack, "referencegrant", "to-strangers")
        wait_sold(stack, "aimed-at", "/aimed/at")
    finally:
        delete(stack, "httproute", "hostile", "strangers")
        delete(stack, "referencegrant", "to-strangers")
        remove(stack, "aimed-at")
