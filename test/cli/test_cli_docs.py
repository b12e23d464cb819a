"""What docs/cli.md shows as the output of commands is what they print. PORTITOR_UPDATE_DOCS=1 writes it anew."""

import os
from pathlib import Path

import transcript

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/cli.md"

def test_the_page_shows_what_the_commands_print(run, on_path):
    page = PAGE.read_text()
    steps = transcript.steps(page)
    assert len(steps) > 5, "the page has commands"
    # Both outputs, as on a terminal.
    printed = [run("-c", f"exec 2>&1; {step.command}", program="bash", env=on_path).stdout for step in steps]
    if os.environ.get("PORTITOR_UPDATE_DOCS"):
        PAGE.write_text(transcript.rewritten(page, printed))
        return
    stale = [
        f"$ {step.command}\n{different}"
        for step, now in zip(steps, printed)
        if (different := transcript.difference(step.shown, now))
    ]
    assert not stale, "docs/cli.md is stale; PORTITOR_UPDATE_DOCS=1 writes it anew:\n" + "\n\n".join(stale)
