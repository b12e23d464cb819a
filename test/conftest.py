"""How the tests on real parts run in one session with several workers (`-n 3`): what one worker does on its own, and what
is begun first. Without workers nothing is different from what pytest does by itself."""

import zlib

import pytest

# The long parts, begun first, so that no worker has a long one left when the others have nothing to do.
_LONG = (
    "e2e/test_main_job_sanitized.py",
    "lifecycle/test_life_cycle.py",
    "e2e/test_convergence.py",
    "integration 0",
    "integration 1",
    "e2e/test_registrar_faults.py",
    "e2e/test_registrar_chain.py",
    "e2e/test_registrar_kill.py",
    "e2e/test_main_job.py",
    "e2e/test_gate_faults.py",
    "e2e/test_gate_tls.py",
    "e2e/test_paid_through_failures.py",
    "e2e/test_deletion.py",
    "e2e/test_conflicts.py",
    "e2e/test_config_lists.py",
    "chart",
    "cluster/test_cluster.py",
)


def part_of(nodeid):
    """The tests of one part share what they start, and run one after the other: those of a file, as a rule."""
    path, _, name = nodeid.partition("::")
    if path.startswith("chart/"):
        # Most of them share one cluster.
        return "chart"
    if path.startswith("integration/"):
        # They share a cluster too, but need nothing of each other.
        return f"integration {zlib.crc32(name.encode()) % 2}"
    return path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class Parts(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return part_of(nodeid)

    return Parts(config, log)


def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        order = {part: number for number, part in enumerate(_LONG)}
        for item in items:
            order.setdefault(part_of(item.nodeid), len(order))
        items.sort(key=lambda item: order[part_of(item.nodeid)])
