"""A shop for buyers who do not pay: a verifier with a record in a file and a node of the chain, the real facilitator behind one
that counts, two offers that sell everything they have, and payments that can buy nothing at them."""

import contextlib
import json
import os
import time
from pathlib import Path

import x402
from cluster import wait_until
from hostile_requests import Mutator, Seed
from pipelined_sender import Sender
from stack import ADDRESS, NAMESPACE, SCRIPTED_PORT, offer

VERIFIER, PORT, HEALTH_PORT = "verifier-hostile", 8596, 8597
OFFERS = ("hostile-a", "hostile-b")


class Shop:
    """Started by `with`; needs the scripted facilitator."""

    def __init__(self, stack):
        self.stack = stack
        self.cluster = stack.cluster
        self.ledger = stack.cluster.directory / "hostile.db"
        self._undo = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            config = self.cluster.directory / "hostile.yaml"
            config.write_text(
                self.stack.config.read_text() + f"chains:\n- {{name: {x402.NETWORK_V1}, rpcURL: {self.stack.chain.url}}}\n"
            )
            flags = [f"--config={config}", f"--ledger={self.ledger}", "--log-format=json"]
            self.verifier = self.stack.another_verifier(VERIFIER, PORT, HEALTH_PORT, *flags)
            undo.callback(self.verifier.stop, timeout=40)
            with_credential = offer(OFFERS[1], price="0.002", facilitator="scripted")
            with_credential["spec"]["upstream"]["credential"] = "upstream"
            self.cluster.apply([offer(OFFERS[0], facilitator="scripted"), with_credential])
            undo.callback(self.cluster.delete, "serviceoffer", *OFFERS, ns=NAMESPACE)
            wait_until(self._facilitator_listens, 20, "the scripted facilitator listens")
            undo.callback(self.script)
            self.script(verify="relayed", settle="relayed")
            for name in OFFERS:
                self.stack.wait_condition(name, "Ready")
                wait_until(lambda: self.ask(name).status == 402, 20, "the gate asks for payment")
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_):
        self._undo.close()

    def script(self, **what):
        """What the facilitator does from now on; its counts begin anew."""
        words = "&".join(f"{name}={value}" for name, value in what.items())
        self.cluster.http("GET", f"http://127.0.0.1:{SCRIPTED_PORT}/script?{words}")

    def counts(self):
        return json.loads(self.cluster.http("GET", f"http://127.0.0.1:{SCRIPTED_PORT}/counts").body)

    def _facilitator_listens(self):
        with contextlib.suppress(OSError):
            return self.counts() is not None

    def ask(self, name, payment=None, version=2, uri="/a"):
        """The verifier's own answer, asked as Traefik does; status 0 before it listens."""
        headers = {
            "X-Forwarded-Uri": f"/services/{name}{uri}",
            "X-Forwarded-Method": "GET",
            "X-Forwarded-Host": "gate.test",
            "X-Forwarded-Proto": "http",
        }
        if payment:
            headers["Payment-Signature" if version == 2 else "X-Payment"] = payment
        url = f"http://{ADDRESS}:{PORT}{self.stack.gate_target(name)}"
        try:
            return self.cluster.http("GET", url, headers, timeout=25)
        except OSError:
            return _NotUp()

    def seeds(self):
        """Payments that can buy nothing, and were shown to: what each of them got is checked."""
        out = []
        for name in OFFERS:
            for version in (1, 2):
                wanted = self._wanted(name, version)
                out += self._spent(name, version, wanted)
                out += self._unpaid(name, version, wanted)
        return out

    def settlements(self):
        return len(self.stack.chain.settlements())

    def attack(self, count, seed, to_facilitator=0.02):
        """So many hostile requests; returns the Sender that has counted the answers."""
        targets = {name: self.stack.gate_target(name) for name in OFFERS}
        make = Mutator(self.seeds(), targets, seed, to_facilitator).next
        before = self.settlements()
        self.script(verify="relayed", settle="relayed")
        sender = Sender(lambda: self.cluster.connect(ADDRESS, PORT, timeout=40))
        with contextlib.closing(sender):
            sender.send(make, count)
        sender.settled = self.settlements() - before
        sender.asked = self.counts()
        return sender

    def resident(self):
        """Bytes of the verifier's memory."""
        return int(Path(f"/proc/{self.verifier.pid}/statm").read_text().split()[1]) * 4096

    def recorded(self):
        """Bytes of its record on disk."""
        return sum(each.stat().st_size for each in self.ledger.parent.glob(self.ledger.name + "*"))

    def cpu_seconds(self):
        """Of the verifier, so far."""
        times = Path(f"/proc/{self.verifier.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")

    def log_size(self):
        """Bytes that it has written to its log."""
        return len(self.verifier.log())

    def _wanted(self, name, version):
        answer = self.ask(name)
        if version == 1:
            return json.loads(answer.body)["accepts"][0]
        return x402.decode_header(answer.headers["PAYMENT-REQUIRED"])["accepts"][0]

    def _sign(self, version, wanted, **options):
        return x402.sign(self.stack.scripts, version, wanted, **{"valid_before": "+3000"} | options)

    def _said(self, name, payment, version):
        """As a buyer finds out: who is told to come again does."""
        for _ in range(10):
            answer = self.ask(name, payment, version)
            if answer.status != 503:
                break
            time.sleep(1)
        return answer.status

    def _spent(self, name, version, wanted):
        spent = self._sign(version, wanted)
        assert self.ask(name, spent, version).status == 200
        cancelled = self._sign(version, wanted)
        nonce = x402.decode_header(cancelled)["payload"]["authorization"]["nonce"]
        self.stack.chain.cancel(x402.BUYER_KEY, nonce)
        out = [Seed("spent", spent, version, name), Seed("cancelled", cancelled, version, name)]
        for each, payment in zip(out, (spent, cancelled)):
            assert self._said(name, payment, version) == 409, each.name
        # Signed for all that differs from what was bought, with a nonce that is used.
        used = x402.decode_header(spent)["payload"]["authorization"]["nonce"]
        elsewhere = {"asset": x402.BUYER2, "extra": wanted["extra"] | {"name": "Mine"}}
        out.append(Seed("own token", self._sign(version, wanted | elsewhere, nonce=used), version, name))
        mainnet = {"network": "base" if version == 1 else "eip155:8453"}
        out.append(Seed("other network", self._sign(version, wanted | mainnet, nonce=used), version, name))
        return out

    def _unpaid(self, name, version, wanted):
        price = int(wanted["amount" if version == 2 else "maxAmountRequired"])
        kinds = {
            "pauper": {"key": x402.PAUPER_KEY},
            "expired": {"valid_before": "-5"},
            "for too long": {"valid_before": "+900000"},
            "not yet": {"valid_after": "+3600"},
            "too little": {"value": str(price - 1)},
            "nothing": {"value": "0"},
            "to himself": {"to": x402.BUYER},
            "of another": {"key": x402.PAUPER_KEY, "from": x402.BUYER},
        }
        out = []
        for kind, options in kinds.items():
            payment = self._sign(version, wanted, **options)
            assert self._said(name, payment, version) == 402, kind
            out.append(Seed(kind, payment, version, name))
        return out


class _NotUp:
    status = 0
