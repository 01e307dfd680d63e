"""A policy is a named selection of parameters that may train; everything else stays at its random value.

It selects by role, so that counts are exact without building a network. `policies.py` has the table, and
`core/network/freezing.py` applies what trains to a module. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

from core.catalog.plan import Parameter, Plan, Role

CONVOLUTIONS: frozenset[Role] = frozenset({"convolution", "shortcut"})
WEIGHTS: frozenset[Role] = CONVOLUTIONS | {"output"}

How = Literal["whole", "values", "scores"]
"""whole: the tensor itself trains; values: some of its entries do; scores: each entry has a trainable score.

`core/network/freezing.py` has a function for each; its layer names its trainable tensor by this word (`conv1.values`).
"""


@dataclass(frozen=True, slots=True)
class Trained:
    """Which part of one tensor trains.

    `shape` is the shape of the numbers that train; `how`: see How. Values lie anywhere in the tensor if `spread`;
    otherwise each output channel has the same number of them. Of the scores, the highest share `keep` (0..1) switch
    their weights on.
    """

    shape: tuple[int, ...]
    how: How = "whole"
    spread: bool = False
    keep: float = 0.0

    @property
    def count(self) -> int:
        """How many numbers train."""
        return prod(self.shape)


Trains = Mapping[str, Trained]
"""What trains in a network, by the names of its parameters and in their order; the others are frozen."""


def trainable(trains: Trains) -> int:
    """How many numbers train."""
    return sum(trained.count for trained in trains.values())


@dataclass(frozen=True)
class Policy:
    """Which parameters train: those with one of `roles` (and in one of `stages`, where given), and beyond these:

    - `per_channel` weights for every output channel of each convolution, drawn within the channel's filter or,
      where `spread`, anywhere in the layer;
    - where `keep` is not 0, a score for every weight; in each layer the highest share `keep` switch their weights on.

    `norm` names the norm initialiser of a spec that names none; None: the general default. `group` is the entry of
    POLICY_GROUPS under which the form shows the policy, and `hue` (1..6) is the colour of its curves; None: any.
    """

    name: str
    title: str
    sentence: str
    source: str
    group: str
    hue: int | None = None
    roles: frozenset[Role] = frozenset()
    stages: frozenset[int] | None = None
    per_channel: int = 0
    spread: bool = False
    keep: float = 0.0
    norm: str | None = None

    def trains(self, plan: Plan) -> Trains:
        """What trains in the network of `plan` under this policy."""
        return {p.name: trained for p in plan.parameters if (trained := self._trained(p))}

    def _trained(self, parameter: Parameter) -> Trained | None:
        if parameter.role in self.roles and (self.stages is None or parameter.stage in self.stages):
            return Trained(parameter.shape)
        if self.per_channel and parameter.role in CONVOLUTIONS:
            outputs, *filters = parameter.shape
            # A filter with fewer weights than `per_channel` trains all of them.
            return Trained((min(self.per_channel, prod(filters)) * outputs,), "values", spread=self.spread)
        if self.keep and parameter.role in WEIGHTS:
            return Trained(parameter.shape, "scores", keep=self.keep)
        return None
