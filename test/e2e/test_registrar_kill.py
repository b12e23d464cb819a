"""The registrar is killed at random moments, again and again, alone and beside another one: of each offer comes exactly one
registration."""

import os
import time

import pytest
from cluster import wait_until
from on_chain import SHORT_LEASES, Operator
from reaper import SECOND, SECOND_PORT, Reaper, assert_one_each, quiet, wait_all_confirmed
from registry import Anvil
from stack import ADDRESS, UPSTREAM_PORT

NAMESPACE = "killed"
PORT = 8574
COUNT = 100 if os.environ.get("PORTITOR_LONG") else 20
SEED = int(os.environ.get("PORTITOR_SEED", "8004"))


@pytest.fixture(scope="module")
def chain(stack):
    anvil = Anvil(stack.cluster, stack.scripts, PORT)
    yield anvil
    anvil.stop()


@pytest.fixture(scope="module")
def started(stack, chain):
    stack.cluster.service(NAMESPACE, "hello", UPSTREAM_PORT)
    with Operator(stack, chain, NAMESPACE) as it:
        yield it


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
    second = operator.another(SECOND, SECOND_PORT)
    try:
        with Reaper(operator, SEED + 1, second=True) as reaper:
            offers = sell_all(operator, "two")
            wait_all_confirmed(operator, offers, 60 + 3 * COUNT, f"all are registered, seed {SEED + 1}")
        assert quiet(operator)
        assert_one_each(operator, offers, SEED + 1)
    finally:
        process = operator.stack.cluster.processes.get(SECOND, second)
        if process.running:
            process.stop(timeout=40)
        if not operator.stack.cluster.processes["registrar"].running:
            operator.start()
    with capsys.disabled():
        print(f"\n  {COUNT} registrations, {reaper.kills} kills, {time.monotonic() - began:.0f} s, seed {SEED + 1}")


def leads(operator, port):
    try:
        return operator.stack.cluster.http("GET", f"http://{ADDRESS}:{port}/readyz").status == 200
    except OSError:
        return False


def test_two_registrars_at_once_share_no_nonce(operator):
    """No kills: both see every request from its first moment, and one of them acts."""
    second = operator.another(SECOND, SECOND_PORT)
    try:
        wait_until(lambda: leads(operator, SECOND_PORT), 30, "the second one is there")
        before = operator.chain.sent(operator.account.address)
        names = [f"both-{number}" for number in range(5)]
        for name in names:
            operator.sell(name)
        for name in names:
            operator.wait_phase(name)
        assert operator.chain.sent(operator.account.address) == before + len(names)
        # The one that leads ends, in order: the other one goes on without waiting for the lease to run out.
        assert operator.stack.cluster.processes["registrar"].stop(timeout=40) == 0
        operator.sell("inherited")
        operator.wait_phase("inherited", timeout=15)
    finally:
        if second.running:
            second.stop(timeout=40)
        if not operator.stack.cluster.processes["registrar"].running:
            operator.start()
