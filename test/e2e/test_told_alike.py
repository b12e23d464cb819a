"""Why an offer is not sold is told alike by the commands that people ask: sell, once, explain and doctor."""

import json
import time

import pytest
import x402
from cluster import wait_until
from stack import GATEWAY, SCRIPTED_PORT, UPSTREAM_PORT, offer
from test_main_job import wait_sold
from test_offer_selector import SELECTOR, labelled, restart_controller

NAMESPACE = "told"
APP = "app.test"
SPECS = {
    "mistyped": ("WrongChecksum", {"payTo": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAEd"}),
    "hurried": ("TimeoutTooShort", {"maxTimeoutSeconds": 5}),
    "unserved": ("NetworkNotServed", {"facilitator": "scripted"}),
    "hosted": ("HostNotAllowed", {}),
    "outside": ("ExternalNameUpstream", {}),
    "jobs": ("NotSold", {}),
}
# They count, whatever keeps them from being sold; one that is not selected does not.
LIMIT = f"--offers-per-namespace={len(SPECS)}"
REASONS = {name: reason for name, (reason, _) in SPECS.items()} | {"seventh": "TooManyOffers"}


def made(name, **payment):
    return labelled(offer(name, namespace=NAMESPACE, **payment))


def reason_of(stack, name):
    return stack.conditions(name, NAMESPACE).get("Ready", ("", "", ""))[1]


def holders(stack, name):
    return stack.cluster.get("serviceoffer", name, NAMESPACE)["metadata"].get("finalizers")


@pytest.fixture(scope="module")
def unsold(stack, scripted):
    stack.cluster.http("GET", f"http://127.0.0.1:{SCRIPTED_PORT}/script?supported=elsewhere")
    stack.cluster.service(NAMESPACE, "hello", UPSTREAM_PORT)
    away = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "away", "namespace": NAMESPACE}}
    stack.cluster.apply(away | {"spec": {"type": "ExternalName", "externalName": f"hello.{NAMESPACE}.svc"}})
    restart_controller(stack, f"--offer-selector={SELECTOR}", LIMIT)
    stack.cluster.apply(made("dropped"))
    stack.wait_condition("dropped", "Ready", namespace=NAMESPACE)
    stack.cluster.patch("serviceoffer", "dropped", {"metadata": {"labels": {"sell": None}}}, NAMESPACE)
    wait_until(lambda: not holders(stack, "dropped"), 20, "what has lost its label is let go")
    offers = {name: made(name, **payment) for name, (_, payment) in SPECS.items()}
    offers["hosted"]["spec"]["hostname"] = APP
    offers["outside"]["spec"]["upstream"]["service"] = "away"
    offers["jobs"]["spec"]["async"] = {"enabled": True}
    stack.cluster.apply(list(offers.values()))
    time.sleep(1.1)
    stack.cluster.apply(made("seventh"))
    for name, reason in (REASONS | {"dropped": "NotSelected"}).items():
        wait_until(lambda name=name, reason=reason: reason_of(stack, name) == reason, 30, f"{name} is {reason}")
    yield stack
    stack.cluster.http("GET", f"http://127.0.0.1:{SCRIPTED_PORT}/script?")
    restart_controller(stack)
    stack.remove_offers(NAMESPACE)


def unbroken(text):
    """Lines are broken at spaces."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", REASONS)
def test_each_of_them_says_why_and_what_to_do(unsold, name):
    reason = REASONS[name]
    message = unbroken(unsold.conditions(name, NAMESPACE)["Ready"][2].partition(": ")[2])
    status = unsold.portitor("sell", "status", name, "-n", NAMESPACE)
    assert status.returncode == 1
    assert f"({reason}): " in unbroken(status.stdout.partition("What to do:")[2]), status.stdout
    hints = json.loads(unsold.portitor("sell", "status", name, "-n", NAMESPACE, "-o", "json").stdout)["hints"]
    assert any(each["reason"] == reason and each["do"] for each in hints), hints

    once = unsold.portitor("once", f"{NAMESPACE}/{name}", "-o", "json", f"--offer-selector={SELECTOR}", LIMIT)
    (told,) = json.loads(once.stdout)["offers"]
    said = {each["type"]: (each["reason"], each["message"]) for each in told["conditions"]}
    assert said["Ready"][0] == reason and message in unbroken(said["Ready"][1]), told["conditions"]
    assert told["blocked"]["reason"] == reason

    url = f"http://{APP}:8000/services/{name}" if name == "hosted" else f"{GATEWAY}/services/{name}"
    explained = json.loads(unsold.portitor("explain", url, "-o", "json").stdout)[0]
    asks = f"the ServiceOffer {NAMESPACE}/{name} asks for this place, and is not sold ({reason}): "
    (remark,) = [each for each in explained["remarks"] if each.startswith(asks)]
    assert message in unbroken(remark)

    done = unsold.portitor("doctor", "--only=offers", "-n", NAMESPACE, "-o", "json", f"--offer-selector={SELECTOR}")
    (found,) = [each for each in json.loads(done.stdout)["findings"] if each["check"].endswith(f" {reason}")]
    assert f"{NAMESPACE}/{name}" in found["words"] and message in unbroken(found["advice"])


def test_what_the_selector_leaves_out_is_told_as_that(unsold):
    status = unsold.portitor("sell", "status", "dropped", "-n", NAMESPACE).stdout
    assert "(NotSelected): Give the offer the labels" in unbroken(status)
    once = unsold.portitor("once", f"{NAMESPACE}/dropped", f"--offer-selector={SELECTOR}")
    assert once.returncode == 1 and f"offer-selector leaves it out: {SELECTOR}" in once.stderr
    explained = json.loads(unsold.portitor("explain", f"{GATEWAY}/services/dropped", "-o", "json").stdout)[0]
    assert any("is not sold (NotSelected): " in each for each in explained["remarks"]), explained
    # It is none of the installation's offers, and says nothing against it.
    done = unsold.portitor("doctor", "--only=offers", "-n", NAMESPACE, "-o", "json", f"--offer-selector={SELECTOR}")
    (found,) = [each for each in json.loads(done.stdout)["findings"] if "dropped" in each["words"]]
    assert (found["check"], found["verdict"]) == ("offer-selector", "info")
    selling = ["sell", "http", "fresh", "-n", NAMESPACE, "--upstream=hello", f"--port={UPSTREAM_PORT}", "--price=0.001"]
    selling += [f"--pay-to={x402.SELLER}", "--dry-run"]
    said = unsold.portitor(*selling, f"--offer-selector={SELECTOR}")
    assert f"the operator's offer-selector ({SELECTOR}) leaves it out" in unbroken(said.stdout + said.stderr)


def test_the_next_one_takes_the_place_of_one_that_goes(unsold):
    """Last: the limit has one place left then."""
    unsold.cluster.delete("serviceoffer", "jobs", ns=NAMESPACE)
    unsold.wait_condition("seventh", "Ready", namespace=NAMESPACE)
    wait_sold(unsold, "seventh", namespace=NAMESPACE)
