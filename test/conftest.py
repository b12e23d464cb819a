"""How the tests on real parts run in one session with several workers (`-n 3`): what one worker does on its own, and what
is begun first. Without workers nothing is different from what pytest does by itself."""

import zlib

import pytest

# About how many seconds the long parts take. They are begun first, so that no worker has a long one left when the others
# have nothing to do.
_LONG = {}


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
        first = {}
        for number, item in enumerate(items):
            first.setdefault(part_of(item.nodeid), number)
        items.sort(key=lambda item: (-_LONG.get(part_of(item.nodeid), 0), first[part_of(item.nodeid)]))
