"""The chart's admission policies on a working system: the roles are held up by none of them, others are."""

import json

import pytest
import yaml
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


def wait_until_in_force(stack, name):
    def refused():
        try:
            stack.cluster.patch("paymentroute", f"{name}-payment", {"spec": {"price": "1"}}, NAMESPACE)
        except ApiError as error:
            return "only Portitor's controller writes this spec" in error.message
        return False

    wait_until(refused, 20, "the policies are in force")


def test_an_offer_lives_and_dies_under_the_policies(guarded):
    name = "guarded"
    guarded.cluster.apply(offer(name, registration=True))

    wait_until_in_force(guarded, name)
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


def test_once_says_briefly_what_the_policies_keep_from_it(guarded):
    """A dry run of a PaymentRoute is the controller's alone; who looks gets the same plan without it."""
    names = ["looked-at", "looked-at-too"]
    for name in names:
        guarded.cluster.apply(offer(name))
        guarded.wait_condition(name, "RoutePublished")
    wait_until_in_force(guarded, names[0])
    wait_until(
        lambda: guarded.cluster.get("paymentroute", f"{names[0]}-payment", NAMESPACE)["spec"]["price"] == "1000",
        10,
        "what was tried is put right",
    )
    dearer = yaml.safe_dump_all(offer(name, price="0.5") for name in names)
    config = f"--kubeconfig={guarded.cluster.kubeconfig}"
    done = guarded.portitor("once", config, "-o", "json", "-f", "-", stdin=dearer)
    assert (done.returncode, done.stderr) == (2, "")
    said = json.loads(done.stdout)
    assert said["lookedAt"]["notSeen"] == [
        "what the API server would say of PaymentRoutes: a policy of the cluster takes them from others alone (only "
        "Portitor's controller writes this spec; change the ServiceOffer); it is worked out here instead"
    ]
    for each in said["offers"]:
        terms = next(child for child in each["children"] if child["kind"] == "PaymentRoute")
        assert (terms["action"], terms["comparedBy"]) == ("change", "portitor") and not terms.get("refused")
        assert '+  price: "500000"' in terms["diff"]
    text = guarded.portitor("once", config, "-f", "-", stdin=dearer)
    assert text.stdout.count("policy") == 1 and "would refuse it" not in text.stdout
    for name in names:
        guarded.cluster.delete("serviceoffer", name, ns=NAMESPACE)
