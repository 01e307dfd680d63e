"""The rules that make a policy from a name with a number, a choice or a list in it: `random-2-layer`.

A new rule is a function that makes its policies and a row of POLICY_RULES; the form, the scripts of the pages and the
messages read the row. Imports no torch.
"""

from __future__ import annotations

import re
from itertools import combinations
from math import nextafter

from core.catalog.grammar import ChoiceField, NumberField, PolicyRule, TicksField, Wording
from core.catalog.plan import AFFINE, OUTPUT, Role
from core.catalog.policy import Policy
from core.catalog.registry import Registry

MAX_PER_CHANNEL = 128
MAX_STAGE = 5

PARTS: dict[str, tuple[str, str, str, frozenset[Role]]] = {
    "batchnorm": ("BatchNorm", "BatchNorm", "γ and β of every norm layer", AFFINE),
    "output": ("Output layer", "output", "the final linear layer", OUTPUT),
    "shortcut": ("Shortcuts", "shortcuts", "the 1×1 convolutions of the shortcuts", frozenset({"shortcut"})),
}
"""The parts that a union joins: the words of each in the form, in a title and in a sentence, and its roles."""
SUPERMASK = "supermask"
UNIONS: tuple[tuple[str, ...], ...] = tuple(parts for size in (1, 2, 3) for parts in combinations(PARTS, size))
"""Every choice of parts, the single ones first."""


def roles_of(parts: tuple[str, ...]) -> frozenset[Role]:
    """The roles of all `parts` together."""
    return frozenset(role for part in parts for role in PARTS[part][3])


def union_policy(parts: tuple[str, ...]) -> Policy:
    """`batchnorm+output`: several parts train together."""
    name = "+".join(parts)
    title = " and ".join(PARTS[part][1] for part in parts)
    return Policy(
        name,
        title[0].upper() + title[1:],
        f"Trains {', '.join(PARTS[part][2] for part in parts)}.",
        "paper section 4",
        "layers",
        hue=4 if name == "batchnorm+output" else None,
        roles=roles_of(parts),
    )


def random_policy(k: int, where: str = "channel") -> Policy:
    """`random-k`: k random weights of every output channel train (paper section 4, for k = 2)."""
    noun = "weight" if k == 1 else "weights"
    if where == "layer":
        return Policy(
            f"random-{k}-layer",
            f"{k} random {noun} per channel, spread over the layer",
            f"Trains as many weights as {k} per output channel, but draws them from anywhere in each convolution, so "
            "one channel may have many and another none.",
            "OnlyBN, a variant of the paper's",
            "random",
            hue=2,
            per_channel=k,
            spread=True,
        )
    return Policy(
        f"random-{k}",
        f"{k} random {noun} per channel",
        f"Trains {k} randomly chosen {noun} in every output channel of every convolution; all else, including γ, β "
        "and the output layer, stays random. With k = 2 as many parameters train as with BatchNorm only.",
        "paper section 4 (k = 2)",
        "random",
        hue=2,
        per_channel=k,
    )


def stage_policy(stages: tuple[str, ...]) -> Policy:
    """`batchnorm-stages-1-2`: γ and β of some stages only; stage 0 is the stem."""
    noun = "stage" if len(stages) == 1 else "stages"
    listed = ", ".join("the stem" if stage == "0" else stage for stage in stages)
    return Policy(
        f"batchnorm-{noun}-{'-'.join(stages)}",
        f"BatchNorm of {noun} {listed}",
        f"Trains γ and β of the norm layers in {noun} {listed} only (0 is the stem); the other norm layers keep "
        "their initial γ and β.",
        "OnlyBN",
        "norm",
        hue=1,
        roles=AFFINE,
        stages=frozenset(map(int, stages)),
    )


def supermask_policy(percent: int) -> Policy:
    """`supermask-k`: a score for every frozen weight; the k % highest of each layer are switched on (edge-popup)."""
    return Policy(
        _supermask(percent),
        f"Supermask, {percent}% kept",
        f"Trains no weight: a score decides whether each frozen weight is used, and each layer uses the {percent}% "
        "with the highest scores. Selects random weights, in contrast to rescaling random features.",
        "Ramanujan et al. 2020 (1911.13299), edge-popup",
        "mask",
        hue=6,
        keep=percent / 100,
        norm="ones",
    )


def supermask_union_policy(percent: int, parts: tuple[str, ...]) -> Policy:
    """`supermask-k+batchnorm`: `parts` train whole, and every other weight has a score as under `supermask-k`."""
    titles, words = zip(*(PARTS[part][1:3] for part in parts), strict=True)
    return Policy(
        "+".join((_supermask(percent), *parts)),
        f"Supermask, {percent}% kept, with {' and '.join(titles)}",
        f"Trains {', '.join(words)}, and a score for every weight of the layers that stay frozen: each of these uses "
        f"the {percent}% of its weights with the highest scores. Selects random weights and rescales or reads their "
        "features at once.",
        "asked in allenai/hidden-networks, issue 6; edge-popup: Ramanujan et al. 2020 (1911.13299)",
        "mask",
        hue=4 if parts == ("batchnorm",) else None,
        roles=roles_of(parts),
        # Just below the share, so that rounding in share * weights never keeps a weight too many. The share of a
        # supermask alone stays as it is: its runs keep their bits.
        keep=nextafter(percent / 100, 0),
        norm=None if "batchnorm" in parts else "ones",
    )


def _supermask(percent: int) -> str:
    return SUPERMASK if percent == 50 else f"{SUPERMASK}-{percent}"


POLICY_RULES: Registry[PolicyRule] = Registry(
    "rule of policies",
    (
        PolicyRule(
            "random",
            "Some in every channel",
            "random",
            "random",
            (
                NumberField("per_channel", "Weights per output channel", 1, MAX_PER_CHANNEL, (1, 2, 4, 8, 16), 2, 32),
                ChoiceField(
                    "spread",
                    "Where",
                    (("In each channel", "channel", ""), ("Anywhere in the layer", "layer", "-layer")),
                ),
            ),
            random_policy,
            f"random-k and random-k-layer with k from 1 to {MAX_PER_CHANNEL}",
            (
                Wording(r"random-(\d+)", random_policy(MAX_PER_CHANNEL), str(MAX_PER_CHANNEL)),
                Wording(r"random-(1)-layer", random_policy(1, "layer"), "1"),
                Wording(r"random-(\d+)-layer", random_policy(MAX_PER_CHANNEL, "layer"), str(MAX_PER_CHANNEL)),
            ),
        ),
        PolicyRule(
            "stages",
            "Some stages",
            "norm",
            "batchnorm",
            (
                TicksField(
                    "stages",
                    "γ and β of these stages",
                    tuple(("Stem" if n == 0 else str(n), str(n)) for n in range(MAX_STAGE + 1)),
                    ("1",),
                    ("-stage-", "-stages-"),
                    "-",
                ),
            ),
            stage_policy,
            f"batchnorm-stages-1-2 for stages 0 to {MAX_STAGE}",
            (
                Wording(r"batchnorm-stages?-(\d)", stage_policy(("5",)), "5"),
                Wording(r"batchnorm-stages?-([\d-]+)", stage_policy(("4", "5")), "4, 5"),
            ),
        ),
        PolicyRule(
            SUPERMASK,
            "Nothing: a supermask alone",
            "mask",
            SUPERMASK,
            (
                NumberField(
                    "kept",
                    "Supermask: % of the random weights that are used",
                    1,
                    99,
                    (10, 30, 50, 70, 90),
                    50,
                    20,
                    unsaid=50,
                ),
            ),
            supermask_policy,
            "supermask-k with k % from 1 to 99",
            (Wording(r"supermask-(\d+)", supermask_policy(99), "99"),),
        ),
        PolicyRule(
            "supermask-union",
            "Other parameters, too",
            "mask",
            SUPERMASK,
            (
                NumberField(
                    "kept_beside",
                    "Supermask: % of the frozen weights that are used",
                    1,
                    99,
                    (10, 30, 50, 70, 90),
                    50,
                    20,
                    unsaid=50,
                ),
                TicksField(
                    "beside_mask",
                    "These train, without scores",
                    tuple((words[0], name) for name, words in PARTS.items()),
                    ("batchnorm",),
                    ("+", "+"),
                    "+",
                ),
            ),
            supermask_union_policy,
            f"supermask-k+PART or +PART+PART with the parts {', '.join(PARTS)}",
            tuple(
                Wording(rf"supermask-(\d+){re.escape('+' + '+'.join(parts))}", supermask_union_policy(99, parts), "99")
                for parts in UNIONS
            ),
        ),
        PolicyRule(
            "union",
            "Several together",
            "layers",
            "",
            (
                TicksField(
                    "layers",
                    "Together",
                    tuple((words[0], name) for name, words in PARTS.items()),
                    ("output",),
                    ("", ""),
                    "+",
                ),
            ),
            union_policy,
        ),
    ),
)
