"""The page of all runs: queue, history and the overlay of chosen runs."""

from __future__ import annotations

from app.pages.panels import LOADING, panel

SKELETON = f'<div class="runs-page"><h1>Runs</h1>{LOADING}</div>'


def build() -> None:
    """The page, inside the Blocks that is open."""
    panel("pages/runs/page.js", SKELETON, elem_id="runs")
