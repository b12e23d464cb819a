#!/usr/bin/env python3
"""Compares Portitor's gate with gates by hand, in Go and in nginx: the same requests, in turns, in one run.

Needs two processors: a gate runs on the first, what asks it on the last. See README.md.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gates
import report
from processes import HERE, LOAD_CPU, SERVER_CPU, Failed, awake, raise_file_limit, run
from scenarios import IDLE_CONNECTIONS, SCENARIOS, Bench, Tools

REPOSITORY = HERE.parents[2]
TARGETS = [f"gate_{name}" for name in ("load", "raw_epoll", "facilitator", "awake", "payments", "route_table")]


def _parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*", metavar="NAME", help=f"of {', '.join(SCENARIOS)}; without any, all")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=2, help="of each sample (default: %(default)s)")
    parser.add_argument("--warm-up", type=float, default=0.5, help="seconds before each (default: %(default)s)")
    # The gate's table of claims has room for 100 000.
    parser.add_argument("--payments", type=int, default=90_000, help="of a paid sample at most (default: %(default)s)")
    parser.add_argument("--build", type=Path, default=REPOSITORY / "build" / "release", help="default: %(default)s")
    parser.add_argument("--no-build", action="store_true", help="take the C++ programs as they are")
    parser.add_argument("--programs", type=Path, help="where the C++ baselines are, if not in the build")
    parser.add_argument("--binary", type=Path, help="Portitor, if not the one of the build")
    parser.add_argument("--against", type=Path, metavar="BINARY", help="another Portitor, in place of all other gates")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where all samples go")
    parser.add_argument("--check", action="store_true", help="exit code 1 when a must is missed or not measured")
    arguments = parser.parse_args()
    for name in arguments.scenarios:
        if name not in SCENARIOS:
            parser.error(f"{name} is none of {', '.join(SCENARIOS)}")
    return arguments


def _build(arguments):
    """The gates by name."""
    binary = arguments.binary or arguments.build / "portitor"
    if not arguments.no_build:
        targets = TARGETS + ([] if arguments.binary else ["portitor"])
        if subprocess.run(["cmake", "--build", arguments.build, "--target", *targets], stdout=sys.stderr).returncode:
            raise Failed(f"{', '.join(targets)} were not built")
    programs = arguments.programs or arguments.build / "test" / "bench" / "gate"
    ours = [gates.Portitor(binary), gates.Portitor(binary, gates.SQLITE, on_disk=True)]
    if arguments.against:
        return programs, {gate.name: gate for gate in [*ours, gates.Portitor(arguments.against, gates.OTHER)]}
    go = run(HERE / "go" / "build.sh").strip()
    all_gates = [
        *ours,
        gates.raw_epoll(programs / "gate_raw_epoll"),
        gates.go(go),
        gates.go(go, "go-tuned", "-client", "tuned"),
        gates.go(go, "go-check", "-check-signature"),
        gates.go(go, "go-tuned-check", "-client", "tuned", "-check-signature"),
    ]
    if gates.NGINX.exists():
        all_gates.append(gates.nginx())
    else:
        print(f"run.py: no {gates.NGINX}: without nginx", file=sys.stderr)
    return programs, {gate.name: gate for gate in all_gates}


def main():
    """Exit code 1 when a run failed."""
    arguments = _parse()
    if SERVER_CPU == LOAD_CPU:
        print("run.py: needs two processors", file=sys.stderr)
        return 1
    try:
        raise_file_limit(IDLE_CONNECTIONS + 1000)
        programs, all_gates = _build(arguments)
    except Failed as failure:
        print(f"run.py: {failure}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="gate-bench-") as folder:
        tools = Tools(
            programs, Path(folder), arguments.rounds, arguments.seconds, arguments.warm_up, arguments.payments
        )
        bench = Bench(tools, all_gates)
        with awake(programs / "gate_awake", Path(folder)):
            for name in SCENARIOS:
                if not arguments.scenarios or name in arguments.scenarios:
                    bench.run(name)
    return _report(bench, arguments)


def _report(bench, arguments):
    results = report.results_of(bench.samples, arguments.rounds)
    report.print_table(results)
    for failure in bench.failures:
        print(f"FAILED {failure}")
    if arguments.json:
        whole = {
            "rounds": arguments.rounds,
            "seconds": arguments.seconds,
            "cpus": {"gate": SERVER_CPU, "load": LOAD_CPU},
            "samples": bench.samples,
            "figures": report.as_json(results),
            "failures": bench.failures,
        }
        arguments.json.write_text(json.dumps(whole, indent=2) + "\n")
    missed = [each for each in results if each.verdict in ("MUST MISSED", "not measured")]
    return 1 if bench.failures or (arguments.check and missed) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
