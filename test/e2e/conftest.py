"""Makes the shared stack importable, and starts it once for all tests that ask for it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stack import Stack  # noqa: E402


@pytest.fixture(scope="session")
def stack():
    with Stack() as started:
        yield started
