"""Buyers that pay while everything around the money dies: the verifier, the facilitator, and the nodes that both of them
ask; with terms that change, payments that are sent twice, buyers that leave, and payers that cancel. What must come of it: a
payment is granted if it was charged, charged if it was granted, and nobody is asked to pay twice."""

import collections
import contextlib
import random
import socket
import threading
import time
from pathlib import Path

import x402
from background import Background
from cluster import wait_until
from stack import ADDRESS, NAMESPACE, offer

HERE = Path(__file__).parent
OFFER = "stormy"
PRICES = ("0.001", "0.002")
VERIFIER = "verifier-storm"
VERIFIER_PORT, HEALTH_PORT = 8570, 8571
CHAIN_PORT, STORM_PORT = 8572, 8573
# In front of the chain: what the facilitator asks, and what the verifier asks.
NODES = {"node-of-facilitator": 8575, "node-of-verifier": 8576}
FACILITATOR = "facilitator-storm"
PATIENCE = 150  # seconds that a buyer asks for


class Payment:
    """One payment, and what its buyer saw."""

    def __init__(self, header):
        self.header = header
        self.nonce = x402.decode_header(header)["payload"]["authorization"]["nonce"]
        self.grants = 0  # answers with 200 that were read whole
        self.answers = collections.Counter()
        self.left = False  # its buyer has closed a connection on which an answer may have been on its way
        self.cancelled = False

    @property
    def told_used(self):
        return self.answers[409] > 0

    @property
    def asked_again(self):
        return self.answers[402] > 0


class Shop:
    """A chain with blocks every two seconds, a facilitator on it, and a verifier with a record of its own."""

    def __init__(self, stack, ledger, with_node=True, block_time=2):
        self.stack = stack
        self.cluster = stack.cluster
        self.ledger = ledger
        self.chain = x402.Chain(stack.scripts, CHAIN_PORT)
        self.with_node = with_node
        self.block_time = block_time
        self._undo = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            self.chain.start(block_time=self.block_time)
            undo.callback(self.chain.stop)
            for name in (*NODES, FACILITATOR, VERIFIER):
                undo.callback(self._end, name)
                self.start(name)
            undo.callback(self._restart_controller)
            self._restart_controller(f"--config={self._with_storm()}")
            self.cluster.apply(offer(OFFER, facilitator="storm"))
            undo.callback(self.cluster.delete, "serviceoffer", OFFER, ns=NAMESPACE)
            wait_until(lambda: self.ask().status == 402, 60, "the gate asks for payment")
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_):
        self._undo.close()

    def _restart_controller(self, *flags):
        self.cluster.processes["controller"].stop(timeout=40)
        self.stack.start_role("controller", *flags)
        self.stack.wait_ready("controller")

    def _with_storm(self):
        """The operator's file, with this facilitator too."""
        config = self.cluster.directory / "storm-controller.yaml"
        entry = f"facilitators:\n- {{name: storm, url: http://127.0.0.1:{STORM_PORT}}}\n"
        config.write_text(self.stack.config.read_text().replace("facilitators:\n", entry))
        return config

    def start(self, name):
        if name in NODES:
            self.cluster.popen(["/usr/bin/python3", HERE / "scripted_node.py", NODES[name], self.chain.url], name)
        elif name == FACILITATOR:
            self._start_facilitator()
        else:
            self._start_verifier()

    def _start_facilitator(self):
        node = f"http://127.0.0.1:{NODES['node-of-facilitator']}"
        script = HERE.parent / "x402" / "facilitator.mjs"
        words = ["node", script, "--port", STORM_PORT, "--rpc", node, "--key", x402.FACILITATOR_KEY]
        self.cluster.popen(words, FACILITATOR, env=self.stack.scripts.environment)

    def _start_verifier(self):
        config = self.cluster.directory / "storm.yaml"
        node = f"http://127.0.0.1:{NODES['node-of-verifier']}"
        chains = f"chains:\n- {{name: {x402.NETWORK_V1}, rpcURL: {node}, confirmations: 1}}\n"
        facilitators = f"facilitators:\n- {{name: storm, url: http://127.0.0.1:{STORM_PORT}}}\n"
        config.write_text(facilitators + (chains if self.with_node else ""))
        flags = [f"--config={config}", f"--ledger={self.ledger}", "--max-unproven=100000", "--log-format=json"]
        self.stack.another_verifier(VERIFIER, VERIFIER_PORT, HEALTH_PORT, *flags)

    def is_up(self, name):
        if name == VERIFIER:
            return self.ask().status == 402
        try:
            return self.cluster.http("GET", f"http://127.0.0.1:{STORM_PORT}/supported").status == 200
        except OSError:
            return False

    def kill(self, name):
        self.cluster.processes[name].kill()

    def _end(self, name):
        process = self.cluster.processes.get(name)
        if process and process.running:
            process.stop(timeout=40)

    def ask(self, payment=None):
        """The verifier's own answer, asked as Traefik does; status 0 where there is none."""
        try:
            return self.cluster.http("GET", self.url, self.headers(payment), timeout=28)
        except (OSError, ValueError):
            return _NoAnswer()
        except Exception as broken:  # an answer that was cut off
            if type(broken).__module__ != "http.client":
                raise
            return _NoAnswer()

    @property
    def url(self):
        return f"http://{ADDRESS}:{VERIFIER_PORT}/verify/{NAMESPACE}/{OFFER}"

    def headers(self, payment=None):
        asked = {
            "X-Forwarded-Uri": f"/services/{OFFER}/a",
            "X-Forwarded-Method": "GET",
            "X-Forwarded-Host": "gate.test",
            "X-Forwarded-Proto": "http",
            "Connection": "close",
        }
        return asked | ({"Payment-Signature": payment.header} if payment else {})

    def leave(self, payment, patience):
        """Asks and hangs up after so long where nothing has come; whether it was answered with 200."""
        lines = [f"GET /verify/{NAMESPACE}/{OFFER} HTTP/1.1", f"Host: {ADDRESS}"]
        lines += [f"{name}: {value}" for name, value in self.headers(payment).items()]
        with contextlib.suppress(OSError), self.cluster.connect(ADDRESS, VERIFIER_PORT, timeout=5) as to:
            to.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            to.settimeout(patience)
            payment.left = True
            with contextlib.suppress(socket.timeout):
                got = to.recv(1 << 16)
                return got.startswith(b"HTTP/1.1 200") and b"\r\n\r\n" in got
        return False


class _NoAnswer:
    status = 0
    headers = {}


class Reaper(Background):
    """Kills one part after another, and starts it again."""

    def __init__(self, shop, seed, pause=(0.5, 3)):
        super().__init__()
        self._shop = shop
        self._random = random.Random(seed)
        self._pause = pause
        self.kills = collections.Counter()

    def _run(self):
        while not self._end.wait(self._random.uniform(*self._pause)):
            name = self._random.choice([VERIFIER, VERIFIER, FACILITATOR, *NODES])
            self._shop.kill(name)
            self.kills[name] += 1
            self._end.wait(self._random.uniform(0, 0.5))
            self._shop.start(name)
            # On a slow machine too there is time to buy in between.
            if name in (VERIFIER, FACILITATOR):
                wait_until(lambda: self._end.is_set() or self._shop.is_up(name), 60, f"{name} is back")


class Seller(Background):
    """Changes the price, again and again."""

    def __init__(self, shop, pause=10):
        super().__init__()
        self._shop = shop
        self._pause = pause

    def _run(self):
        for number in range(1, 10**6):
            if self._end.wait(self._pause):
                return
            change = {"spec": {"payment": {"price": {"perRequest": PRICES[number % 2]}}}}
            self._shop.cluster.patch("serviceoffer", OFFER, change, NAMESPACE)


class Storm:
    """Buyers at work until so many payments have been granted: who is refused signs another one."""

    def __init__(self, shop, count, seed, buyers=48):
        self._shop = shop
        self._left_to_make = count
        self._most = 5 * count
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._buyers = buyers
        self._failures = []
        self.payments = []

    def run(self):
        threads = [threading.Thread(target=self._buy_safely) for _ in range(self._buyers)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        if self._failures:
            raise self._failures[0]

    def _buy_safely(self):
        try:
            while self._take():
                self._buy()
        except BaseException as failure:
            self._failures.append(failure)

    def _take(self):
        with self._lock:
            self._left_to_make -= 1
            return self._left_to_make >= 0 and not self._failures and len(self.payments) < self._most

    def _chance(self):
        with self._lock:
            return self._random.random()

    def _buy(self):
        asked = wait_until(self._asked_for, PATIENCE, "the gate asks for payment", interval=0.2)
        key = x402.BUYER_KEY if self._chance() < 0.5 else x402.BUYER2_KEY
        payment = Payment(x402.sign(self._shop.stack.scripts, 2, asked, key=key, valid_before="+600"))
        with self._lock:
            self.payments.append(payment)
        canceller = self._maybe_cancel(payment, key)
        deadline = time.monotonic() + PATIENCE
        while not self._is_over(payment) and time.monotonic() < deadline:
            self._ask(payment)
            if not self._is_over(payment):
                time.sleep(0.1 + self._chance() / 2)
        if canceller:
            canceller.join()
        # A copy at once, which anybody may have kept.
        self._count(payment, self._shop.ask(payment))
        if not payment.grants:
            with self._lock:
                self._left_to_make += 1

    def _asked_for(self):
        answer = self._shop.ask()
        if answer.status != 402:
            return None
        return x402.decode_header(answer.headers["PAYMENT-REQUIRED"])["accepts"][0]

    def _maybe_cancel(self, payment, key):
        if self._chance() > 0.04:
            return None
        payment.cancelled = True

        def cancel():
            # It is late where the payment was quicker.
            with contextlib.suppress(RuntimeError):
                self._shop.chain.cancel(key, payment.nonce)

        thread = threading.Thread(target=cancel)
        thread.start()
        return thread

    def _ask(self, payment):
        chance = self._chance()
        if chance < 0.15:
            if self._shop.leave(payment, self._chance() * 2.5):
                payment.grants += 1
            return
        if chance < 0.3:
            twin = threading.Thread(target=lambda: self._count(payment, self._shop.ask(payment)))
            twin.start()
            self._count(payment, self._shop.ask(payment))
            twin.join()
            return
        self._count(payment, self._shop.ask(payment))

    def _count(self, payment, answer):
        with self._lock:
            payment.answers[answer.status] += 1
            payment.grants += answer.status == 200

    @staticmethod
    def _is_over(payment):
        return payment.grants or payment.told_used or payment.asked_again


class Outcome:
    """What the chain says of it."""

    def __init__(self, shop, payments, kills):
        charged = {each["nonce"]: int(each["value"]) for each in shop.chain.settlements(to=x402.SELLER)}
        self.settlements = len(charged)
        self.amount = sum(charged.values())
        self.kills = kills
        self.grants = sum(each.grants for each in payments)
        self.never_served = [each for each in payments if each.nonce in charged and not each.grants and not each.left]
        # Its answer was on its way when its buyer left: the verifier cannot tell.
        self.left = [each for each in payments if each.nonce in charged and not each.grants and each.left]
        unpaid = [each for each in payments if each.nonce not in charged and each.grants]
        # Its payer has cancelled it while its settlement was in doubt, and nobody can tell that from a settlement.
        self.unproven = [each for each in unpaid if each.cancelled and not shop.with_node]
        self.never_charged = [each for each in unpaid if each not in self.unproven]
        self.asked_twice = [each for each in payments if each.nonce in charged and each.asked_again]
        self.granted_twice = [each for each in payments if each.grants > 1]
        marked = interrupted(shop)
        self.unmarked = [each for each in self.granted_twice if each.nonce not in marked]
        self.open = [each for each in payments if not Storm._is_over(each)]
        self.refused = [each for each in payments if each.nonce not in charged]
        self.cancelled = [each for each in payments if each.cancelled and each.nonce not in charged]
        self.answers = sum((each.answers for each in payments), collections.Counter())

    def told(self):
        return (
            f"{self.settlements} settlements, {self.grants} grants ({len(self.granted_twice)} second ones in kills), "
            f"{len(self.left)} left as their answer came, {len(self.unproven)} granted unproven, {len(self.refused)} not charged "
            f"({len(self.cancelled)} cancelled), kills {dict(self.kills)}, answers {dict(self.answers)}"
        )

    def check(self):
        def seen(payments):
            return [(each.nonce, dict(each.answers), each.grants) for each in payments]

        assert not self.never_served, f"charged and not served: {seen(self.never_served)}"
        assert not self.never_charged, f"served and not charged: {seen(self.never_charged)}"
        assert not self.asked_twice, f"asked to pay twice: {seen(self.asked_twice)}"
        assert not self.open, f"neither served nor refused: {seen(self.open)}"
        assert len(self.granted_twice) <= self.kills[VERIFIER], seen(self.granted_twice)
        assert not self.unmarked, f"served twice and not marked in the book: {seen(self.unmarked)}"
        assert len(self.left) <= max(2, self.settlements // 50), seen(self.left)


def book(shop):
    """What the record says of the sales: (how many, atomic units)."""
    return shop.stack.sales(shop.ledger, "sum")


def interrupted(shop):
    """The nonces of those whose verifier died while it wrote their answer, as the book has them."""
    listed = shop.stack.sales(shop.ledger, "--state", "interrupted", "--limit", "1000000")
    return {each["nonce"] for each in listed["payments"]}


def weather(shop, count, seed, buyers=32):
    """A whole storm; returns its Outcome."""
    with Reaper(shop, seed) as reaper, Seller(shop):
        storm = Storm(shop, count, seed + 1, buyers)
        storm.run()
    wait_until(lambda: shop.ask().status == 402, 30, "the gate is back")
    # A facilitator may call a nonce used whose transaction waits for its block.
    time.sleep(3 * shop.block_time)
    return Outcome(shop, storm.payments, reaper.kills)
