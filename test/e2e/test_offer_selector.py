"""What the operator's selector leaves out is not Portitor's: it is let alone or, where it was, taken down and let go."""

import time

import pytest
from cluster import wait_until
from stack import NAMESPACE, offer
from test_conflicts import apply_in_order, placed, price_of, wait_conflict
from test_main_job import children, remove, wait_sold

SELECTOR = "sell=yes"


def labelled(made):
    made["metadata"]["labels"] = {"sell": "yes"}
    return made


def restart_controller(stack, *flags):
    assert stack.cluster.processes["controller"].stop(timeout=40) == 0
    stack.start_role("controller", *flags)
    stack.wait_ready("controller")


@pytest.fixture
def selecting(stack):
    """The operator asks for a label, for a while."""
    restart_controller(stack, f"--offer-selector={SELECTOR}")
    yield
    restart_controller(stack)


def finalizers(stack, name):
    return stack.cluster.get("serviceoffer", name, NAMESPACE)["metadata"].get("finalizers", [])


def test_an_offer_that_loses_its_label_is_taken_down_and_its_path_is_free(stack, selecting):
    older = labelled(placed("labelled", "/selected/one", price="0.001"))
    younger = labelled(placed("waiting", "/selected/one", price="0.002"))
    apply_in_order(stack, older, younger, placed("unlabelled", "/selected/two"))
    try:
        wait_sold(stack, "labelled", "/selected/one")
        wait_conflict(stack, "waiting", "labelled")
        stack.cluster.patch("serviceoffer", "labelled", {"metadata": {"labels": {"sell": None}}}, NAMESPACE)
        wait_sold(stack, "waiting", "/selected/one")
        wait_until(lambda: price_of(stack, "/selected/one") == "2000", 10, "the younger offer is the one sold")
        wait_until(lambda: finalizers(stack, "labelled") == [], 10, "the older one is let go")
        assert children(stack, "labelled") == ["serviceoffer.obol.org/labelled"]
        assert stack.conditions("labelled")["Ready"][:2] == ("False", "NotSelected")
        # It is deleted as any object is that nobody holds.
        stack.cluster.delete("serviceoffer", "labelled", ns=NAMESPACE, timeout=5)
        assert price_of(stack, "/selected/one") == "2000"
        # What never had the label was never looked at.
        untouched = stack.cluster.get("serviceoffer", "unlabelled", NAMESPACE)
        assert "status" not in untouched and "finalizers" not in untouched["metadata"]
        said = stack.portitor("sell", "status", "unlabelled", "-n", NAMESPACE, f"--offer-selector={SELECTOR}")
        assert "offer-selector (sell=yes) leaves it out" in said.stdout and said.returncode == 1
    finally:
        remove(stack, "labelled", "waiting", "unlabelled")


def test_a_selector_that_is_turned_on_takes_down_what_it_leaves_out(stack):
    # Limits are two Middlewares more, and so more words on the way.
    before = offer("before")
    before["spec"]["limits"] = {"maxInFlight": 100, "rps": 100}
    stack.cluster.apply(before)
    stack.cluster.apply(labelled(offer("kept")))
    try:
        wait_sold(stack, "before")
        wait_sold(stack, "kept")
        kept = stack.cluster.get("httproute", "so-kept", NAMESPACE)["metadata"]["uid"]
        restart_controller(stack, f"--offer-selector={SELECTOR}")
        wait_until(lambda: finalizers(stack, "before") == [], 20, "what has no label is let go")
        assert children(stack, "before") == ["serviceoffer.obol.org/before"]
        told = "so it is taken down; give it back the labels"
        wait_until(lambda: told in stack.conditions("before")["Ready"][2], 10, "its last words are true")
        assert stack.get("/services/kept").status == 402
        # With its label it is sold again.
        stack.cluster.patch("serviceoffer", "before", {"metadata": {"labels": {"sell": "yes"}}}, NAMESPACE)
        wait_sold(stack, "before")
        time.sleep(0.5)
        assert stack.cluster.get("httproute", "so-kept", NAMESPACE)["metadata"]["uid"] == kept
    finally:
        restart_controller(stack)
        remove(stack, "before", "kept")
