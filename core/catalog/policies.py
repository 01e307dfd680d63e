"""The policies that are listed by name; the rules of `policy_rules.py` make the others from a name.

A policy made of roles is a row here, one with a number is a rule. Form, scripts, API and CLI read both tables.
Imports no torch.
"""

from __future__ import annotations

from itertools import combinations

from core.catalog.grammar import PolicyGroup, PolicyRule
from core.catalog.plan import AFFINE, OUTPUT, ROLES
from core.catalog.policy import Policy
from core.catalog.policy_rules import PARTS, POLICY_RULES, random_policy, stage_policy, supermask_policy, union_policy
from core.catalog.registry import Registry

POLICY_GROUPS: Registry[PolicyGroup] = Registry(
    "group of policies",
    (
        PolicyGroup("norm", "Norm layers", "norm_part", "Which of their parameters"),
        PolicyGroup("layers", "Layers", "layers_part"),
        PolicyGroup("random", "Random weights", "random_part"),
        PolicyGroup("mask", "Choose weights", "mask_part"),
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
        *(union_policy(parts) for size in (2, 3) for parts in combinations(PARTS, size)),
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

    Raises UnknownName, whose message lists the policies.
    """
    if name in POLICIES:
        return POLICIES[name]
    for rule in POLICY_RULES.values():
        if made := rule.policy(name):
            return made
    raise POLICIES.unknown(name)


def rules_in(group: PolicyGroup) -> list[PolicyRule]:
    """The rules that the form shows under `group`."""
    return [rule for rule in POLICY_RULES.values() if rule.group == group.name]


def listed_in(group: PolicyGroup) -> list[Policy]:
    """The policies of POLICIES under `group` that none of its rules makes."""
    members = (entry for entry in POLICIES.values() if entry.group == group.name)
    return [entry for entry in members if not any(rule.policy(entry.name) for rule in rules_in(group))]
