"""The parts of a page below its header, as HTML and modules: the same whether Gradio serves the page or it is frozen.

No Gradio: `panels.py` puts a part into Gradio's page, `app/freeze/pages.py` into a file.
"""

from __future__ import annotations

from app.pages import about, findings
from app.pages.part import Part
from app.pages.table import Page

LOADING = '<div class="loading"><p role="status">Loading…</p><progress aria-label="Loading"></progress></div>'
"""The text of a skeleton, which appears if its script takes more than a second."""
OWN = {"/about": about.parts, "/findings": findings.parts}
"""The functions that make the parts of pages with words of their own, by path."""


def skeleton(page: Page) -> str:
    """The HTML of a page until its script has loaded, for pages without Python code of their own."""
    return f'<div class="{page.name}-page">{page.head}{LOADING}</div>'


def parts_of(page: Page) -> tuple[Part, ...]:
    """The parts of `page`, which is neither the form nor the first page."""
    if page.path in OWN:
        return OWN[page.path]()
    return (Part(skeleton(page), f"pages/{page.name}/page.js", page.name),)
