"""Text that a person wrote, in YAML or JSON, as fields. Imports no torch.

Anybody may paste anything, so reading is strict: PyYAML's safe loader without Python objects, without aliases (a few
lines could expand to a huge document), without tags, and without repeated keys (all but one would be lost silently).
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node

JSON = re.compile(r'\s*\{\s*["}]')
"""The start of a JSON text. YAML may begin with a brace, too, but then its names need no quotes."""
MAX_DEPTH = 16


class BadText(ValueError):
    """The text names no fields; the message says where and why."""


def decoded(text: bytes) -> str:
    """`text` as letters. Raises BadText."""
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise BadText(f"the text is not UTF-8: byte {error.start} is not part of a character") from error


def read_text(written: str, marks: int, enough: str) -> dict[str, Any]:
    """The fields of a text in YAML or JSON; `marks` and `enough` as in `read_yaml`. Raises BadText."""
    if not JSON.match(written):
        return read_yaml(written, marks, enough)
    try:
        found = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise BadText(f"the text is not valid JSON: {error}") from error
    return _fields(found)


def read_yaml(written: str, marks: int, enough: str) -> dict[str, Any]:
    """The fields of a YAML text with at most `marks` commas, colons and lines: parsing takes a tenth of a millisecond
    for each. `enough` says how few suffice. Raises BadText."""
    if sum(map(written.count, ",\n:")) > marks:
        raise BadText(f"the text has more than {marks} fields and values; {enough}")
    try:
        found = yaml.load(written, Careful)
    except yaml.MarkedYAMLError as error:
        raise BadText(f"the text is not valid YAML: {_place(error)}{error.problem or error.context}") from error
    except RecursionError as error:
        raise BadText("the text is nested too deeply") from error
    except yaml.YAMLError as error:
        raise BadText("the text is not valid YAML: it has a character that is not allowed here") from error
    except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as error:  # PyYAML checks no numbers
        raise BadText("the text is not valid YAML: it has a number or a date that does not exist") from error
    return _fields(found)


def write_yaml(fields: dict[str, Any]) -> str:
    """`fields` as YAML, in their order."""
    return str(yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100))


def _fields(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise BadText("the text must name fields, one per line, such as “architecture: resnet-14”")
    if _depth(found) > MAX_DEPTH:
        raise BadText("the text is nested too deeply")
    return found


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""


class Careful(yaml.SafeLoader):  # type: ignore[misc]
    """The safe loader without aliases, tags and repeated keys."""

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        if getattr(self.peek_event(), "tag", None) is not None:
            raise yaml.composer.ComposerError(None, None, "tags (!) are not allowed here", self.peek_event().start_mark)
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(None, None, "aliases (*) are not allowed here", event.start_mark)
        node: Node | None = super().compose_node(parent, index)
        return node

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if key.value in seen if isinstance(key.value, str) else True:
                words = f"“{key.value}” appears twice" if isinstance(key.value, str) else "a field name must be text"
                raise yaml.constructor.ConstructorError(None, None, words, key.start_mark)
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping
