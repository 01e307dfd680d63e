"""The page /agents.md: how a program asks a question, waits and reads the verdict, as plain text.

agents.md.j2 has its text, and `tests/app/pages/test_agents.py` runs the Python in it.
"""

from __future__ import annotations

from core.documents.templates import render
from core.studies.asked.claim import KINDS
from core.studies.asked.question import MAX_RUNS


def page(site: str) -> str:
    """The text; `site` is the address of this site without a slash at its end."""
    return render("app/pages/agents.md.j2", site=site, kinds=KINDS, most=MAX_RUNS)
