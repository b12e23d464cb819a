"""Nobody is served who has not paid, whatever he sends: a short form of test/bench/gate/hostile.py."""

import os

import pytest
from hostile_buyers import Shop

COUNT = 4_000
SEED = int(os.environ.get("PORTITOR_SEED", "402"))


@pytest.fixture
def shop(stack, scripted):
    with Shop(stack) as it:
        yield it


def test_of_thousands_of_hostile_requests_none_is_granted(shop, capsys):
    came = shop.attack(COUNT, SEED)
    with capsys.disabled():
        print(f"\n  {dict(came.answers)}, facilitator {came.asked}, seed {SEED}")
    assert not came.wrong, came.wrong[:3]
    assert came.answers.total() == COUNT
    assert came.settled == 0
    # The mutations are not all caught by the first check: each kind of refusal is met.
    assert all(came.answers[status] > 0 for status in (400, 402, 403, 409))
