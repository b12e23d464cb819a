"""Registrars that are killed at random moments, and what must come of it all the same: one registration of each offer."""

import collections
import random
import time

from background import Background
from cluster import ClusterError, conditions_of, wait_until

SECOND = "registrar-second"
SECOND_PORT = 8098


class Reaper(Background):
    """`with Reaper(operator, seed):` kills one of the registrars after another and starts it again."""

    def __init__(self, operator, seed, second=False, pause=(0.05, 2.5)):
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


def wait_all_confirmed(operator, names, timeout, what):
    wanted = {f"{name}-registration" for name in names}

    def states():
        found = operator.stack.cluster.get("registrationrequest", ns=operator.namespace)["items"]
        told = {each["metadata"]["name"]: state_of(each) for each in found}
        return {name: told.get(name, "not there") for name in wanted}

    try:
        wait_until(lambda: set(states().values()) == {"Confirmed"}, timeout, what, interval=0.3)
    except ClusterError as late:
        raise ClusterError(f"{late}: {collections.Counter(states().values())}") from None


def state_of(request):
    """Its phase, and why where it is not Confirmed."""
    phase = request.get("status", {}).get("phase", "new")
    reason = conditions_of(request).get("Registered", {}).get("reason", "")
    return phase if phase in (reason, "new") else f"{phase} ({reason})"


def assert_one_each(operator, offers, seed):
    """The account has one registration of each offer, and none of anything else."""
    agents = {offer_of(each): each for each in operator.agents()}
    assert sorted(map(offer_of, operator.agents())) == sorted(offers.values()), f"seed {seed}"
    for name, uid in offers.items():
        status = operator.status(name)
        assert (status["agentId"], status["txHash"]) == (str(agents[uid].id), agents[uid].transaction), name


def offer_of(agent):
    """The UID of the offer for which it was registered."""
    return agent.uri.rpartition("/")[2].removesuffix(".json")


def quiet(operator):
    """Nothing more comes, also of what may still have been on its way."""
    sent = operator.chain.sent(operator.account.address)
    operator.chain.mine(3)
    time.sleep(1)
    return operator.chain.waiting(operator.account.address) == 0 and operator.chain.sent(operator.account.address) == sent
