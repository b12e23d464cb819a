"""Sellers who cannot make up their minds: offers are made, changed, spoilt and deleted at random, and their children
are tampered with. Everything comes from a seed, but for how long the server takes."""

import collections
import copy
import random
import time

from stack import offer

# What is meant to be sold, and the one that cannot be: the token has six decimals.
_PRICES = ("0.001", "0.0025", "0.01", "1", "0.000001", "12.345678")
_UNSOLD = "0.0000001"
_CHILDREN = (("paymentroutes", "{}-payment"), ("httproutes", "so-{}"), ("middlewares", "x402-{}"))


class Churn:
    """What the sellers want at this moment is `wanted`, by name."""

    def __init__(self, client, ns, seed, names=24, tamper=True):
        self._client = client
        self._ns = ns
        self._random = random.Random(seed)
        self._names = [f"{ns}-{number}" for number in range(names)]
        self._tamper = tamper
        self.wanted = {}
        self.wishes = collections.Counter()  # how often a spec of that name was written
        self.done = {"create": 0, "edit": 0, "delete": 0, "tamper": 0}

    def run(self, seconds, pause=0.03):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.step()
            time.sleep(self._random.uniform(0, 2 * pause))

    def step(self):
        name = self._random.choice(self._names)
        if name not in self.wanted:
            self._create(name)
        else:
            steps = [self._edit, self._edit, self._delete] + [self._vandalise] * self._tamper
            self._random.choice(steps)(name)

    def remove_all(self):
        for name in list(self.wanted):
            self._delete(name)

    def _create(self, name):
        made = offer(name, self._random.choice(_PRICES), namespace=self._ns, registration=self._registers(name))
        status, answer = self._client.create("serviceoffers", made, self._ns)
        # One of that name may still be on its way out: then this was nothing.
        assert status in (201, 409), answer
        if status == 201:
            self.wanted[name] = made
            self.wishes[name] += 1
            self.done["create"] += 1

    def _edit(self, name):
        changed = copy.deepcopy(self.wanted[name])
        # Whether a registration is there of an offer that cannot be sold is a matter of its past.
        unsold = not self._registers(name) and self._random.random() < 0.15
        price = _UNSOLD if unsold else self._random.choice(_PRICES)
        changed["spec"]["payment"]["price"]["perRequest"] = price
        changed["spec"]["routes"] = self._random.choice(([], [{"path": "/free/*", "gate": "free"}, {"path": "/other"}]))
        status, answer = self._client.patch("serviceoffers", name, self._ns, {"spec": changed["spec"]})
        assert status == 200, answer
        self.wanted[name] = changed
        self.wishes[name] += 1
        self.done["edit"] += 1

    def _delete(self, name):
        how = self._random.choice(("Background", "Foreground", "Orphan"))
        status, answer = self._client.delete("serviceoffers", name, self._ns, how)
        assert status in (200, 202), answer
        del self.wanted[name]
        self.done["delete"] += 1

    def _vandalise(self, name):
        kind, pattern = self._random.choice(_CHILDREN)
        child = pattern.format(name)
        if self._random.random() < 0.5:
            self._client.delete(kind, child, self._ns)
        elif kind == "paymentroutes":
            self._client.patch(kind, child, self._ns, {"spec": {"price": "1"}})
        else:
            self._client.patch(kind, child, self._ns, {"metadata": {"labels": {"obol.org/serviceoffer": None}}})
        self.done["tamper"] += 1

    def _registers(self, name):
        return self._names.index(name) % 5 == 0
