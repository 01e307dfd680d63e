"""A spec as text to copy, keep and paste: YAML or JSON, with only what differs from the defaults.

Anybody may paste anything, so reading is strict: PyYAML's safe loader without Python objects, without aliases (a few
lines could expand to a huge document), without tags, and without repeated keys (all but one would be lost silently).
"""

from __future__ import annotations

import re
from typing import Any

import orjson
import yaml
from yaml.nodes import MappingNode, Node

from app.form.fields import PARTS
from app.web.bodies import BadJson, read_json
from core.run.spec import Init, RunSpec

JSON = re.compile(r'\s*\{\s*["}]')
"""The start of a JSON text. YAML may begin with a brace, too, but then its names need no quotes."""
MAIN = ("architecture", "policy", "dataset", "epochs")
"""The fields that every text has, even at their defaults, because every spec needs them."""


MAX_MARKS = 300
"""The most commas, colons and lines of a text: parsing takes a tenth of a millisecond for each."""


class BadText(ValueError):
    """The text is no spec; the message says where and why."""


def shortened(spec: RunSpec) -> dict[str, Any]:
    """`spec` as the API takes it, without derived and default values. RunSpec restores the same spec from it."""
    whole = spec.model_dump(mode="json", exclude={"contents"})
    usual = {field: info.default for field, info in RunSpec.model_fields.items()}
    short = {key: whole[key] for key in MAIN}
    short |= {
        key: value for key, value in whole.items() if not isinstance(value, dict | None) and value != usual.get(key)
    }
    defaults: dict[str, Any] = {part: model.model_dump(mode="json") for part, model in PARTS.items()}
    defaults["init"]["norm"] = spec.selection.norm or Init().norm
    for part, usual_part in defaults.items():
        if changed := {key: value for key, value in whole[part].items() if value != usual_part[key]}:
            short[part] = changed
    return {**short, "seeds": spec.own_seeds} if spec.own_seeds else short


def as_yaml(spec: RunSpec) -> str:
    """`spec` as YAML, in a natural order of fields."""
    return str(yaml.safe_dump(shortened(spec), sort_keys=False, allow_unicode=True, default_flow_style=None, width=100))


def as_json(text: bytes) -> bytes:
    """Convert YAML or JSON text to JSON. Raises BadText."""
    try:
        written = text.decode()
    except UnicodeDecodeError as error:
        raise BadText(f"the text is not UTF-8: byte {error.start} is not part of a character") from error
    if not written.strip():
        raise BadText("the text is empty; it should name architecture, policy, dataset and epochs")
    if not JSON.match(written):
        return _yaml(written)
    try:
        return orjson.dumps(read_json(text))
    except BadJson as error:
        raise BadText(str(error).replace("the body", "the text")) from error


def _yaml(written: str) -> bytes:
    if sum(map(written.count, ",\n:")) > MAX_MARKS:
        raise BadText(f"the text has more than {MAX_MARKS} fields and values; a spec has fewer than 100")
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
    if not isinstance(found, dict):
        raise BadText("the text must name fields, one per line, such as “architecture: resnet-14”")
    try:
        return orjson.dumps(found)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadText(
            "the text has a value that no field can have: a date, a number beyond 64 bits, or a name that is not text"
        ) from error


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
