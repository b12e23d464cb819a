"""The registrar is killed at random moments, again and again, alone and beside another one: of each offer comes exactly one
registration."""

import os
import random
import time

import pytest
from background import Background
from cluster import wait_until
from on_chain import SHORT_LEASES, Operator
from registry import Anvil
from stack import ADDRESS, UPSTREAM_PORT

NAMESPACE = "killed"
PORT = 8574
COUNT = 100 if os.environ.get("PORTITOR_LONG") else 20
SEED = int(os.environ.get("PORTITOR_SEED", "8004"))
SECOND = "registrar-second"
SECOND_PORT = 8098


@pytest.fixture(scope="module")
def chain(stack):
    anvil = Anvil(stack.cluster, stack.scripts, PORT)
    yield anvil
    anvil.stop()


@pytest.fixture(scope="module")
def operator(stack, chain):
    stack.cluster.service(NAMESPACE, "hello", UPSTREAM_PORT)
    with Operator(stack, chain, NAMESPACE) as it:
        it.run(*SHORT_LEASES)
        yield it
        stack.remove_offers(NAMESPACE)


class Reaper(Background):
    """`with Reaper(operator, seed):` kills one of the registrars after another and starts it again."""

    def __init__(self, operator, seed, second=False, pause=(0.05, 1.2)):
        super().__init__()
        self._operator = operator
        self._random = random.Random(seed)
        self._second = second
        self._pause = pause
        self.kills = 0

    def _run(self):
        processes = self._operator.stack.cluster.processes
        while not self._end.wait(self._random.uniform(*self._pause)):
            name = self._random.choice(["registrar", SECOND] if self._second else ["registrar"])
            if processes[name].running:
                processes[name].kill()
                self.kills += 1
            self._revive(name)
            # One that has lost its Lease ends by itself.
            for other in {"registrar", SECOND if self._second else "registrar"} - {name}:
                if not processes[other].running:
                    self._revive(other)

    def _revive(self, name):
        if name == SECOND:
            self._operator.another(SECOND, SECOND_PORT)
        else:
            self._operator.start_again()


def sell_all(operator, prefix):
    names = [f"{prefix}-{number}" for number in range(COUNT)]
    return {name: operator.sell(name) for name in names}


def all_confirmed(operator, names):
    found = operator.stack.cluster.get("registrationrequest", ns=NAMESPACE)["items"]
    done = {each["metadata"]["name"] for each in found if each.get("status", {}).get("phase") == "Confirmed"}
    return {f"{name}-registration" for name in names} <= done


def assert_one_each(operator, offers, seed, earlier=()):
    """One registration of each offer, and none of anything else, beside the `earlier` ones."""
    agents = {offer_of(each): each for each in operator.agents() if each not in earlier}
    assert sorted(offer_of(each) for each in operator.agents() if each not in earlier) == sorted(offers.values()), f"seed {seed}"
    for name, uid in offers.items():
        status = operator.status(name)
        assert (status["agentId"], status["txHash"]) == (str(agents[uid].id), agents[uid].transaction), name


def offer_of(agent):
    """The UID of the offer for which it was registered."""
    return agent.uri.rpartition("/")[2].removesuffix(".json")


def wait_all(operator, offers, seed, timeout):
    wait_until(lambda: all_confirmed(operator, offers), timeout, f"all are registered, seed {seed}", interval=0.3)


def quiet(operator):
    """Nothing more comes, also of what may still have been on its way."""
    sent = operator.chain.sent(operator.account.address)
    operator.chain.mine(3)
    time.sleep(1)
    return operator.chain.waiting(operator.account.address) == 0 and operator.chain.sent(operator.account.address) == sent


def test_kills_make_no_second_registration(operator, capsys):
    began = time.monotonic()
    with Reaper(operator, SEED) as reaper:
        offers = sell_all(operator, "one")
        wait_all(operator, offers, SEED, 60 + 3 * COUNT)
    operator.stack.wait_ready("registrar")
    assert quiet(operator)
    assert_one_each(operator, offers, SEED)
    with capsys.disabled():
        print(f"\n  {COUNT} registrations, {reaper.kills} kills, {time.monotonic() - began:.0f} s, seed {SEED}")


def test_nor_do_kills_of_two_registrars(operator, capsys):
    earlier = operator.agents()
    began = time.monotonic()
    second = operator.another(SECOND, SECOND_PORT)
    try:
        with Reaper(operator, SEED + 1, second=True) as reaper:
            offers = sell_all(operator, "two")
            wait_all(operator, offers, SEED + 1, 60 + 3 * COUNT)
        assert quiet(operator)
        assert_one_each(operator, offers, SEED + 1, earlier)
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
