"""Weight and norm initialisers by name. They call the tensor's own methods, so this table imports no torch.

Source: open_lth `models/initializers.py` and `models/bn_initializers.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from core.registry import Registry

if TYPE_CHECKING:
    from torch import Generator, Tensor


@dataclass(frozen=True)
class WeightInitializer:
    """`fill(weight, generator)` draws a convolution's or linear layer's weight (outputs first) in place."""

    name: str
    title: str
    fill: Callable[[Tensor, Generator], Tensor]


@dataclass(frozen=True)
class NormInitializer:
    """`fill(gamma, beta, generator)` sets a norm layer's gamma and beta, both (channels,), in place."""

    name: str
    title: str
    fill: Callable[[Tensor, Tensor, Generator], object]


def fan_in(weight: Tensor) -> int:
    """How many inputs feed one output of a convolution or linear layer."""
    return weight[0].numel()


WEIGHT_INITIALIZERS: Registry[WeightInitializer] = Registry(
    "weight initialiser",
    (
        WeightInitializer(
            "he-normal",
            "He normal: N(0, 2 / fan-in)",
            lambda weight, generator: weight.normal_(0.0, sqrt(2 / fan_in(weight)), generator=generator),
        ),
    ),
)

NORM_INITIALIZERS: Registry[NormInitializer] = Registry(
    "norm initialiser",
    (
        NormInitializer(
            "uniform",
            "γ from U(0, 1), β = 0",
            lambda gamma, beta, generator: (gamma.uniform_(0.0, 1.0, generator=generator), beta.zero_()),
        ),
    ),
)
