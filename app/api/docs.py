"""The page /api/docs: our OpenAPI description as plain HTML, without a request to another host.

Its words and its structure are in docs.html.j2.
"""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup, escape

from app.pages import shell as plain
from core.documents.templates import render


def page(openapi: dict[str, Any]) -> str:
    """The whole description as one HTML page."""
    operations = [
        (method.upper(), path, _anchor(method, path), operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = openapi.get("components", {}).get("schemas", {})
    body = render("app/api/docs.html.j2", info=openapi["info"], operations=operations, schemas=schemas, marked=_marked)
    return plain.page("API", body)


def _anchor(method: str, path: str) -> str:
    return f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}"


def _marked(text: str) -> Markup:
    """`text` with what stands in backticks as code. It is escaped here, before it gets elements of ours."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
