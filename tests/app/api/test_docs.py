"""The page /api/docs says what the description says, as text."""

from __future__ import annotations

from typing import Any

from markupsafe import escape

from app.api.docs import page

EVIL = "<script>alert(1)<img src=x>\"' & γ"


def described(words: str) -> dict[str, Any]:
    """A description in which `words` stand wherever words can stand."""
    kinds = [{"const": words}, {"enum": [words, 1]}, {"type": "array", "items": {"$ref": f"#/x/{words}"}}]
    given = [
        {"name": words, "in": "query", "required": True, "schema": {"anyOf": kinds, "default": words}},
        {"name": "epochs", "in": "path", "schema": {"type": "integer", "minimum": 0, "exclusiveMaximum": 5}},
    ]
    operation = {
        "summary": words,
        "description": f"`{words}` and {words}",
        "parameters": given,
        "requestBody": {"content": {"text": {"schema": {"type": words}, "example": words}}},
        "responses": {"200": {"description": words, "content": {words: {}}}},
    }
    schema = {"description": words, "required": [words], "properties": {words: {"description": words, "type": "array"}}}
    return {
        "info": {"title": words, "description": words},
        "paths": {f"/{{id}}/{words}": {"get": operation}},
        "components": {"schemas": {words: schema}},
    }


def test_what_it_describes_stays_text() -> None:
    text, plain = page(described(EVIL)), page(described("words"))
    assert text.count("<script") == plain.count("<script") and "<img src=x" not in text
    assert text.count(str(escape(EVIL))) == plain.count("words")


def test_schemas_in_words() -> None:
    text = page(described("words"))
    list_of = '<code>words</code> or <code>words</code> | <code>1</code> or list of <a href="#schema-words">words</a>'
    assert f"<td>query, required</td><td>{list_of}</td><td> Default: <code>words</code>.</td>" in text
    assert "<td>path</td><td>integer 0..5</td><td></td>" in text
    assert "<code>words</code> and words" in text, "backticks make code"
    assert 'id="get-id-words"' in text


def test_a_default_that_is_nothing_much_is_said() -> None:
    openapi = described("words")
    (schema,) = openapi["components"]["schemas"].values()
    schema["properties"] = {"a": {"default": 0}, "b": {"default": False}, "c": {"default": None}}
    text = page(openapi)
    assert text.count("Default: <code>0</code>") == text.count("Default: <code>false</code>") == 1
    assert "None" not in text
