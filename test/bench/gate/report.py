"""Which figures are compared, what they must reach, and how that is told."""

import statistics
from typing import NamedTuple


class Figure(NamedTuple):
    """A figure of ours beside a baseline's."""

    scenario: str
    metric: str
    field: str
    baseline: str = ""
    compare: str = "baseline/ours"  # or ours/baseline, ours-baseline, ours alone: then less is better
    must: float | None = None
    goal: float | None = None
    gate: str = "portitor"

    @property
    def more_is_better(self):
        """Of what is compared."""
        return self.compare == "baseline/ours"


_LESS, _MORE, _OURS = "ours/baseline", "ours-baseline", "ours"

FIGURES = [
    Figure("402", "CPU us/request", "cpu_us", "go", must=2.1, goal=2.8),
    Figure("402", "CPU us/request", "cpu_us", "raw", must=0.65, goal=0.9),
    Figure("402", "CPU us/request", "cpu_us", "nginx"),
    Figure("402", "CPU us/request", "cpu_us", "other"),
    Figure("402", "p99 us", "p99_us", "go", _LESS, must=0.4, goal=0.25),
    Figure("402", "p99 us", "p99_us", "raw", _LESS),
    Figure("402", "requests/s", "requests_per_s", "go", _LESS),
    Figure("402-c1", "CPU us/request", "cpu_us", "go"),
    Figure("402-c1", "CPU us/request", "cpu_us", "raw"),
    Figure("402-c1", "p50 us", "p50_us", "go", _LESS),
    Figure("402-10k", "CPU us/request", "cpu_us", "go", must=13, goal=19),
    Figure("402-10k", "CPU us/request", "cpu_us", "raw"),
    Figure("paid", "CPU us/request", "cpu_us", "go", must=6, goal=8),
    Figure("paid", "CPU us/request", "cpu_us", "go-tuned", must=3.2, goal=4.2),
    Figure("paid", "CPU us/request", "cpu_us", "go-check"),
    Figure("paid", "CPU us/request", "cpu_us", "go-tuned-check"),
    Figure("paid", "CPU us/request", "cpu_us", "other"),
    Figure("paid", "CPU us/request more with SQLite", "cpu_us", "portitor", _MORE, must=25, goal=15, gate="sqlite"),
    Figure("paid", "CPU us/request more with SQLite", "cpu_us", "other", _MORE, gate="sqlite"),
    Figure("paid", "requests/s", "requests_per_s", "other", _LESS),
    Figure("paid", "requests/s with SQLite", "requests_per_s", "portitor", _LESS, gate="sqlite"),
    Figure("paid", "p99 us", "p99_us", "go-tuned", _LESS),
    Figure("paid", "p99 us more with SQLite", "p99_us", "portitor", _MORE, gate="sqlite"),
    Figure("paid", "facilitator connections", "facilitator_connections", "go", _OURS, must=64, goal=64),
    Figure("paid-steady", "CPU us/request", "cpu_us", "other"),
    Figure("paid-steady", "CPU us/request more with SQLite", "cpu_us", "portitor", _MORE, gate="sqlite"),
    Figure("paid-steady", "requests/s", "requests_per_s", "other", _LESS),
    Figure("paid-steady", "requests/s with SQLite", "requests_per_s", "portitor", _LESS, gate="sqlite"),
    Figure("paid-steady", "p99 us", "p99_us", "other"),
    Figure("paid-steady", "p99 us with SQLite", "p99_us", "portitor", gate="sqlite"),
    Figure("paid-steady", "RSS MB", "rss_mb", "other", _OURS, must=150, goal=150),
    Figure("paid-steady", "RSS MB with SQLite", "rss_mb", "portitor", _OURS, gate="sqlite"),
    Figure("paid-c1", "CPU us/request", "cpu_us", "other"),
    Figure("paid-c1", "CPU us/request more with SQLite", "cpu_us", "portitor", _MORE, gate="sqlite"),
    Figure("paid-c1", "p50 us more with SQLite", "p50_us", "portitor", _MORE, gate="sqlite"),
    Figure("paid-c1", "p99 us more with SQLite", "p99_us", "portitor", _MORE, gate="sqlite"),
    Figure("tls", "CPU us/request", "cpu_us", "go", must=1.6, goal=2),
    Figure("tls", "CPU us/request", "cpu_us", "nginx"),
    Figure("idle", "bytes/connection", "bytes_per_connection", "go", _OURS, must=12 * 1024, goal=5 * 1024),
    Figure("routes", "RSS MB, 100 000 routes", "rss_mb", "", _OURS, must=200, goal=80),
    Figure("lookup", "ns by key, 100 000 routes / 100", "by_key_flat", "", _OURS, must=15, goal=8),
    Figure("lookup", "ns by path, 100 000 routes / 100", "by_path_flat", "", _OURS, must=15, goal=8),
    Figure("lookup", "us/changed route, 100 000 routes / 100", "change_flat", "", _OURS, must=15, goal=8),
    Figure("lookup", "us/changed route, 100 000 routes", "change_us", "copied hash table", must=100, goal=1000),
    Figure("lookup", "ns by key, 100 000 routes", "by_key_ns", "copied hash table"),
    Figure("rss", "RSS MB after 402", "rss_mb", "go", _OURS),
]


class Result(NamedTuple):
    """A figure over all rounds: ours, the baseline's, and what is compared, round by round."""

    figure: Figure
    ours: list
    baseline: list
    compared: list

    @property
    def median(self):
        """Of what is compared; None without samples."""
        return statistics.median(self.compared) if self.compared else None

    @property
    def verdict(self):
        """Empty where nothing is asked for."""
        figure = self.figure
        if figure.must is None:
            return ""
        if self.median is None:
            return "not measured"
        reached = [
            self.median >= bar if figure.more_is_better else self.median <= bar for bar in (figure.must, figure.goal)
        ]
        return "goal met" if reached[1] else "must met" if reached[0] else "MUST MISSED"


def results_of(samples, rounds):
    """Of the scenarios that ran. A gate that lost a round has no figure."""
    out = []
    for figure in FIGURES:
        if figure.scenario not in samples:
            continue
        ours = _values(samples[figure.scenario], figure.gate, figure.field, rounds)
        baseline = _values(samples[figure.scenario], figure.baseline, figure.field, rounds)
        if figure.compare == _OURS:
            compared = ours
        elif figure.compare == _MORE:
            compared = [one - other for one, other in zip(ours, baseline)]
        elif figure.compare == _LESS:
            compared = [one / other for one, other in zip(ours, baseline)]
        else:
            compared = [other / one for one, other in zip(ours, baseline)]
        out.append(Result(figure, ours, baseline, compared))
    return out


def print_table(results):
    """One line for each figure."""
    head = ["name", "metric", "ours", "baseline", "compared: median [min-max]", "must", "goal", "verdict"]
    rows = [head, *map(_row, results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        print(" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def as_json(results):
    """For --json."""
    return [
        result.figure._asdict()
        | {"ours": result.ours, "baseline_values": result.baseline, "compared": result.compared}
        | {"median": result.median, "verdict": result.verdict}
        for result in results
    ]


def _row(result):
    figure = result.figure
    sign = ">=" if figure.more_is_better else "<="
    baseline = f"{figure.baseline} {_spread(result.baseline)}" if figure.baseline else ""
    ratio = "" if figure.compare == _OURS else f"{_spread(result.compared)} {figure.compare}"
    bars = ["" if bar is None else f"{sign} {_number(bar)}" for bar in (figure.must, figure.goal)]
    return [figure.scenario, figure.metric, _spread(result.ours), baseline, ratio, *bars, result.verdict]


def _values(samples, gate, field, rounds):
    values = [sample[field] for sample in samples.get(gate, []) if field in sample]
    return values if len(values) == rounds else []


def _short(values):
    return _number(statistics.median(values)) if values else "-"


def _spread(values):
    return f"{_short(values)} [{_number(min(values))}-{_number(max(values))}]" if values else "-"


def _number(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
