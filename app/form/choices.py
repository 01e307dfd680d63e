"""What the form offers where a person chooses: the tables behind its components, and when each field applies.

A registry's entry appears here by itself; what stands here by hand is the order and the words of the groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.catalog import architectures as catalog
from core.catalog.architectures import FAMILIES, MAX_DEPTH, Family
from core.catalog.initializers import NORM_INITIALIZERS, WEIGHT_INITIALIZERS
from core.catalog.normalisation import TITLES as NORM_TITLES
from core.catalog.normalisation import Normalisation
from core.catalog.policies import MAX_PER_CHANNEL, POLICIES, UNIONS
from core.catalog.presets import PRESETS as RECIPES
from core.catalog.presets import Preset
from core.catalog.schedules import SCHEDULES
from core.run.spec import PURPOSES, Init, Recipe, RunSpec, Seeds

EXAMPLES: tuple[dict[str, Any], ...] = tuple(
    {"architecture": "resnet-14", "policy": policy, "dataset": "digits", "epochs": 40, "replicate": 0}
    for policy in ("batchnorm", "random-2")
)
"""The two experiments that a first visit offers: the same number of trainable parameters, chosen differently."""

DEFAULTS = EXAMPLES[0]

OTHER, STAGES = "other", "stages"
"""Choices that stand for more: a number typed into the field beside them, and stages ticked in it."""

Choices = tuple[tuple[str, str], ...]
"""(what people read, value)."""


def _titles(*names: str) -> Choices:
    return tuple((POLICIES[name].title, name) for name in names)


GROUPS: Choices = (
    ("Norm layers", "norm"),
    ("Layers", "layers"),
    ("Random weights", "random"),
    ("Choose weights", "mask"),
    ("References", "reference"),
)
"""The first step of "what trains"; each has fields of its own for the second."""

NORM_PARTS: Choices = (*_titles("batchnorm", "gamma", "beta"), ("Some stages", STAGES))
LAYERS: Choices = tuple((POLICIES[name].title.removesuffix(" only"), name) for name in UNIONS)
PER_CHANNEL = tuple(p.per_channel for p in POLICIES.values() if p.per_channel and not p.spread)
SPREAD: Choices = (("In each channel", "channel"), ("Anywhere in the layer", "layer"))
KEPT = (10, 30, 50, 70, 90)
REFERENCES: Choices = _titles(
    *(
        name
        for name, p in POLICIES.items()
        if not (p.per_channel or p.keep or p.stages or set(name.split("+")) <= set(UNIONS))
        and name not in [value for _, value in NORM_PARTS]
    )
)
"""Every listed policy that no other group can say."""

SHOWN: dict[str, dict[str, str | bool]] = {
    "other_number": {"number": OTHER},
    "norm_part": {"group": "norm"},
    "stages": {"group": "norm", "norm_part": STAGES},
    "layers": {"group": "layers"},
    "per_channel": {"group": "random"},
    "other_per_channel": {"group": "random", "per_channel": OTHER},
    "spread": {"group": "random"},
    "kept": {"group": "mask"},
    "other_kept": {"group": "mask", "kept": OTHER},
    "reference": {"group": "reference"},
    "nesterov": {"optimizer": "sgd"},
    "lr_drops": {"schedule": "step"},
    "lr_drop_factor": {"schedule": "step"},
    "norm.groups": {"norm.kind": "group"},
    "init.norm": {"norm.affine": True},
}
"""The fields that apply only where others have certain values; elsewhere they are hidden and count for nothing."""

TITLES: dict[str, dict[str, str]] = {
    "optimizer": {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"},
    "schedule": {entry.name: entry.title for entry in SCHEDULES.values()},
    "precision": {"auto": "fast and right on this machine", "fp32": "PyTorch's in float32"},
    "init.weights": {entry.name: entry.title for entry in WEIGHT_INITIALIZERS.values()},
    "init.norm": {entry.name: entry.title for entry in NORM_INITIALIZERS.values()},
    "norm.kind": {kind: title[0].upper() + title[1:] for kind, title in NORM_TITLES.items()},
}
"""What people read for the values of a field, by the field's key."""

PARTS: dict[str, Recipe | Init | Normalisation] = {"recipe": Recipe(), "init": Init(), "norm": Normalisation()}
"""The parts of a spec at their defaults. A part's field has the key `part.field`; the recipe's have no prefix."""


def key_of(part: str, field: str) -> str:
    """The key of a field of one of PARTS, in the form and in a page's address: `lr`, `norm.kind`."""
    return field if part == "recipe" else f"{part}.{field}"


def _schemas() -> dict[str, dict[str, Any]]:
    run = RunSpec.model_json_schema()["properties"]
    plain = {key: schema for key, schema in run.items() if key not in ("architecture", "policy", "dataset")}
    rows = {key: s for key, s in plain.items() if not any("$ref" in option for option in s.get("anyOf", [s]))}
    for part, usual in PARTS.items():
        fields = type(usual).model_json_schema()["properties"]
        rows |= {key_of(part, field): schema for field, schema in fields.items()}
    seeds = Seeds.model_json_schema()["properties"]
    return rows | {key_of("seeds", purpose): _or_none(seeds[purpose]) for purpose in PURPOSES}


def _or_none(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` of a field that may be left out."""
    return {"anyOf": [schema, {"type": "null"}], "default": None}


SCHEMAS = _schemas()
"""The JSON schema of every field that a component of its kind can show, by key; objects have none."""

OPTIONAL: dict[str, Any] = {
    key: schema["default"] for key, schema in SCHEMAS.items() if key in RunSpec.model_fields and "default" in schema
}
"""The default of every field of a spec itself that may be left out, by key."""

USUAL: dict[str, Any] = {
    key_of(part, field): value
    for part, usual in PARTS.items()
    for field, value in usual.model_dump(mode="json").items()
} | {key_of("seeds", purpose): None for purpose in PURPOSES}
"""The default of every field of PARTS, by key; a seed that nobody chose derives from the replicate."""

AS_TYPED: dict[str, dict[str, str]] = {"paper-imagenet": {"lr_drops": "30/90, 60/90, 80/90"}}
"""What a preset's fields look like where their decimals would be rounded."""


def _fields(preset: Preset) -> dict[str, Any]:
    epochs = {} if preset.epochs is None else {"epochs": preset.epochs}
    return {**epochs, **preset.recipe, **AS_TYPED.get(preset.name, {})}


PRESETS: Mapping[str, dict[str, Any]] = {preset.title: _fields(preset) for preset in RECIPES.values()}
"""Recipes to fill in with a click, by title: where they differ from the defaults."""


def is_open(family: Family) -> bool:
    """Whether the family has more members than it lists."""
    return any(family.check(number) is None for number in range(1, MAX_DEPTH + 1) if number not in family.featured)


def stages_of(family: Family) -> list[int]:
    """The stages that have norm layers, from input to output; 0 is the stem where that is a stage of its own."""
    return sorted({norm.stage for norm in catalog.plan(family.member(family.featured[0])).norms})


STAGES_OF = {family.name: stages_of(family) for family in FAMILIES.values()}
PER_CHANNEL_RANGE, KEPT_RANGE = (1, MAX_PER_CHANNEL), (1, 99)
