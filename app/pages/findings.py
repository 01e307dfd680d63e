"""The Findings page: what the shipped runs say about each question. It is whole without its script."""

from __future__ import annotations

from app.pages.panels import panel
from core.documents.findings import page

HEAD = '<div class="findings-page"><header class="page-head" data-slot="head"><h1>Findings</h1></header>'


def build() -> None:
    """Build the page inside the open Blocks."""
    panel("pages/findings/page.js", f"{HEAD}{page()}</div>", elem_id="findings")
