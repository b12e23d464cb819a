"""The chart's admission policies on a working system: the roles are held up by none of them, others are."""

import pytest
from cluster import ApiError, chart, tools, wait_until
from stack import NAMESPACE, offer

KIND = "ValidatingAdmissionPolicy"


@pytest.fixture
def guarded(stack):
    """With the policies in force; other tests write what these refuse."""
    made = [each for each in chart.objects(tools.program("helm")) if each["kind"].startswith(KIND)]
    stack.cluster.apply(made)
    yield stack
    for each in made:
        stack.cluster.delete(each["kind"], each["metadata"]["name"])


def test_an_offer_lives_and_dies_under_the_policies(guarded):
    name = "guarded"
    guarded.cluster.apply(offer(name, registration=True))

    def refused():
        try:
            guarded.cluster.patch("paymentroute", f"{name}-payment", {"spec": {"price": "1"}}, NAMESPACE)
        except ApiError as error:
            return "only Portitor's controller writes this spec" in error.message
        return False

    wait_until(refused, 20, "the policies are in force")
    # Everything anew, from the first write to the last.
    guarded.cluster.delete("serviceoffer", name, ns=NAMESPACE)
    guarded.cluster.apply(offer(name, registration=True))
    guarded.wait_condition(name, "Ready")
    guarded.wait_condition(name, "Registered")
    # What proved the gate may have been Traefik's configuration of before: it reads anew every two seconds.
    wait_until(lambda: guarded.get(f"/services/{name}").status == 402, 10, "it answers 402")
    guarded.cluster.apply(offer(name, price="0.002", registration=True))
    wait_until(
        lambda: guarded.cluster.get("paymentroute", f"{name}-payment", NAMESPACE)["spec"]["price"] == "2000",
        10,
        "the controller has changed the price",
    )
    guarded.cluster.delete("serviceoffer", name, ns=NAMESPACE)
    for kind, child in (("paymentroute", f"{name}-payment"), ("registrationrequest", f"{name}-registration")):
        assert guarded.cluster.get(kind, child, NAMESPACE) is None
