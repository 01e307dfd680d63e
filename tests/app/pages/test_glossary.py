"""The glossary: every word that a page marks is in it, and nothing is explained twice."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from app.pages import about
from app.pages.glossary import GLOSSARY, marked
from app.web.assets import STATIC
from core.catalog.registry import UnknownName


def test_every_word_that_a_script_marks_is_explained() -> None:
    used = {name for script in STATIC.rglob("*.js") for name in re.findall(r'\bterm\("([a-z-]+)"', script.read_text())}
    assert used and used <= set(GLOSSARY)
    parts = (STATIC / "pages" / "train" / "parts.js").read_text()
    assert set(re.findall(r': "([a-z-]+)"', parts.partition("const TERMS")[2].partition("}")[0])) <= set(GLOSSARY)


def test_a_page_cannot_mark_what_nobody_explains() -> None:
    with pytest.raises(UnknownName):
        marked("wishes", "wishes")


def test_the_api_says_what_about_lists(client: TestClient) -> None:
    shown = client.get("/api/glossary").json()
    listed = about._glossary()
    assert list(shown) == list(GLOSSARY)
    for name, term in shown.items():
        assert f'id="term-{name}"' in listed and len(term["sentence"]) < 200 and term["sentence"].endswith(".")
    assert len({term["title"] for term in shown.values()}) == len(shown)


def test_the_citations_are_bibtex() -> None:
    for entry in (about.PAPER, about.PROJECT):
        assert re.fullmatch(r"@\w+\{[\w]+,\n(  \w+ += \{[^{}]+\},?\n)+\}", entry)
