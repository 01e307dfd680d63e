"""A policy is a named selection of parameters that may train; everything else stays at its random value.

A table of roles, so that counts are exact without building a network. Imports no torch; `freezing.py` applies
a policy to a module.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

from core.catalog.plan import AFFINE, OUTPUT, ROLES, Parameter, Plan, Role
from core.catalog.registry import Registry

MAX_PER_CHANNEL = 128
MAX_STAGE = 5
WEIGHTS: frozenset[Role] = frozenset({"convolution", "shortcut", "output"})


@dataclass(frozen=True)
class Policy:
    """Which parameters train: those with one of `roles` (and in one of `stages`, where given), and beyond these

    - `per_channel` weights for every output channel of each convolution, drawn within the channel's filter or,
      where `spread`, anywhere in the layer;
    - where `keep` is not 0, a score for every weight, of which the `keep` highest of each layer switch it on.

    `norm` names the norm initialiser that a spec gets if it does not say; None: the general default.
    """

    name: str
    title: str
    sentence: str
    source: str
    roles: frozenset[Role] = frozenset()
    stages: frozenset[int] | None = None
    per_channel: int = 0
    spread: bool = False
    keep: float = 0.0
    norm: str | None = None

    def trains(self, parameter: Parameter) -> bool:
        """Whether the whole of `parameter` trains."""
        return parameter.role in self.roles and (self.stages is None or parameter.stage in self.stages)

    def trainable(self, plan: Plan) -> int:
        """How many parameters of `plan` train under this policy."""
        whole = sum(parameter.size for parameter in plan.parameters if self.trains(parameter))
        return whole + sum(self.scattered(plan).values()) + sum(self.scored(plan).values())

    def scattered(self, plan: Plan) -> dict[str, int]:
        """For each convolution with scattered trainable weights, how many of them train.

        A filter with fewer weights than `per_channel` trains all it has.
        """
        if not self.per_channel:
            return {}
        return {c.name: min(self.per_channel, c.fan_in) * c.outputs for c in plan.convolutions}

    def scored(self, plan: Plan) -> dict[str, int]:
        """For each weight tensor with scores, by parameter name, how many there are."""
        return {p.name: p.size for p in plan.parameters if p.role in WEIGHTS} if self.keep else {}


def _union(*parts: str) -> Policy:
    names: dict[str, frozenset[Role]] = {
        "batchnorm": AFFINE,
        "output": OUTPUT,
        "shortcut": frozenset({"shortcut"}),
    }
    words = {
        "batchnorm": ("BatchNorm", "γ and β of every norm layer"),
        "output": ("output", "the final linear layer"),
        "shortcut": ("shortcuts", "the 1×1 convolutions of the shortcuts"),
    }
    roles = frozenset(role for part in parts for role in names[part])
    title = " and ".join(words[part][0] for part in parts)
    sentence = ", ".join(words[part][1] for part in parts)
    return Policy("+".join(parts), title[0].upper() + title[1:], f"Trains {sentence}.", "paper section 4", roles)


UNIONS = ("batchnorm", "output", "shortcut")


def random_policy(k: int, *, spread: bool = False) -> Policy:
    """`random-k`: k random weights of every output channel train (paper section 4, for k = 2)."""
    noun = "weight" if k == 1 else "weights"
    if spread:
        return Policy(
            f"random-{k}-layer",
            f"{k} random {noun} per channel, spread over the layer",
            f"Trains as many weights as {k} per output channel, drawn anywhere in each convolution, so that one "
            "channel may have many and another none.",
            "OnlyBN, a variant of the paper's",
            per_channel=k,
            spread=True,
        )
    return Policy(
        f"random-{k}",
        f"{k} random {noun} per channel",
        f"Trains {k} randomly chosen {noun} of every convolution's output channel; the rest, with γ, β and the "
        "output layer, stays random. With 2 it has exactly as many trainable parameters as BatchNorm.",
        "paper section 4 (k = 2)",
        per_channel=k,
    )


def stage_policy(stages: frozenset[int]) -> Policy:
    """`batchnorm-stages-1-2`: γ and β of some stages only; stage 0 is the stem."""
    numbers = sorted(stages)
    noun = "stage" if len(numbers) == 1 else "stages"
    listed = ", ".join("the stem" if n == 0 else str(n) for n in numbers)
    return Policy(
        f"batchnorm-{noun}-{'-'.join(map(str, numbers))}",
        f"BatchNorm of {noun} {listed}",
        f"Trains γ and β of the norm layers in {noun} {listed} only (0 is the stem); the other norm layers keep "
        "their initial γ and β.",
        "OnlyBN",
        AFFINE,
        stages,
    )


def supermask_policy(percent: int) -> Policy:
    """`supermask-k`: a score for every frozen weight; the k % highest of each layer are switched on (edge-popup)."""
    return Policy(
        "supermask" if percent == 50 else f"supermask-{percent}",
        f"Supermask, {percent} % kept",
        f"Trains no weight: a score decides for each frozen weight whether it is used, and the {percent} % with the "
        "highest scores of each layer are. Choosing random weights, beside rescaling random features.",
        "Ramanujan et al. 2020 (1911.13299), edge-popup",
        keep=percent / 100,
        norm="ones",
    )


POLICIES: Registry[Policy] = Registry(
    "policy",
    (
        Policy(
            "batchnorm",
            "BatchNorm only",
            "Trains γ and β of every BatchNorm layer; all convolutions and the output layer keep their random weights.",
            "paper section 4",
            AFFINE,
        ),
        Policy(
            "all",
            "All parameters",
            "Trains every parameter: ordinary training, the upper reference.",
            "paper section 4",
            frozenset(ROLES),
        ),
        Policy(
            "output",
            "Output layer only",
            "Trains the final linear layer on random features.",
            "paper section 4",
            OUTPUT,
        ),
        Policy(
            "shortcut",
            "Shortcuts only",
            "Trains the 1×1 convolutions of the projection shortcuts; everything else stays random.",
            "paper section 4",
            frozenset({"shortcut"}),
        ),
        *(_union(*parts) for size in (2, 3) for parts in combinations(UNIONS, size)),
        Policy(
            "all-but-batchnorm",
            "All but BatchNorm",
            "Trains all weights while γ and β keep their initial values: (1, 0), or U(0, 1) with that initialiser.",
            "paper section 1, figure 1",
            frozenset(ROLES) - AFFINE,
            norm="ones",
        ),
        Policy(
            "gamma",
            "γ only",
            "Trains the scales of every norm layer; β keeps its initial value: 0, or 1 with ones-shifted.",
            "OnlyBN",
            frozenset({"gamma"}),
        ),
        Policy(
            "beta",
            "β only",
            "Trains the shifts of every norm layer; γ keeps its initial value, random or 1.",
            "OnlyBN",
            frozenset({"beta"}),
        ),
        Policy(
            "bias",
            "Biases only",
            "Trains everything that is added: β, the biases of convolutions where there are any, and the output's.",
            "Ben Zaken et al. 2022 (2106.10199), BitFit",
            frozenset({"beta", "convolution-bias", "output-bias"}),
        ),
        *(stage_policy(frozenset({stage})) for stage in (1, 2, 3)),
        *(random_policy(k) for k in (1, 2, 4, 8, 16)),
        random_policy(2, spread=True),
        supermask_policy(50),
        Policy(
            "none",
            "Nothing",
            "Trains nothing: the chance level of a random network whose running statistics adapt.",
            "paper section 4",
        ),
    ),
    also=f"random-k and random-k-layer with k from 1 to {MAX_PER_CHANNEL}, batchnorm-stages-1-2 for stages 0 to "
    f"{MAX_STAGE}, supermask-k with k % from 1 to 99",
)


def _random(k: str, layer: str | None) -> Policy | None:
    return random_policy(int(k), spread=bool(layer)) if int(k) <= MAX_PER_CHANNEL else None


def _stages(listed: str) -> Policy | None:
    stages = frozenset(map(int, listed.split("-")))
    return stage_policy(stages) if max(stages) <= MAX_STAGE else None


GRAMMAR: tuple[tuple[str, Callable[..., Policy | None]], ...] = (
    (r"random-([1-9]\d{0,2})(-layer)?", _random),
    (r"batchnorm-stages?-(\d(?:-\d)*)", _stages),
    (r"supermask-([1-9]\d?)", lambda percent: supermask_policy(int(percent))),
)
"""Names beyond the listed ones: a pattern, and what makes the policy of its groups (None: out of bounds)."""


def policy(name: str) -> Policy:
    """The policy called `name`; the parts of a union may come in any order.

    Raises UnknownName, whose message lists the policies.
    """
    parts = name.split("+")
    if len(parts) > 1 and len(set(parts)) == len(parts) and set(parts) <= set(UNIONS):
        name = "+".join(part for part in UNIONS if part in parts)
    if name in POLICIES:
        return POLICIES[name]
    for pattern, make in GRAMMAR:
        match = re.fullmatch(pattern, name)
        if match and (made := make(*match.groups())):
            return made
    raise POLICIES.unknown(name)
