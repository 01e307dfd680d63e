"""The policies that are listed by name; the rules of `policy_rules.py` make the others from a name.

A policy made of roles is a row here, one with a number is a rule. Form, scripts, API and CLI read both tables.
Imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.catalog.grammar import PolicyGroup, PolicyRule
from core.catalog.plan import AFFINE, OUTPUT, ROLES
from core.catalog.policy import Policy
from core.catalog.policy_rules import (
    PARTS,
    POLICY_RULES,
    SUPERMASK,
    UNIONS,
    random_policy,
    stage_policy,
    supermask_policy,
    supermask_union_policy,
    union_policy,
)
from core.catalog.registry import Registry, UnknownName

POLICY_GROUPS: Registry[PolicyGroup] = Registry(
    "group of policies",
    (
        PolicyGroup("norm", "Norm layers", "norm_part", "Which of their parameters"),
        PolicyGroup("layers", "Layers", "layers_part"),
        PolicyGroup("random", "Random weights", "random_part"),
        PolicyGroup("mask", "Choose weights", "mask_part", "What trains beside the scores"),
        PolicyGroup("reference", "References", "reference", "To compare with"),
    ),
)

POLICIES: Registry[Policy] = Registry(
    "policy",
    (
        Policy(
            "batchnorm",
            "BatchNorm only",
            "Trains γ and β of every BatchNorm layer; all convolutions and the output layer keep their random weights.",
            "paper section 4",
            "norm",
            hue=1,
            roles=AFFINE,
        ),
        Policy(
            "all",
            "All parameters",
            "Trains every parameter: ordinary training, the upper reference.",
            "paper section 4",
            "reference",
            hue=5,
            roles=frozenset(ROLES),
        ),
        Policy(
            "output",
            "Output layer only",
            "Trains the final linear layer on random features.",
            "paper section 4",
            "layers",
            hue=3,
            roles=OUTPUT,
        ),
        Policy(
            "shortcut",
            "Shortcuts only",
            "Trains the 1×1 convolutions of the projection shortcuts; everything else stays random.",
            "paper section 4",
            "layers",
            roles=frozenset({"shortcut"}),
        ),
        *(union_policy(parts) for parts in UNIONS if len(parts) > 1),
        Policy(
            "all-but-batchnorm",
            "All but BatchNorm",
            "Trains all weights while γ and β keep their initial values.",
            "paper section 1, figure 1",
            "reference",
            hue=3,
            roles=frozenset(ROLES) - AFFINE,
            norm="ones",
        ),
        Policy(
            "gamma",
            "γ only",
            "Trains the scales of every norm layer; β keeps its initial value, 0 or 1.",
            "OnlyBN",
            "norm",
            hue=4,
            roles=frozenset({"gamma"}),
        ),
        Policy(
            "beta",
            "β only",
            "Trains the shifts of every norm layer; γ keeps its initial value, random or 1.",
            "OnlyBN",
            "norm",
            roles=frozenset({"beta"}),
        ),
        Policy(
            "bias",
            "Biases only",
            "Trains all biases: β, those of convolutions (if there are any) and those of the output layer.",
            "Ben Zaken et al. 2022 (2106.10199), BitFit",
            "reference",
            hue=3,
            roles=frozenset({"beta", "convolution-bias", "output-bias"}),
        ),
        *(stage_policy((stage,)) for stage in "123"),
        *(random_policy(k) for k in (1, 2, 4, 8, 16)),
        random_policy(2, "layer"),
        supermask_policy(50),
        *(supermask_union_policy(50, parts) for parts in UNIONS),
        Policy(
            "none",
            "Nothing",
            "Trains nothing: the chance level of a random network whose running statistics adapt.",
            "paper section 4",
            "reference",
            hue=6,
        ),
    ),
    also=", ".join(rule.also for rule in POLICY_RULES.values() if rule.also),
)


def policy(name: str) -> Policy:
    """The policy called `name`; the parts of a union may come in any order.

    Raises UnknownName, whose message lists the policies, or says what is wrong with a union.
    """
    if name in POLICIES:
        return POLICIES[name]
    parts = name.split("+")
    mask_first = "+".join(sorted(parts, key=lambda part: not part.startswith(SUPERMASK)))
    for rule in POLICY_RULES.values():
        if made := rule.policy(mask_first):
            return made
    known = [part for part in parts if part in PARTS or _named(part)]
    if len(parts) > 1 and len(known) == len(parts):
        raise UnknownName(f"{name!r} makes no sense as a policy: {_wrong_with(known)}")
    raise POLICIES.unknown(name)


def _named(part: str) -> Policy | None:
    """The policy called `part` alone; None where there is none."""
    by_rule = (rule.policy(part) for rule in POLICY_RULES.values())
    return POLICIES[part] if part in POLICIES else next(filter(None, by_rule), None)


def _wrong_with(parts: list[str]) -> str:
    """Why a union of these policies is none."""
    masks = [part for part in parts if part.startswith(SUPERMASK)]
    others = [part for part in parts if part not in masks]
    joins = f"A union joins {', '.join(PARTS)}, and at most one supermask-k before them."
    if len(masks) > 1:
        return f"a layer has one mask, and {' and '.join(masks)} are two. {joins}"
    if twice := next((part for part in others if others.count(part) > 1), None):
        return f"{twice} is named twice. {joins}"
    strange = [part for part in others if part not in PARTS]
    return f"{strange[0]} {WHY_ALONE.get(strange[0], OTHERS_ALONE)}. {joins}"


WHY_ALONE: Mapping[str, str] = {
    "all": "trains every weight already, which leaves nothing to add or to mask",
    "all-but-batchnorm": "trains every weight already; with batchnorm it is the policy all",
    "none": "trains nothing, so it adds nothing",
}
"""Why a policy is no part of a union, for those with a reason of their own."""
OTHERS_ALONE = "is a policy for itself, not a part of a union"


def rules_in(group: PolicyGroup) -> list[PolicyRule]:
    """The rules that the form shows under `group`."""
    return [rule for rule in POLICY_RULES.values() if rule.group == group.name]


def listed_in(group: PolicyGroup) -> list[Policy]:
    """The policies of POLICIES under `group` that none of its rules makes."""
    members = (entry for entry in POLICIES.values() if entry.group == group.name)
    return [entry for entry in members if not any(rule.policy(entry.name) for rule in rules_in(group))]
