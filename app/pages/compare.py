"""The page that lays runs side by side: curves and means, scatter, differences, table."""

from __future__ import annotations

from app.pages.panels import LOADING, panel

SKELETON = f'<div class="compare-page"><h1>Compare</h1>{LOADING}</div>'


def build() -> None:
    """The page, inside the Blocks that is open."""
    panel("pages/compare/page.js", SKELETON, elem_id="compare")
