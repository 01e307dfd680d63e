"""The page /api/docs: our OpenAPI description as plain HTML, without requests to other hosts.

docs.html.j2 has its text and structure.
"""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup, escape

from app.pages import shell as plain
from core.documents.templates import render

GROUPS = {
    "runs": "Runs",
    "studies": "Studies",
    "rooms": "Rooms",
    "starts": "Files to start from",
    "admin": "For the operator",
}
"""The titles of groups of routes, by what follows /api/ in an address."""
OTHERS = "Everything else"


def page(openapi: dict[str, Any]) -> str:
    """The description `openapi` as one HTML page."""
    groups: dict[str, list[tuple[str, str, str, Any]]] = {title: [] for title in (*GROUPS.values(), OTHERS)}
    for path, methods in openapi["paths"].items():
        title = GROUPS.get(path.removeprefix("/api/").partition("/")[0], OTHERS)
        groups[title] += [(method.upper(), path, _anchor(method, path), said) for method, said in methods.items()]
    schemas = openapi.get("components", {}).get("schemas", {})
    body = render("app/api/docs.html.j2", info=openapi["info"], groups=groups, schemas=schemas, marked=_marked)
    return plain.page("API", body)


def _anchor(method: str, path: str) -> str:
    return f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}"


def _marked(text: str) -> Markup:
    """`text` as HTML: escaped, with text in backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
