"""The page of one run, found by its id in the URL."""

from __future__ import annotations

from app.pages.panels import LOADING, panel

SKELETON = f'<div class="run-page"><h1 class="waiting">Run</h1>{LOADING}</div>'


def build() -> None:
    """The page, inside the Blocks that is open."""
    panel("pages/run/page.js", SKELETON, elem_id="run")
