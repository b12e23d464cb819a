#!/usr/bin/env python3
"""Compares Portitor's controller with a controller-runtime twin that makes the same children, at many offers.

A real API server and etcd hold the offers before a controller starts. Each run begins with the same store: it is put
back between runs. First the controller makes all children (cold), then it is started anew and finds them (restart).
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
sys.path.insert(0, str(REPOSITORY / "test"))

from cluster import Cluster, wait_until  # noqa: E402
from cluster.netns import ADDRESS  # noqa: E402

HEALTH_PORT, METRICS_PORT, UPSTREAM_PORT = 8081, 8083, 9000
CHILDREN = ("middlewares", "httproutes", "paymentroutes")
QUIET = 3  # seconds without a request of the controller: it has done what there was to do
STEADY = 20  # seconds of nothing but probes
USER = "system:serviceaccount:portitor:portitor-controller"
_CPUS = sorted(os.sched_getaffinity(0))


class Failed(Exception):
    """A program did not do its part."""


class Figure(NamedTuple):
    """One line of the table. Bars are on ours / twin."""

    phase: str
    field: str
    what: str
    must: float | None = None
    goal: float | None = None


# The same time: neighbours on the machine move it by a tenth.
FIGURES = [
    Figure("cold", "seconds", "s until all children exist", 1.1, 1),
    Figure("cold", "idle_seconds", "s until it has done all"),
    Figure("cold", "cpu_seconds", "s CPU until then", None, 0.5),
    Figure("cold", "peak_mb", "MB peak RSS", 0.5, 0.25),
    Figure("cold", "requests", "requests/offer"),
    Figure("cold", "api_server_cpu_seconds", "s CPU of the API server"),
    Figure("cold", "steady_cpu", "% of a CPU afterwards"),
    Figure("restart", "idle_seconds", "s until it has looked at all", 1.1, 1),
    Figure("restart", "cpu_seconds", "s CPU until then", None, 0.5),
    Figure("restart", "peak_mb", "MB peak RSS", 0.5, 0.25),
    Figure("restart", "rss_mb", "MB RSS afterwards", 0.5, 0.25),
    Figure("restart", "requests", "requests/offer"),
    Figure("restart", "writes", "writes/offer"),
    Figure("restart", "steady_cpu", "% of a CPU afterwards"),
]


class Audit:
    """What the controller has asked of the API server since the last start()."""

    def __init__(self, folder):
        self._folder = folder
        self._offset = 0
        self._inode = None
        self.start()

    def start(self):
        """Forgets all that came before."""
        for _ in self._read():
            pass
        self.counts = {}
        self.made = dict.fromkeys(CHILDREN, 0)
        self.last_made = self.last = 0.0

    def update(self):
        """Reads what has come; whether there was anything."""
        before = self.total
        for line in self._read():
            if USER.encode() in line:
                self._take(json.loads(line))
        return self.total != before

    @property
    def total(self):
        """Of all requests but the watches."""
        return sum(count for (verb, _, _), count in self.counts.items() if verb != "watch")

    def by_kind(self):
        """How many of each, the most frequent first."""
        ordered = sorted(self.counts.items(), key=lambda each: -each[1])
        return {f"{verb} {what} {code}": count for (verb, what, code), count in ordered}

    def _take(self, event):
        # A watch counts when it begins: that of a controller that has ended ends later.
        if event["stage"] != ("ResponseStarted" if event["verb"] == "watch" else "ResponseComplete"):
            return
        of = event.get("objectRef", {})
        resource = of.get("resource", event["requestURI"])
        code = event.get("responseStatus", {}).get("code", 0)
        key = (event["verb"], "/".join(filter(None, [resource, of.get("subresource")])), code)
        self.counts[key] = self.counts.get(key, 0) + 1
        if event["verb"] == "watch":
            return
        self.last = max(self.last, _unix(event["stageTimestamp"]))
        if code == 201 and resource in self.made:
            self.made[resource] += 1
            self.last_made = max(self.last_made, self.last)

    def _read(self):
        """The new whole lines. The API server begins a new file every 100 MB and renames the old one."""
        current = self._folder / "audit.log"
        files = sorted(self._folder.glob("audit*.log"), key=lambda path: path.stat().st_mtime)
        if self._inode is None:
            files = [current]
        else:
            names = [path.stat().st_ino for path in files]
            files = files[names.index(self._inode) :] if self._inode in names else [current]
        for path in files:
            with path.open("rb") as log:
                inode = os.fstat(log.fileno()).st_ino
                if inode != self._inode:
                    self._inode, self._offset = inode, 0
                log.seek(self._offset)
                text = log.read()
            whole = text.rfind(b"\n") + 1
            self._offset += whole
            yield from text[:whole].splitlines()


class Contestant(NamedTuple):
    """A controller: `command` makes its command line from a cluster."""

    name: str
    command: object


class World:
    """The cluster, filled with offers, and put back to that before each run."""

    def __init__(self, cluster, programs, offers, namespaces):
        self.cluster = cluster
        self.offers = offers
        self._saved = cluster.directory / "etcd.saved"
        upstream = [programs / "controller_world", "upstream", "--listen", f"{ADDRESS}:{UPSTREAM_PORT}"]
        cluster.popen(_pinned(_CPUS[-1], upstream), "upstream")
        fill = [programs / "controller_world", "fill", "--kubeconfig", cluster.kubeconfig]
        fill += ["--offers", offers, "--namespaces", namespaces]
        done = subprocess.run(cluster.wrap(fill), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"the offers were not made: {done.stderr.strip()[-400:]}")
        self._stop()
        shutil.copytree(cluster.directory / "etcd", self._saved)
        self._start()

    def put_back(self):
        """The offers without any children."""
        self._stop()
        shutil.rmtree(self.cluster.directory / "etcd")
        shutil.copytree(self._saved, self.cluster.directory / "etcd")
        self._start()

    def _stop(self):
        for name in ("apiserver", "etcd"):
            self.cluster.processes[name].stop(60)

    def _start(self):
        for name in ("etcd", "apiserver"):
            self.cluster.processes[name].start().wait_ready(60)
        wait_until(self._serves_offers, 60, "the API server has the offers", interval=0.2)
        time.sleep(5)  # it warms its caches

    def _serves_offers(self):
        with contextlib.suppress(Exception):
            for path in ("obol.org/v1alpha1/serviceoffers", "traefik.io/v1alpha1/middlewares"):
                self.cluster.kubectl("get", "--raw", f"/apis/{path}?limit=1")
            return True


class Phase:
    """One life of a controller, from its start until there is nothing left to do."""

    def __init__(self, world, contestant, name, audit, cold, limit):
        self._world, self._audit, self._cold, self._limit = world, audit, cold, limit
        cluster = world.cluster
        self._api_server = cluster.processes["apiserver"].pid
        self._api_server_before = _cpu_seconds(self._api_server)
        audit.start()
        self._started = time.time()
        command = _pinned(_CPUS[0], contestant.command(cluster))
        self._process = cluster.popen(command, name, env={"POD_NAME": "bench", "POD_UID": "bench"})
        self._pid = self._process.pid

    def measure(self):
        """The figures. Leaves the controller running."""
        asked, cpu, api_server, at = self._wait_until_done()
        audit, offers = self._audit, self._world.offers
        memory = _memory_mb(self._pid)
        out = {
            "idle_seconds": (audit.last if self._cold else at) - self._started,
            "cpu_seconds": cpu,
            "api_server_cpu_seconds": api_server,
            "peak_mb": memory["VmHWM"],
            "requests": asked / offers,
            "writes": sum(n for (verb, _, _), n in audit.counts.items() if verb not in ("get", "list", "watch"))
            / offers,
            "by_kind": audit.by_kind(),
        }
        if self._cold:
            out["seconds"] = audit.last_made - self._started
        before, since = _cpu_seconds(self._pid), time.monotonic()
        time.sleep(STEADY)
        out["steady_cpu"] = 100 * (_cpu_seconds(self._pid) - before) / (time.monotonic() - since)
        out["rss_mb"] = _memory_mb(self._pid)["VmRSS"]
        return out

    def stop(self):
        """Ends it as Kubernetes would."""
        self._process.stop(60)

    def _wait_until_done(self):
        """Requests, CPU time of the controller and of the API server, and the time, when it had done all."""
        deadline = time.monotonic() + self._limit
        done, since = None, time.monotonic()
        while True:
            time.sleep(0.2)
            if not self._process.running:
                raise Failed(f"ended: {self._process.log()[-600:]}")
            asked = self._audit.update()
            now = time.monotonic()
            busy = asked or not self._has_looked_at_all()
            if busy or done is None:
                since, done = now, self._spent()
            if not busy and now - since > QUIET and self._complete():
                return done
            if now > deadline:
                raise Failed(f"not done after {self._limit} s: made {self._audit.made}")

    def _spent(self):
        api_server = _cpu_seconds(self._api_server) - self._api_server_before
        return self._audit.total, _cpu_seconds(self._pid), api_server, time.time()

    def _complete(self):
        return not self._cold or all(made >= self._world.offers for made in self._audit.made.values())

    def _has_looked_at_all(self):
        """By the metrics that both have, under the same names."""
        for port in (METRICS_PORT, HEALTH_PORT):
            with contextlib.suppress(OSError):
                text = self._world.cluster.http("GET", f"http://{ADDRESS}:{port}/metrics").body.decode()
                if _metric(text, "controller_runtime_reconcile_total") < self._world.offers:
                    return False
                return _metric(text, "workqueue_depth") + _metric(text, "controller_runtime_active_workers") == 0
        return False


def _metric(text, name):
    found = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return sum(float(value) for value in found)


def _unix(stamp):
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def _pinned(cpu, command):
    return ["taskset", "-c", str(cpu), *map(str, command)]


def _cpu_seconds(pid):
    """Of all threads, also of those that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    split = (line.partition(":") for line in lines)
    return {name: int(rest.split()[0]) / 1024 for name, _, rest in split if name in ("VmRSS", "VmHWM")}


def run(world, contestant, samples, limit):
    """One round of one controller."""
    audit = Audit(world.cluster.directory)
    for phase, cold in (("cold", True), ("restart", False)):
        print(f"  {contestant.name}: {phase}", file=sys.stderr)
        life = Phase(world, contestant, contestant.name, audit, cold, limit)
        try:
            sample = life.measure()
        finally:
            life.stop()
        samples.setdefault(phase, {}).setdefault(contestant.name, []).append(sample)


def _contestants(arguments, programs):
    def ours(cluster):
        return [
            arguments.binary,
            "--role=controller",
            f"--kubeconfig={cluster.role_kubeconfig('controller')}",
            f"--health-listen={ADDRESS}:{HEALTH_PORT}",
            "--public-url=http://gateway.example.com",
            "--leader-elect=false",
        ]

    def twin(*more):
        return lambda cluster: [
            programs / "controller_twin",
            f"--kubeconfig={cluster.role_kubeconfig('controller')}",
            f"--health-listen={ADDRESS}:{HEALTH_PORT}",
            f"--metrics-listen={ADDRESS}:{METRICS_PORT}",
            "--public-url=http://gateway.example.com",
            *more,
        ]

    out = [Contestant("portitor", ours), Contestant("twin", twin())]
    if arguments.default_cache:
        out.append(Contestant("twin-default", twin("--keep-managed-fields")))
    return [each for each in out if not arguments.only or each.name in arguments.only]


def results_of(samples):
    """For each figure: ours, the twin's and the ratios, round by round, and what became of its bars."""
    out = []
    for figure in FIGURES:
        by_name = samples.get(figure.phase, {})
        values = {name: [each[figure.field] for each in all_of] for name, all_of in by_name.items()}
        ours, twin = values.get("portitor", []), values.get("twin", [])
        ratios = [one / other for one, other in zip(ours, twin) if other]
        median = statistics.median(ratios) if ratios else None
        verdict = ""
        if figure.must is not None or figure.goal is not None:
            verdict = "not measured"
            if median is not None and figure.goal is not None and median <= figure.goal:
                verdict = "goal met"
            elif median is not None and (figure.must is None or median <= figure.must):
                verdict = "must met" if figure.must is not None else "goal missed"
            elif median is not None:
                verdict = "MUST MISSED"
        out.append(figure._asdict() | {"values": values, "ratios": ratios, "median": median, "verdict": verdict})
    return out


def print_table(results, names):
    """One line for each figure."""
    rows = [["phase", "figure", *names, "portitor / twin [min-max]", "must", "goal", "verdict"]]
    for each in results:
        columns = [_spread(each["values"].get(name, [])) for name in names]
        bars = ["" if each[bar] is None else f"<= {each[bar]:g}" for bar in ("must", "goal")]
        rows.append([each["phase"], each["what"], *columns, _spread(each["ratios"]), *bars, each["verdict"]])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print(" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def _spread(values):
    if not values:
        return "-"
    median = _short(statistics.median(values))
    return median if len(values) == 1 else f"{median} [{_short(min(values))}-{_short(max(values))}]"


def _short(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = REPOSITORY / "build" / "release" / "portitor"
    parser.add_argument("--binary", type=Path, default=default, help="Portitor (default: %(default)s)")
    parser.add_argument("--offers", type=int, default=10_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--namespaces", type=int, default=100, metavar="N", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="default: %(default)s")
    parser.add_argument("--only", action="append", metavar="NAME", help="portitor, twin or twin-default")
    parser.add_argument("--default-cache", action="store_true", help="also the twin with controller-runtime's cache as it is")
    parser.add_argument("--limit", type=float, default=1500, metavar="SECONDS", help="of a phase (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where all samples go")
    parser.add_argument("--check", action="store_true", help="exit code 1 when a must is missed or not measured")
    return parser.parse_args()


def main():
    """Exit code 1 when a run failed."""
    arguments = _parse()
    arguments.binary = arguments.binary.resolve()
    built = subprocess.run([HERE / "twin" / "build.sh"], stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode != 0 or not os.access(arguments.binary, os.X_OK):
        print(f"scale.py: the twin or {arguments.binary} is not there", file=sys.stderr)
        return 1
    programs = Path(built.stdout.strip())
    contestants = _contestants(arguments, programs)
    samples, failures = {}, []
    with Cluster(controller_manager=False, traefik=False) as cluster:
        print(f"making {arguments.offers} offers", file=sys.stderr)
        world = World(cluster, programs, arguments.offers, arguments.namespaces)
        for number in range(arguments.rounds):
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
            for place, contestant in enumerate(contestants if number % 2 == 0 else contestants[::-1]):
                if number or place:
                    world.put_back()
                try:
                    run(world, contestant, samples, arguments.limit)
                except Failed as failure:
                    failures.append(f"{contestant.name}: {failure}")
    return _report(arguments, [each.name for each in contestants], samples, failures)


def _report(arguments, names, samples, failures):
    results = results_of(samples)
    print(f"{arguments.offers} offers in {arguments.namespaces} namespaces")
    print_table(results, names)
    for failure in failures:
        print(f"FAILED {failure}")
    if arguments.json:
        whole = {"offers": arguments.offers, "namespaces": arguments.namespaces, "rounds": arguments.rounds}
        whole |= {"samples": samples, "figures": results, "failures": failures}
        arguments.json.write_text(json.dumps(whole, indent=2) + "\n")
    missed = [each for each in results if each["verdict"] in ("MUST MISSED", "not measured")]
    return 1 if failures or (arguments.check and missed) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
