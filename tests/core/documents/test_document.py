"""What all documents share: everything that a template prints is escaped, and nothing that it lacks goes unnoticed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

from core.documents import document
from core.documents.templates import render

NASTY = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"' onload='x",
    "a & b &amp; c",
    "γ שלום",
]
TEMPLATE = "app/sharing/comparison.html.j2"
MADE = datetime(2025, 1, 2, 3, 4, tzinfo=UTC)


class Reader(HTMLParser):
    """The texts, attributes and elements that a browser finds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.values: list[str | None] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.values += [value for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("words", NASTY)
def test_what_strangers_write_stays_text(words: str) -> None:
    made = {"description": words, "link": f"http://here/?{words}", "made": MADE, "gap": words}
    text = document.page(TEMPLATE, words, json.dumps({"name": words}), ("figure.js",), **made)
    plain = {key: "x" if isinstance(value, str) else value for key, value in made.items()}
    found, wanted = Reader(text), Reader(document.page(TEMPLATE, "x", "{}", ("figure.js",), **plain))
    assert found.elements == wanted.elements
    assert f"http://here/?{words}" in found.values and f"{words} · OnlyBN" in found.texts
    assert json.dumps({"name": words}).replace("<", "\\u003c") in found.texts


def test_a_file_in_pieces_is_the_same_file() -> None:
    made = {"description": "d", "link": None, "made": MADE}
    whole = document.page(TEMPLATE, "t", "{}", ("figure.js",), gap="<&>", **made)
    before, between, after = document.pieces(TEMPLATE, "t", ("figure.js",), **made)
    assert whole == f"{before}&lt;&amp;&gt;{between}{{}}{after}"
    assert "on the command line. The file needs no network." in whole


def test_a_template_may_lack_nothing() -> None:
    with pytest.raises(UndefinedError, match="description"):
        document.page(TEMPLATE, "t", "{}", (), gap="", link=None, made=MADE)
    with pytest.raises(UndefinedError, match="info"):
        render("app/api/docs.html.j2", operations=[], schemas={})
