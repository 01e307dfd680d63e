"""The fields of a run that a question may vary, as the form's scripts need them."""

from __future__ import annotations

from typing import Any

from app.form.components import LABELS
from app.form.fields import SCHEMAS, USUAL
from core.catalog.architectures import FEATURED
from core.catalog.datasets import DATASETS
from core.catalog.policies import POLICIES
from core.studies.records import QUANTITIES

NAMES: dict[str, tuple[str, tuple[str, ...]]] = {
    "architecture": ("Architecture", tuple(FEATURED)),
    "policy": ("What trains", tuple(POLICIES)),
    "dataset": ("Data set", tuple(DATASETS)),
}
"""Title and values of the fields that are names of tables; there may be more values than these."""
PLAIN = ("task", "epochs", "train_examples", "test_examples", "start", "draw")
OPEN = {"start": "random"}
"""What a question calls a field that is left open, where this is not `all`."""


def varied() -> list[dict[str, Any]]:
    """Each field with its dotted path, title, kind of value (text, number, flag, list), and the values to choose from.

    `open`: what it is called where it is left open; empty: it must have a value.
    """
    names = [_row(name, title, {"enum": values}) for name, (title, values) in NAMES.items()]
    keys = [key for key in (*PLAIN, *USUAL) if key in SCHEMAS and not key.startswith("seeds.")]
    recipe = {key for key in USUAL if "." not in key}
    return names + [_row(f"recipe.{key}" if key in recipe else key, _title(key), SCHEMAS[key]) for key in keys]


def quantities() -> list[dict[str, str]]:
    """What a claim may be about."""
    return [{"name": row.name, "title": row.title} for row in QUANTITIES.values()]


def _title(key: str) -> str:
    return LABELS.get(key, key.replace("_", " ").capitalize())


def _row(path: str, title: str, schema: dict[str, Any]) -> dict[str, Any]:
    kinds = {option.get("type") for option in schema.get("anyOf", [schema])}
    kind = "text"
    if kinds & {"integer", "number"}:
        kind = "number"
    elif "boolean" in kinds:
        kind = "flag"
    elif "array" in kinds:
        kind = "list"
    flags = ["true", "false"] if kind == "flag" else []
    values = list(schema.get("enum") or schema.get("examples") or schema.get("items", {}).get("enum") or flags)
    opened = OPEN.get(path, "all") if "null" in kinds else ""
    return {"path": path, "title": title, "kind": kind, "values": values, "open": opened}
