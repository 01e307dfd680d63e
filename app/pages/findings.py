"""The Findings page: what the shipped runs say about each question. It is whole without its script."""

from __future__ import annotations

from app.pages.part import Part
from core.documents.findings import page

HEAD = '<div class="findings-page"><header class="page-head" data-slot="head"><h1>Findings</h1></header>'


def parts() -> tuple[Part, ...]:
    """The page, in one part."""
    return (Part(f"{HEAD}{page()}</div>", "pages/findings/page.js", "findings"),)
