"""The main job once more, with a build that ends at the first wrong access to memory: AddressSanitizer and
UndefinedBehaviorSanitizer."""

import os
from pathlib import Path

import pytest
from stack import ROOT, Stack
from test_main_job import *  # noqa: F403 (its tests, with the stack of this file)

PROGRAM = Path(os.environ.get("PORTITOR_SANITIZED_BIN", ROOT / "build" / "asan" / "portitor"))


@pytest.fixture(scope="module")
def stack():
    if not os.access(PROGRAM, os.X_OK):
        pytest.fail(f"{PROGRAM} is not there: build it first (scripts/build.sh asan)")
    with Stack(program=PROGRAM.resolve()) as started:
        yield started
