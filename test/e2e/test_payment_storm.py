"""Everything around the money dies at random moments, and each payment is charged once and granted once all the same: 500
payments, some where the verifier asks a node of the chain, some where it has the facilitator's word alone."""

import os
import time

import pytest
from payment_storm import Shop, book, weather

SEED = int(os.environ.get("PORTITOR_SEED", "402"))
COUNTS = {"with-node": 350, "without-node": 150}


@pytest.mark.parametrize("kind", COUNTS)
def test_grants_are_settlements_are_charges_whatever_dies_when(stack, kind, capsys):
    began = time.monotonic()
    ledger = stack.cluster.directory / f"storm-{kind}.db"
    with Shop(stack, ledger, with_node=kind == "with-node") as shop:
        outcome = weather(shop, COUNTS[kind], SEED)
        told = f"{outcome.told()}, {time.monotonic() - began:.0f} s, seed {SEED}"
        with capsys.disabled():
            print(f"\n  {kind}: {told}")
        outcome.check()
        # Each sale is on record, once, with what was paid.
        sold = book(shop)
        assert sold["payments"] == outcome.settlements + len(outcome.unproven), told
        assert outcome.unproven or sold["amount"] == str(outcome.amount), told
