"""What the form offers where a person chooses: the tables behind its components, and when each field applies.

A registry's entry appears here by itself; what stands here by hand is the order and the words of the groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.catalog import architectures as catalog
from core.catalog.architectures import FAMILIES, MAX_DEPTH, Family
from core.catalog.grammar import PolicyGroup
from core.catalog.initializers import NORM_INITIALIZERS, WEIGHT_INITIALIZERS
from core.catalog.normalisation import TITLES as NORM_TITLES
from core.catalog.policies import POLICY_GROUPS, listed_in, rules_in
from core.catalog.presets import PRESETS as RECIPES
from core.catalog.presets import Preset
from core.catalog.schedules import SCHEDULES

OTHER = "other"
"""The choice that stands for a number typed into the field beside it."""

Choices = tuple[tuple[str, str], ...]
"""(what people read, value)."""

GROUPS: Choices = tuple((group.title, group.name) for group in POLICY_GROUPS.values())
"""The first step of "what trains"; each has fields of its own for the second."""


def _members(group: PolicyGroup) -> Choices:
    rules = tuple((rule.title, rule.name) for rule in rules_in(group))
    return (*((entry.title, entry.name) for entry in listed_in(group)), *rules)


MEMBERS: dict[str, Choices] = {
    group.key: members for group in POLICY_GROUPS.values() if len(members := _members(group)) > 1
}
"""By the key of a group's field, the policies and rules of which one is to be chosen."""


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
"""The fields of a policy's second step: when each is shown."""

SHOWN: dict[str, dict[str, str | bool]] = {
    "other_number": {"number": OTHER},
    **POLICY_SHOWN,
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
