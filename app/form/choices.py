"""The choices in the form: the tables behind its components, and when each field applies.

New entries of a registry appear here automatically; only a few titles and conditions are written by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.catalog import architectures as catalog
from core.catalog.architectures import FAMILIES, MAX_DEPTH, Family
from core.catalog.corruptions import CORRUPTIONS, WORST
from core.catalog.grammar import PolicyGroup
from core.catalog.initializers import NORM_INITIALIZERS, WEIGHT_INITIALIZERS
from core.catalog.normalisation import TITLES as NORM_TITLES
from core.catalog.policies import POLICY_GROUPS, listed_in, rules_in
from core.catalog.presets import PRESETS as RECIPES
from core.catalog.presets import Preset
from core.catalog.schedules import SCHEDULES
from core.catalog.tasks.tasks import TASKS
from core.run.adaptation import Adaptation
from core.run.recipe import OPTIMIZERS

OTHER = "other"
"""The choice that stands for a number typed into the field beside it."""

Choices = tuple[tuple[str, str], ...]
"""Pairs (title, value)."""

GROUPS: Choices = tuple((group.title, group.name) for group in POLICY_GROUPS.values())
"""The first step of "what trains"; each group has its own fields in the second step."""


def _members(group: PolicyGroup) -> Choices:
    rules = tuple((rule.title, rule.name) for rule in rules_in(group))
    return (*((entry.title, entry.name) for entry in listed_in(group)), *rules)


MEMBERS: dict[str, Choices] = {
    group.key: members for group in POLICY_GROUPS.values() if len(members := _members(group)) > 1
}
"""By the key of a group's field: the policies and rules to choose from."""


def _shown_of_policies() -> dict[str, dict[str, str | bool]]:
    rows: dict[str, dict[str, str | bool]] = {}
    for group in POLICY_GROUPS.values():
        shown: dict[str, str | bool] = {"group": group.name}
        if group.key in MEMBERS:
            rows[group.key] = shown
        for rule in rules_in(group):
            here = shown | ({group.key: rule.name} if group.key in MEMBERS else {})
            for field in rule.fields:
                rows[field.key] = here
                if field.kind == "number":
                    rows[f"other_{field.key}"] = here | {field.key: OTHER}
    return rows


POLICY_SHOWN = _shown_of_policies()
"""When each field of the second step is shown."""

SHOWN: dict[str, dict[str, str | bool]] = {
    "other_number": {"number": OTHER},
    **POLICY_SHOWN,
    "nesterov": {"optimizer": "sgd"},
    "lr_drops": {"schedule": "step"},
    "lr_drop_factor": {"schedule": "step"},
    "norm.groups": {"norm.kind": "group"},
    "init.norm": {"norm.affine": True},
    **{f"adapt.{field}": {"adapt": True} for field in Adaptation.model_fields},
}
"""The fields that apply only if others have certain values; otherwise they are hidden and ignored."""

TITLES: dict[str, dict[str, str]] = {
    "optimizer": OPTIMIZERS,
    "schedule": {entry.name: entry.title for entry in SCHEDULES.values()},
    "precision": {"auto": "fast (default)", "fp32": "PyTorch in float32"},
    "task": {entry.name: entry.title for entry in TASKS.values()},
    "init.weights": {entry.name: entry.title for entry in WEIGHT_INITIALIZERS.values()},
    "init.norm": {entry.name: entry.title for entry in NORM_INITIALIZERS.values()},
    "norm.kind": {kind: title[0].upper() + title[1:] for kind, title in NORM_TITLES.items()},
    "draw": {"1": "1: PyTorch’s, before version 0.3", "2": "2: the same on every machine"},
    "adapt.corruptions": {entry.name: entry.title for entry in CORRUPTIONS.values()},
    "adapt.severities": {"0": "0: clean", **{str(severity): str(severity) for severity in range(1, WORST + 1)}},
    "adapt.optimizer": {"adam": "Adam", "sgd": "SGD"},
}
"""The titles of a field's values, by the field's key."""

TICKS = ("adapt.corruptions", "adapt.severities")
"""The fields that are lists of such values."""

AS_TYPED: dict[str, dict[str, str]] = {"paper-imagenet": {"lr_drops": "30/90, 60/90, 80/90"}}
"""Texts for the fields of a preset whose decimals would be rounded."""


def _fields(preset: Preset) -> dict[str, Any]:
    epochs = {} if preset.epochs is None else {"epochs": preset.epochs}
    return {**epochs, **preset.recipe, **AS_TYPED.get(preset.name, {})}


PRESETS: Mapping[str, dict[str, Any]] = {preset.title: _fields(preset) for preset in RECIPES.values()}
"""Recipes to fill in with a click, by title: the values that differ from the defaults."""


def is_open(family: Family) -> bool:
    """Whether the family has more members than it lists."""
    return any(family.check(number) is None for number in range(1, MAX_DEPTH + 1) if number not in family.featured)


def stages_of(family: Family) -> list[int]:
    """The stages with norm layers, from input to output; 0 is the stem if it is a stage of its own."""
    return sorted({norm.stage for norm in catalog.plan(family.member(family.featured[0])).norms})


STAGES_OF = {family.name: stages_of(family) for family in FAMILIES.values()}
