"""Registrars that are killed at random moments, and what must come of it all the same: one registration of each offer."""

import random
import time

from background import Background

SECOND = "registrar-second"
SECOND_PORT = 8098


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


def all_confirmed(operator, names):
    found = operator.stack.cluster.get("registrationrequest", ns=operator.namespace)["items"]
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


def quiet(operator):
    """Nothing more comes, also of what may still have been on its way."""
    sent = operator.chain.sent(operator.account.address)
    operator.chain.mine(3)
    time.sleep(1)
    return operator.chain.waiting(operator.account.address) == 0 and operator.chain.sent(operator.account.address) == sent
