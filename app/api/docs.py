"""The page /api/docs: our OpenAPI description as plain HTML, without a request to another host."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from app.pages import shell as plain


def page(openapi: dict[str, Any]) -> str:
    """The whole description as one HTML page."""
    info = openapi["info"]
    parts = [f"<h1>{escape(info['title'])} API</h1>", *_paragraphs(info.get("description", ""))]
    parts.append('<p>The same for programs: <a href="openapi.json">openapi.json</a>.</p><ul>')
    operations = [
        (method, path, operation) for path, methods in openapi["paths"].items() for method, operation in methods.items()
    ]
    for method, path, operation in operations:
        label = f"<code>{method.upper()} {escape(path)}</code> {escape(operation.get('summary', ''))}"
        parts.append(f'<li><a href="#{_anchor(method, path)}">{label}</a></li>')
    parts.append("</ul>")
    for method, path, operation in operations:
        parts += _operation(method, path, operation)
    for name, schema in openapi.get("components", {}).get("schemas", {}).items():
        parts += [f'<h2 id="schema-{escape(name)}">{escape(name)}</h2>', *_paragraphs(schema.get("description", ""))]
        parts += _fields(schema)
    return plain.page("API", f'<div class="docs">{"".join(parts)}</div>')


def _anchor(method: str, path: str) -> str:
    return escape(f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}")


def _paragraphs(text: str) -> list[str]:
    """`text` as paragraphs, with what stands in backticks as code."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return [f"<p>{part.strip()}</p>" for part in marked.split("\n\n") if part.strip()]


def _operation(method: str, path: str, operation: dict[str, Any]) -> list[str]:
    parts = [f'<h2 id="{_anchor(method, path)}"><b>{method.upper()}</b><code>{escape(path)}</code></h2>']
    parts += _paragraphs(operation.get("description") or operation.get("summary", ""))
    if parameters := operation.get("parameters"):
        rows = (
            (p["name"], f"{p['in']}{', required' if p.get('required') else ''}", _kind(p["schema"]), _words(p))
            for p in parameters
        )
        parts.append(_table(("parameter", "in", "value", "meaning"), rows))
    for content in operation.get("requestBody", {}).get("content", {}).values():
        parts.append(f"<p>Body: {_kind(content['schema'])}</p>")
        if example := content.get("example"):
            parts.append(f'<pre tabindex="0">{escape(str(example))}</pre>')
    rows = ((status, _answer(r), "", escape(r.get("description", ""))) for status, r in operation["responses"].items())
    parts.append(_table(("answer", "body", "", "meaning"), rows))
    return parts


def _answer(response: dict[str, Any]) -> str:
    kinds = (_kind(content.get("schema", {})) or name for name, content in response.get("content", {}).items())
    return ", ".join(kinds)


def _fields(schema: dict[str, Any]) -> list[str]:
    required = schema.get("required", [])
    rows = (
        (name, "required" if name in required else "", _kind(field), _words(field))
        for name, field in schema.get("properties", {}).items()
    )
    return [_table(("field", "", "value", "meaning"), rows)]


def _words(field: dict[str, Any]) -> str:
    default = field.get("default", field.get("schema", {}).get("default"))
    said = escape(field.get("description", ""))
    return said if default is None else f"{said} Default: <code>{escape(str(default))}</code>."


def _kind(schema: dict[str, Any]) -> str:
    """A JSON schema in a few words, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[1])
        return f'<a href="#schema-{name}">{name}</a>'
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(_kind(option) for option in schema[key])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(choice))}</code>" for choice in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        inner = _kind(schema.get("items", {}))
        return f"list of {inner}" if inner else "list"
    kind = schema.get("type", "")
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None and high is None:
        return escape(str(kind))
    return escape(f"{kind} {low if low is not None else ''}..{high if high is not None else ''}")


def _table(head: tuple[str, ...], rows: Any) -> str:
    titles = "".join(f'<th scope="col">{escape(title)}</th>' if title else "<td></td>" for title in head)
    body = "".join(
        f"<tr><td><code>{escape(str(name))}</code></td><td>{where}</td><td>{kind}</td><td>{words}</td></tr>"
        for name, where, kind, words in rows
    )
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
