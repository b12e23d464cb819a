"""wrk, for TLS, which our own load does not speak."""

import re

from processes import LOAD_CPU, Failed, run

_TO_US = {"us": 1, "ms": 1000, "s": 1_000_000}


def load(running, request, connections, seconds, warm_up):
    """Saturates a gate with one request; a sample as load.cpp prints it. Every answer must be an error to wrk,
    which is what a 402 is; which error was looked at before."""
    if warm_up:
        _run(running.port, request, connections, max(1, round(warm_up)))
    before = running.program.cpu_seconds()
    out = _run(running.port, request, connections, max(1, round(seconds)))
    out["server_cpu_s"] = running.program.cpu_seconds() - before
    return out


def _run(port, request, connections, seconds):
    lines = request.decode().strip().split("\r\n")
    headers = [word for line in lines[1:] for word in ("-H", line)]
    url = f"https://127.0.0.1:{port}{lines[0].split()[1]}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *headers, url]
    printed = run(*command, cpu=LOAD_CPU)
    requests, took = re.search(r"(\d+) requests in ([\d.]+)s", printed).groups()
    others = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    if "Socket errors" in printed or not others or others[1] != requests:
        raise Failed(f"wrk: not every answer was a 402: {printed[-400:]}")
    return {
        "requests": int(requests),
        "seconds": float(took),
        "p50_us": _latency(printed, "50%"),
        "p99_us": _latency(printed, "99%"),
    }


def _latency(printed, share):
    value, unit = re.search(rf"^\s+{share}\s+([\d.]+)(us|ms|s)$", printed, re.MULTILINE).groups()
    return float(value) * _TO_US[unit]
