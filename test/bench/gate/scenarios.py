"""What is measured. Each scenario gives one sample a round for each gate, the gates in turns."""

import contextlib
import functools
import json
import sys
import time
from typing import NamedTuple

import wrk
from answers import Connection, terms_of
from gate_data import Data
from gates import OTHER, SQLITE, Work
from processes import LOAD_CPU, Failed, api_server, facilitator, free_port, run

IDLE_CONNECTIONS = 4000  # what Portitor lets one address have
PAID_GO = ["go", "go-tuned", "go-check", "go-tuned-check"]
COMPARED = 20  # requests whose answers are compared before each sample


class Tools(NamedTuple):
    """Programs and settings of a run."""

    programs: object  # folder with gate_load, gate_facilitator, gate_payments
    folder: object
    rounds: int
    seconds: float
    warm_up: float
    payments: int


class Bench:
    """Runs scenarios; `samples` has by scenario and gate what each round gave."""

    def __init__(self, tools, gates):
        self.samples = {}
        self.failures = []
        self._tools = tools
        self._gates = gates
        self._data = functools.cache(lambda count: Data(tools.folder, count, self._facilitator_url))
        self._facilitator_port = free_port()
        self._facilitator_url = f"http://127.0.0.1:{self._facilitator_port}"

    def run(self, name):
        """Runs one scenario of SCENARIOS."""
        self.samples[name] = {}
        try:
            SCENARIOS[name](self, name)
        except Failed as failure:
            self._failed(name, failure)

    def terms_unpaid(self, name, gates, count=100, connections=64):
        """Requests without a payment."""
        with self._work(count) as work:

            def sample(running):
                return self._load(running, work.data.requests, "-c", connections, "-e", 402)

            self._in_turns(name, gates, work, sample)

    def paid(self, name, gates, connections=64, rate=0):
        """Requests with a payment each, through a facilitator that agrees at once; so many a second, if not as fast as
        it goes."""
        with self._work(100) as work:
            print(f"{name}: signing {self._tools.payments} payments", file=sys.stderr)
            requests = self._tools.folder / "payments.txt"
            run(self._program("payments"), work.data.table, self._tools.payments, 1, requests)

            def sample(running):
                stub = facilitator(self._program("facilitator"), self._facilitator_port, work.folder)
                with stub as stats:
                    before = stats()["connections"]
                    out = self._load(running, requests, "-c", connections, "-e", 200, "-1", "-r", rate)
                    counts = stats()
                if counts["settled"] < out["requests"] or counts["others"]:
                    raise Failed(f"the facilitator saw {counts} of {out['requests']} payments")
                # The last one asked for these numbers.
                return out | {"facilitator_connections": counts["connections"] - before - 1}

            self._in_turns(name, gates, work, sample)

    def tls(self, name):
        """Requests without a payment over TLS."""
        certificate = self._tools.folder / "certificate.pem"
        make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
        run(*make.split(), "-keyout", certificate, "-out", f"{certificate}.crt")
        with certificate.open("a") as file:
            file.write((self._tools.folder / "certificate.pem.crt").read_text())
        with self._work(100) as work:
            request = work.data.some_requests(1)[0]

            def sample(running):
                return wrk.load(running, request, 64, self._tools.seconds, self._tools.warm_up)

            self._in_turns(name, ["portitor", "go", "nginx"], work._replace(certificate=certificate), sample)

    def idle(self, name):
        """What a connection costs that waits for its next request."""
        with self._work(100) as work:
            request = work.data.some_requests(1)[0]

            def sample(running):
                with contextlib.ExitStack() as stack:

                    def connect():
                        one = Connection(running.port)
                        stack.callback(one.close)
                        return one

                    first = connect()
                    for _ in range(1000):
                        first.ask(request)
                    before = running.program.rss()
                    for _ in range(IDLE_CONNECTIONS):
                        if connect().ask(request)[0] != 402:
                            raise Failed("another answer than 402")
                    time.sleep(1)
                    return {"bytes_per_connection": (running.program.rss() - before) / IDLE_CONNECTIONS}

            self._in_turns(name, ["portitor", "go", "raw"], work, sample)

    def routes(self, name):
        """What so many routes cost."""
        with self._work(100_000) as work:

            def sample(running):
                time.sleep(2)
                return {"rss_mb": running.program.rss() / 1e6}

            self._in_turns(name, ["portitor"], work, sample)

    def lookup(self, name):
        """What a look-up and a changed route cost in the table, among few routes and among many."""
        samples = self.samples[name].setdefault("portitor", [])
        for number in range(self._tools.rounds):
            print(f"{name}, round {number + 1} of {self._tools.rounds}", file=sys.stderr)
            lines = run(self._program("route_table"), 100, 100_000, cpu=LOAD_CPU).splitlines()
            few, many = map(json.loads, lines)
            samples.append(
                many
                | {"by_key_flat": many["by_key_ns"] / few["by_key_ns"]}
                | {"by_path_flat": many["by_path_ns"] / few["by_path_ns"]}
                | {"change_flat": many["change_us"] / few["change_us"]}
            )
        # The same program's other ways, as a baseline.
        self.samples[name]["copied hash table"] = [
            {"by_key_ns": each["by_hash_table_ns"], "change_us": each["change_by_copy_us"]} for each in samples
        ]

    def rss(self, name):
        """What it has after having been busy."""
        self.terms_unpaid(name, ["portitor", "go", "raw"])

    @contextlib.contextmanager
    def _work(self, count):
        data = self._data(count)
        with api_server(data.routes, self._tools.folder) as port:
            yield Work(data, port, self._tools.folder)

    def _in_turns(self, name, gates, work, sample):
        """Ours first of all once, for the answers that all must give. A gate that is not there is left out."""
        gates = [gate for gate in [*gates, OTHER] if gate in self._gates]
        with self._gates["portitor"].run(work._replace(certificate=None)) as running:
            work = work._replace(terms=terms_of(running.port, work.data.some_requests(COMPARED)))
        for number in range(self._tools.rounds):
            print(f"{name}, round {number + 1} of {self._tools.rounds}", file=sys.stderr)
            for gate in gates if number % 2 == 0 else gates[::-1]:
                samples = self.samples[name].setdefault(gate, [])
                # A gate that failed once has no pairs any more.
                if len(samples) < number:
                    continue
                try:
                    samples.append(self._once(gate, work, sample))
                except Failed as failure:
                    self._failed(f"{name}: {gate}", failure)

    def _once(self, gate, work, sample):
        with self._gates[gate].run(work) as running:
            # nginx knows one answer.
            count = 1 if gate == "nginx" else COMPARED
            found = terms_of(running.port, work.data.some_requests(count), tls=bool(work.certificate))
            if found != work.terms[:count]:
                raise Failed(f"answers otherwise: {_difference(found, work.terms)}")
            out = sample(running)
            if "server_cpu_s" in out:
                out["cpu_us"] = out["server_cpu_s"] / out["requests"] * 1e6
                out["requests_per_s"] = out["requests"] / out["seconds"]
                out["busy"] = out["server_cpu_s"] / out["seconds"]
            out.setdefault("rss_mb", running.program.rss() / 1e6)
            return out

    def _load(self, running, requests, *options):
        command = [self._program("load"), "-p", running.port, "-f", requests, "-P", running.program.pid]
        command += ["-d", self._tools.seconds, "-w", self._tools.warm_up, *options]
        out = json.loads(run(*command, cpu=LOAD_CPU))
        if not out["requests"]:
            raise Failed("no requests were measured")
        return out

    def _program(self, name):
        return self._tools.programs / f"gate_{name}"

    def _failed(self, what, failure):
        print(f"FAILED {what}: {failure}", file=sys.stderr)
        self.failures.append(f"{what}: {failure}")


def _difference(found, wanted):
    for one, other in zip(found, wanted):
        if one != other:
            return f"{json.dumps(one)} instead of {json.dumps(other)}"
    return "fewer answers"


SCENARIOS = {
    "402": lambda bench, name: bench.terms_unpaid(name, ["portitor", "go", "raw", "nginx"]),
    "402-c1": lambda bench, name: bench.terms_unpaid(name, ["portitor", "go", "raw"], connections=1),
    "402-10k": lambda bench, name: bench.terms_unpaid(name, ["portitor", "go", "raw"], count=10_000),
    "paid": lambda bench, name: bench.paid(name, ["portitor", SQLITE, *PAID_GO]),
    "paid-c1": lambda bench, name: bench.paid(name, ["portitor", SQLITE], connections=1),
    "paid-steady": lambda bench, name: bench.paid(name, ["portitor", SQLITE], rate=1000),
    "tls": Bench.tls,
    "idle": Bench.idle,
    "routes": Bench.routes,
    "lookup": Bench.lookup,
    "rss": Bench.rss,
}
