"""A policy is a named selection of parameters that may train; everything else stays at its random value.

A table of roles, so that counts are exact without building a network. Imports no torch; `freezing.py` applies
a policy to a module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.architectures.plan import ROLES, Plan, Role
from core.registry import Registry

MAX_PER_CHANNEL = 128


@dataclass(frozen=True)
class Policy:
    """Which parameters train: all of `roles`, and `per_channel` weights of every convolution's output channel."""

    name: str
    title: str
    sentence: str
    source: str
    roles: frozenset[Role] = frozenset()
    per_channel: int = 0

    def trainable(self, plan: Plan) -> int:
        """How many parameters of `plan` train under this policy."""
        return plan.count(*self.roles) + sum(chosen * outputs for chosen, outputs in self.choices(plan).values())

    def choices(self, plan: Plan) -> dict[str, tuple[int, int]]:
        """For each convolution with scattered trainable weights: (weights per output channel, output channels).

        A filter with fewer weights than `per_channel` trains all it has.
        """
        if not self.per_channel:
            return {}
        return {c.name: (min(self.per_channel, c.fan_in), c.outputs) for c in plan.convolutions}


def random_policy(k: int) -> Policy:
    """`random-k`: k random weights of every output channel train (paper section 4, for k = 2)."""
    noun = "weight" if k == 1 else "weights"
    return Policy(
        f"random-{k}",
        f"{k} random {noun} per channel",
        f"Trains {k} randomly chosen {noun} of every convolution's output channel; the rest, with γ, β and the "
        "output layer, stays random. With 2 it has exactly as many trainable parameters as BatchNorm.",
        "paper section 4 (k = 2)",
        per_channel=k,
    )


POLICIES: Registry[Policy] = Registry(
    "policy",
    (
        Policy(
            "batchnorm",
            "BatchNorm only",
            "Trains γ and β of every BatchNorm layer; all convolutions and the output layer keep their random weights.",
            "paper section 4",
            frozenset({"gamma", "beta"}),
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
            frozenset({"output"}),
        ),
        Policy(
            "batchnorm+output",
            "BatchNorm and output",
            "Trains γ and β of every BatchNorm layer and the final linear layer.",
            "paper section 4",
            frozenset({"gamma", "beta", "output"}),
        ),
        *(random_policy(k) for k in (1, 2, 4, 8, 16)),
        Policy(
            "none",
            "Nothing",
            "Trains nothing: the chance level of a random network whose running statistics adapt.",
            "paper section 4",
        ),
    ),
    also=f"random-k with k from 1 to {MAX_PER_CHANNEL}",
)


def policy(name: str) -> Policy:
    """The policy called `name`. Raises UnknownName, whose message lists the policies."""
    if name in POLICIES:
        return POLICIES[name]
    match = re.fullmatch(r"random-([1-9]\d{0,2})", name)
    if match and int(match[1]) <= MAX_PER_CHANNEL:
        return random_policy(int(match[1]))
    raise POLICIES.unknown(name)
