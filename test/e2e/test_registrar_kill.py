"""The registrar is killed at random moments, again and again, alone and beside another one: of each offer comes exactly one
registration."""

import contextlib
import os
import time

import pytest
from cluster import wait_until
from on_chain import SHORT_LEASES
from reaper import SECOND, SECOND_PORT, Reaper, assert_one_each, quiet, wait_all_confirmed
from registry import CHAIN_ID
from stack import ADDRESS

NAMESPACE = "killed"
PORT = 8574
COUNT = 100 if os.environ.get("PORTITOR_LONG") else 20
SEED = int(os.environ.get("PORTITOR_SEED", "8004"))


@pytest.fixture
def operator(started):
    """With an account of its own for each test."""
    started.account = started.new_account()
    started.run(*SHORT_LEASES)
    yield started
    if not started.stack.cluster.processes["registrar"].running:
        started.start()
    started.stack.remove_offers(NAMESPACE)


def sell_all(operator, prefix):
    names = [f"{prefix}-{number}" for number in range(COUNT)]
    return {name: operator.sell(name) for name in names}


def is_up(operator, port):
    try:
        return operator.stack.cluster.http("GET", f"http://{ADDRESS}:{port}/readyz").status == 200
    except OSError:
        return False


@contextlib.contextmanager
def second_one(operator):
    """One more registrar, with the flags of the first."""
    operator.another(SECOND, SECOND_PORT)
    try:
        wait_until(lambda: is_up(operator, SECOND_PORT), 30, "the second one is there")
        yield
    finally:
        if operator.stack.cluster.processes[SECOND].running:
            operator.stack.cluster.processes[SECOND].stop(timeout=40)


def test_kills_make_no_second_registration(operator, capsys):
    began = time.monotonic()
    with Reaper(operator, SEED) as reaper:
        offers = sell_all(operator, "one")
        wait_all_confirmed(operator, offers, 60 + 3 * COUNT, f"all are registered, seed {SEED}")
    operator.stack.wait_ready("registrar")
    assert quiet(operator)
    assert_one_each(operator, offers, SEED)
    with capsys.disabled():
        print(f"\n  {COUNT} registrations, {reaper.kills} kills, {time.monotonic() - began:.0f} s, seed {SEED}")


def test_nor_do_kills_of_two_registrars(operator, capsys):
    began = time.monotonic()
    with second_one(operator):
        with Reaper(operator, SEED + 1, second=True) as reaper:
            offers = sell_all(operator, "two")
            wait_all_confirmed(operator, offers, 60 + 3 * COUNT, f"all are registered, seed {SEED + 1}")
        assert quiet(operator)
        assert_one_each(operator, offers, SEED + 1)
    with capsys.disabled():
        print(f"\n  {COUNT} registrations, {reaper.kills} kills, {time.monotonic() - began:.0f} s, seed {SEED + 1}")


def test_two_registrars_at_once_share_no_nonce(operator):
    """No kills: both see every request from its first moment, and one of them acts."""
    with second_one(operator):
        names = [f"both-{number}" for number in range(5)]
        for name in names:
            operator.sell(name)
        for name in names:
            operator.wait_phase(name)
        assert operator.chain.sent(operator.account.address) == len(names)
        # The one that leads ends, in order: the other one goes on without waiting for the lease to run out.
        assert operator.stack.cluster.processes["registrar"].stop(timeout=40) == 0
        operator.sell("inherited")
        operator.wait_phase("inherited", timeout=15)


def test_two_that_both_believe_to_lead_register_once_all_the_same(operator, capsys):
    """By accident, without an election: the record in each request's status decides, and whoever loses a nonce goes on."""
    operator.run("--leader-elect=false", "--min-interval=1s")
    with second_one(operator):
        offers = {f"torn-{number}": operator.sell(f"torn-{number}") for number in range(COUNT // 2)}
        wait_all_confirmed(operator, offers, 90, "all are registered")
        assert quiet(operator)
    assert_one_each(operator, offers, SEED)
    with capsys.disabled():
        print(f"\n  {len(offers)} registrations in {operator.chain.sent(operator.account.address)} transactions")


def leader(operator):
    """The name of the process that has the account's Lease, or None."""
    lease = operator.stack.cluster.get("lease", f"portitor-registrar-{CHAIN_ID}-{operator.account.address[2:]}", "portitor")
    holder = (lease or {}).get("spec", {}).get("holderIdentity")
    return holder and (SECOND if SECOND in holder else "registrar")


def test_one_that_overslept_its_lease_sends_nothing_more(operator):
    processes = operator.stack.cluster.processes
    offers = {"first": operator.sell("first")}
    with second_one(operator):
        operator.wait_phase("first")
        for number in range(4):
            offers[f"slept-{number}"] = operator.sell(f"slept-{number}")
            # In the middle of its work, as far as one can tell from outside.
            time.sleep(0.3 * number)
            name = leader(operator)
            processes[name].pause()
            wait_all_confirmed(operator, offers, 30, f"another one than {name} goes on")
            wait_until(lambda: leader(operator) != name, 10, f"another one than {name} leads")
            processes[name].resume()
            # It finds that it leads no more, and ends.
            processes[name].wait(timeout=30)
            operator.another(SECOND, SECOND_PORT) if name == SECOND else operator.start()
            wait_until(lambda: is_up(operator, SECOND_PORT), 30, "the second one is there")
        assert quiet(operator)
    assert_one_each(operator, offers, SEED)
