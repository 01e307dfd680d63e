"""Weight and norm initialisers by name. They take all numbers from a draw, so this table imports no NumPy.

Source: open_lth `models/initializers.py` and `models/bn_initializers.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod, sqrt
from typing import TYPE_CHECKING

from core.catalog.registry import Registry

if TYPE_CHECKING:
    from core.draws.draw import Draw, Shape
    from core.draws.exact import Floats


@dataclass(frozen=True)
class WeightInitializer:
    """`values(shape, draw)` are those of a convolution's or linear layer's weight, whose outputs come first."""

    name: str
    title: str
    values: Callable[[Shape, Draw], Floats]


@dataclass(frozen=True)
class NormInitializer:
    """`gamma(channels, draw)` are a norm layer's γ, (channels,); `beta` is what each of its β begins with."""

    name: str
    title: str
    gamma: Callable[[int, Draw], Floats]
    beta: float = 0.0


def fan_in(shape: Shape) -> int:
    """How many inputs feed one output of a convolution or linear layer whose weight has this shape."""
    return prod(shape[1:])


def _he(shape: Shape) -> float:
    return sqrt(2 / fan_in(shape))


def _he_uniform(shape: Shape, draw: Draw) -> Floats:
    bound = sqrt(6 / fan_in(shape))
    return draw.uniform(shape, -bound, bound)


def _ones(channels: int, draw: Draw) -> Floats:
    return draw.uniform((channels,), 1.0, 1.0)


WEIGHT_INITIALIZERS: Registry[WeightInitializer] = Registry(
    "weight initialiser",
    (
        WeightInitializer(
            "he-normal", "He normal: N(0, 2 / fan-in)", lambda shape, draw: draw.normal(shape, _he(shape))
        ),
        WeightInitializer("he-uniform", "He uniform: U(-b, b), b² = 6 / fan-in", _he_uniform),
        WeightInitializer(
            "orthogonal",
            "Orthogonal rows or columns, of norm 1",
            lambda shape, draw: draw.orthogonal(shape[0], fan_in(shape)).reshape(shape),
        ),
        WeightInitializer(
            "binary", "Binary: +σ or -σ, σ² = 2 / fan-in", lambda shape, draw: draw.binary(shape, _he(shape))
        ),
    ),
)

NORM_INITIALIZERS: Registry[NormInitializer] = Registry(
    "norm initialiser",
    (
        NormInitializer("uniform", "γ from U(0, 1), β = 0", lambda channels, draw: draw.uniform((channels,), 0.0, 1.0)),
        NormInitializer("ones", "γ = 1, β = 0", _ones),
        NormInitializer("ones-shifted", "γ = 1, β = 1", _ones, beta=1.0),
        NormInitializer(
            "uniform-signed", "γ from U(-1, 1), β = 0", lambda channels, draw: draw.uniform((channels,), -1.0, 1.0)
        ),
    ),
)
