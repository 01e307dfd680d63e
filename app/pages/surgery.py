"""The page of surgery on a finished run, found by the run's id in the URL."""

from __future__ import annotations

from app.pages.panels import LOADING, panel

SKELETON = f'<div class="surgery-page"><h1 class="waiting">Surgery</h1>{LOADING}</div>'


def build() -> None:
    """The page, inside the Blocks that is open."""
    panel("pages/surgery/page.js", SKELETON, elem_id="surgery")
