"""A spec as text to copy, keep and paste: YAML or JSON, with only what differs from the defaults."""

from __future__ import annotations

from typing import Any

import orjson

from app.form.fields import PARTS
from app.web.bodies import BadJson, read_json
from core.run.handwritten import JSON, BadText, decoded, read_yaml, write_yaml
from core.run.spec import Init, RunSpec

MAIN = ("architecture", "policy", "dataset", "epochs")
"""The fields that every text has, even at their defaults, because every spec needs them."""


MAX_MARKS = 300
"""The most commas, colons and lines of a spec."""


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
    if spec.adapt:
        short["adapt"] = spec.adapt.model_dump(mode="json", exclude_defaults=True)
    return {**short, "seeds": spec.own_seeds} if spec.own_seeds else short


def as_yaml(spec: RunSpec) -> str:
    """`spec` as YAML, in a natural order of fields."""
    return write_yaml(shortened(spec))


def as_json(text: bytes) -> bytes:
    """Convert YAML or JSON text to JSON. Raises BadText."""
    written = decoded(text)
    if not written.strip():
        raise BadText("the text is empty; it should name architecture, policy, dataset and epochs")
    return as_body(text, written, MAX_MARKS, "a spec has fewer than 100")


def as_body(text: bytes, written: str, marks: int, enough: str) -> bytes:
    """The JSON of `text`, which says `written` in YAML or JSON; `marks`, `enough`: see `read_yaml`. Raises BadText."""
    try:
        found = read_json(text) if JSON.match(written) else read_yaml(written, marks, enough)
    except BadJson as error:
        raise BadText(str(error).replace("the body", "the text")) from error
    try:
        return orjson.dumps(found)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadText(
            "the text has a value that no field can have: a date, a number beyond 64 bits, or a name that is not text"
        ) from error
