"""The fields of a spec by key: their schemas and defaults, for the form and for addresses of pages."""

from __future__ import annotations

from typing import Any

from core.catalog.normalisation import Normalisation
from core.run.adaptation import Adaptation
from core.run.recipe import Recipe
from core.run.spec import PURPOSES, Init, RunSpec, Seeds

EXAMPLES: tuple[dict[str, Any], ...] = tuple(
    {"architecture": "resnet-14", "policy": policy, "dataset": "digits", "epochs": 40, "replicate": 0}
    for policy in ("batchnorm", "random-2")
)
"""The pair of experiments offered to newcomers: the same number of trainable parameters, chosen differently."""

DEFAULTS = EXAMPLES[0]

PARTS: dict[str, Recipe | Init | Normalisation] = {"recipe": Recipe(), "init": Init(), "norm": Normalisation()}
"""The parts of every spec at their defaults. A field has the key `part.field`; fields of the recipe have no prefix."""

ADAPT = "adapt"
"""The part that a spec may lack: its key says whether it is there, and its fields count only then."""


def key_of(part: str, field: str) -> str:
    """The key of a field of one of PARTS, in the form and in a page's address: `lr`, `norm.kind`."""
    return field if part == "recipe" else f"{part}.{field}"


def _schemas() -> dict[str, dict[str, Any]]:
    run = RunSpec.model_json_schema()["properties"]
    plain = {key: schema for key, schema in run.items() if key not in ("architecture", "policy", "dataset")}
    rows = {key: s for key, s in plain.items() if not any("$ref" in option for option in s.get("anyOf", [s]))}
    for part, usual in (*PARTS.items(), (ADAPT, Adaptation())):
        fields = type(usual).model_json_schema()["properties"]
        rows |= {key_of(part, field): schema for field, schema in fields.items()}
    seeds = Seeds.model_json_schema()["properties"]
    return rows | {key_of("seeds", purpose): _or_none(seeds[purpose]) for purpose in PURPOSES}


def _or_none(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of an optional field with `schema`."""
    return {"anyOf": [schema, {"type": "null"}], "default": None}


SCHEMAS = _schemas()
"""The JSON schema of every field that one component can show, by key; fields that are objects are left out."""

OPTIONAL: dict[str, Any] = {
    key: schema["default"] for key, schema in SCHEMAS.items() if key in RunSpec.model_fields and "default" in schema
}
"""The default of every optional field of the spec itself, by key."""

USUAL: dict[str, Any] = {
    key_of(part, field): value
    for part, usual in (*PARTS.items(), (ADAPT, Adaptation()))
    for field, value in usual.model_dump(mode="json").items()
} | {key_of("seeds", purpose): None for purpose in PURPOSES}
"""The default of every field of a part, by key; a seed that nobody chose derives from the replicate."""
