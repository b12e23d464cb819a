#!/usr/bin/env python3
"""Compares portitor::kube with client-go: the same data, the same server, in turns, in one run.

Each round runs both clients one after the other, the other one first in every second round, so the ratio of a
round holds even where the machine's speed drifts. Quote medians and ratios; the spread tells how noisy it was.
Clients run on one processor and the server on another one.
"""

import argparse
import contextlib
import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import data

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]

EVENTS = 20_000
KEYS = 100_000
PAGE = 500
WATCHED = 100  # objects in the collection of the reconnect benchmark

_CPUS = sorted(os.sched_getaffinity(0))
CLIENT_CPU, SERVER_CPU = _CPUS[0], _CPUS[-1]


class Failed(Exception):
    """A client or the server did not do its part."""


class Measure(NamedTuple):
    """One figure of a benchmark; `factor` brings what the clients print into `unit`."""

    field: str
    unit: str
    factor: float = 1


class Budget(NamedTuple):
    """What must be reached and what is aimed at: a least ratio to client-go, or a most of ours."""

    benchmark: str
    field: str
    must: float
    goal: float
    ratio: bool


_CPU_TIME = Measure("cpu_ms", "ms CPU, whole process")
MEASURES = {
    "event": [Measure("ns_per_event", "us/event", 1e-3), _CPU_TIME],
    "list": [Measure("ms", "ms"), _CPU_TIME, Measure("peak_rss_kb", "MB peak RSS", 1024e-6)],
    "list-full": [Measure("ms", "ms"), _CPU_TIME, Measure("peak_rss_kb", "MB peak RSS", 1024e-6)],
    "queue": [Measure("ns_per_key", "ns/key"), _CPU_TIME],
    "reconnect": [Measure("ms", "ms to the event")],
}
NOTES = {
    "event": f"{EVENTS} watch events decoded and stored",
    "list": f"{data.ROUTES} objects in pages of {PAGE}",
    "list-full": f"client-go in one page, ours in pages of {PAGE}",
    "queue": f"{KEYS} keys added twice, done once",
    "reconnect": "server killed, back after 3 s, one event 100 ms later; counted from its being back. "
    "Back-offs have a random part: take ten rounds or more",
}
BUDGETS = [
    Budget("event", "ns_per_event", 8, 20, ratio=True),
    Budget("list", "ms", 5, 8, ratio=True),
    Budget("list", "peak_rss_kb", 25, 15, ratio=False),
]


class Client:
    """One of the two programs."""

    def __init__(self, name, binary):
        self.name = name
        self._binary = str(binary)

    def run(self, *arguments, timeout=300):
        """Runs it to its end. Returns what it printed, and its CPU time."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            timer = threading.Timer(timeout, child.kill)
            timer.start()
            _, status, usage = os.wait4(child.pid, 0)
            timer.cancel()
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            what = f"{self.name}: {' '.join(map(str, arguments))}"
            if child.returncode != 0:
                raise Failed(f"{what}: exit code {child.returncode}: {_tail(err.read())}")
            try:
                sample = json.loads(out.read())
            except ValueError:
                raise Failed(f"{what}: printed no JSON") from None
        sample["cpu_ms"] = (usage.ru_utime + usage.ru_stime) * 1000
        return sample

    def command(self, *arguments):
        """The command line, on the clients' processor."""
        return _pinned(CLIENT_CPU, self._binary, *arguments)


class Child:
    """A process on a pipe whose lines of JSON are read with a time limit. Killed at the block's end."""

    def __init__(self, name, command):
        self._name = name
        self._lines = queue.Queue()
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        """Ends it at once, as kill -9 does."""
        self._child.kill()
        self._child.wait()
        self._reader.join()
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.close()
        self._child.stdout.close()

    def write(self, line):
        """Sends a line to its standard input."""
        self._child.stdin.write(line)
        self._child.stdin.flush()

    def read(self, wanted, timeout):
        """Its next line that holds the member `wanted`."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                line = self._lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise Failed(f"{self._name}: no {wanted!r} within {timeout} s") from None
            if line is None:
                raise Failed(f"{self._name}: ended instead of printing {wanted!r}")
            with contextlib.suppress(ValueError):
                found = json.loads(line)
                if wanted in found:
                    return found

    def _read(self):
        for line in self._child.stdout:
            self._lines.put(line)
        self._lines.put(None)


class Server(Child):
    """The API server's look-alike; `port` is where it listens since `since` (Unix time in ms)."""

    def __init__(self, routes, port=0, prepare=()):
        command = [sys.executable, HERE / "server.py", routes, "--port", port]
        if prepare:
            command += ["--prepare", *prepare]
        super().__init__("server", _pinned(SERVER_CPU, *command))
        ready = self.read("port", 60)
        self.port, self.since = ready["port"], ready["unix_ms"]
        self.url = f"http://127.0.0.1:{self.port}"


class Bench:
    """Runs benchmarks; `samples` has for each, and for each client, one sample a round."""

    def __init__(self, clients, rounds, folder):
        self.samples = {}
        self.failures = []
        self._clients = clients
        self._rounds = rounds
        self._folder = folder

    def run(self, name):
        """Runs one benchmark."""
        samples = self.samples[name] = {client.name: [] for client in self._clients}
        try:
            getattr(self, f"_{name.replace('-', '_')}")(name, samples)
        except Failed as failure:
            self.failures.append(f"{name}: {failure}")

    def _event(self, name, samples):
        self._in_turns(name, samples, lambda client: client.run("event", self._folder / "events.jsonl", EVENTS))

    def _queue(self, name, samples):
        self._in_turns(name, samples, lambda client: client.run("queue", KEYS))

    def _list(self, name, samples, full=False):
        def once(client):
            options = ["--full"] if full and client.name == "client-go" else []
            sample = client.run("list", *options, server.url)
            if sample.get("objects") != data.ROUTES:
                raise Failed(f"{client.name}: listed {sample.get('objects')} objects, not {data.ROUTES}")
            return sample

        with Server(self._folder / "routes.jsonl", prepare=[PAGE, 0]) as server:
            self._in_turns(name, samples, once)

    def _list_full(self, name, samples):
        self._list(name, samples, full=True)

    def _in_turns(self, name, samples, once):
        lost = set()
        for clients in self._each_round(name):
            for client in clients:
                if client.name not in lost:
                    try:
                        samples[client.name].append(once(client))
                    except Failed as failure:
                        self.failures.append(f"{name}: {failure}")
                        lost.add(client.name)

    def _reconnect(self, name, samples):
        """Both clients lose the same server at the same time; their back-offs are what differs."""
        routes = self._folder / "watched.jsonl"
        data.write_routes(routes, WATCHED)
        new = data.route(data.ROUTES)
        added = data.event("ADDED", new)
        lost = set()
        for clients in self._each_round(name):
            with contextlib.ExitStack() as stack:
                server = stack.enter_context(Server(routes))
                running = {}
                for client in clients:
                    if client.name not in lost:
                        command = client.command("reconnect", server.url)
                        running[client.name] = stack.enter_context(Child(client.name, command))
                self._for_each(name, running, lost, lambda _, child: child.read("synced", 30))
                # A client may be in sync before its watch is open, and client-go takes a watch that ends within
                # a second for a fault of its own kind.
                time.sleep(2)
                server.kill()
                time.sleep(3)
                server = stack.enter_context(Server(routes, server.port))
                time.sleep(max(0, server.since / 1000 + 0.1 - time.time()))
                server.write(added)

                def seen(client, child, since=server.since):
                    event = child.read("event", 60)
                    if not event["event"].endswith(new["metadata"]["name"]):
                        raise Failed(f"{client}: saw {event['event']}, which is not new")
                    samples[client].append({"ms": event["unix_ms"] - since})

                self._for_each(name, running, lost, seen)

    def _for_each(self, name, running, lost, action):
        for client in list(running):
            try:
                action(client, running[client])
            except Failed as failure:
                self.failures.append(f"{name}: {failure}")
                lost.add(client)
                del running[client]

    def _each_round(self, name):
        for number in range(self._rounds):
            print(f"{name}, round {number + 1} of {self._rounds}", file=sys.stderr)
            yield self._clients if number % 2 == 0 else self._clients[::-1]


class Result:
    """The figures of one measure over all rounds, in its unit."""

    def __init__(self, samples, measure):
        self.go = _values(samples.get("client-go", []), measure)
        self.ours = _values(samples.get("portitor", []), measure)
        self.ratios = []
        if len(self.go) == len(self.ours):
            self.ratios = [go / ours for go, ours in zip(self.go, self.ours) if ours]


def _values(samples, measure):
    return [sample[measure.field] * measure.factor for sample in samples if measure.field in sample]


def _spread(values, suffix=""):
    if not values:
        return "-"
    return f"{_short(statistics.median(values))}{suffix} [{_short(min(values))}-{_short(max(values))}]"


def _short(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def results_of(bench):
    """The results by benchmark and field."""
    return {
        name: {measure.field: Result(samples, measure) for measure in MEASURES[name]}
        for name, samples in bench.samples.items()
    }


def print_table(results):
    """One line for each measure."""
    print(f"\nmedian [min-max]\n{'':10} {'':22} {'client-go':>24} {'portitor':>24} {'client-go / portitor':>24}")
    for name, fields in results.items():
        for measure in MEASURES[name]:
            result = fields[measure.field]
            columns = [_spread(result.go), _spread(result.ours), _spread(result.ratios, "x")]
            print(f"{name:10} {measure.unit:22} {columns[0]:>24} {columns[1]:>24} {columns[2]:>24}")
            name = ""
    print()
    for name in results:
        print(f"{name}: {NOTES[name]}")


def judge(results):
    """What became of the budgets of the benchmarks that ran."""
    verdicts = []
    for budget in BUDGETS:
        if budget.benchmark not in results:
            continue
        result = results[budget.benchmark][budget.field]
        values = result.ratios if budget.ratio else result.ours
        value = statistics.median(values) if values else None
        verdict = "not measured"
        if value is not None:
            reached = [value >= bar if budget.ratio else value <= bar for bar in (budget.must, budget.goal)]
            verdict = "goal met" if reached[1] else "must met" if reached[0] else "MUST MISSED"
        verdicts.append({**budget._asdict(), "value": value, "verdict": verdict})
    return verdicts


def print_verdicts(verdicts):
    """One line for each budget."""
    print()
    for each in verdicts:
        what, sign = ("x as fast", ">=") if each["ratio"] else (" MB peak RSS", "<=")
        value = "-" if each["value"] is None else _short(each["value"])
        bars = f"must {sign} {each['must']}, goal {sign} {each['goal']}"
        print(f"budget {each['benchmark']}: {value}{what}, {bars}: {each['verdict']}")


def _pinned(cpu, *command):
    return ["taskset", "-c", str(cpu), *map(str, command)]


def _tail(output):
    return " / ".join(output.decode(errors="replace").strip().splitlines()[-3:]) or "no message"


def _clients(binary):
    built = subprocess.run([HERE / "go" / "build.sh"], stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        raise Failed("client-go's side was not built")
    clients = [Client("client-go", built.stdout.strip())]
    if os.access(binary, os.X_OK):
        return [*clients, Client("portitor", binary)]
    print(f"run.py: no {binary}: measuring client-go alone", file=sys.stderr)
    return clients


def _parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = REPOSITORY / "build" / "release" / "test" / "bench" / "kube_bench"
    parser.add_argument("--binary", type=Path, default=default, help="Portitor's side (default: %(default)s)")
    parser.add_argument("--only", action="append", choices=MEASURES, metavar="NAME", help=f"of {', '.join(MEASURES)}")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where all samples go")
    parser.add_argument("--check", action="store_true", help="exit code 1 when a must is missed or not measured")
    return parser.parse_args()


def main():
    """Exit code 1 when a run failed."""
    arguments = _parse()
    try:
        clients = _clients(arguments.binary)
    except Failed as failure:
        print(f"run.py: {failure}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="kube-bench-") as folder:
        folder = Path(folder)
        data.write_routes(folder / "routes.jsonl")
        data.write_events(folder / "events.jsonl")
        bench = Bench(clients, arguments.rounds, folder)
        for name in MEASURES:
            if not arguments.only or name in arguments.only:
                bench.run(name)
    return _report(bench, arguments)


def _report(bench, arguments):
    results = results_of(bench)
    verdicts = judge(results)
    print_table(results)
    print_verdicts(verdicts)
    for failure in bench.failures:
        print(f"FAILED {failure}")
    if arguments.json:
        report = {
            "rounds": arguments.rounds,
            "cpus": {"client": CLIENT_CPU, "server": SERVER_CPU},
            "samples": bench.samples,
            "ratios": {name: {key: each.ratios for key, each in fields.items()} for name, fields in results.items()},
            "budgets": verdicts,
            "failures": bench.failures,
        }
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    missed = [each for each in verdicts if each["verdict"] in ("MUST MISSED", "not measured")]
    return 1 if bench.failures or (arguments.check and missed) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
