"""Weight and norm initialisers by name. They take all numbers from a draw, so this table imports no NumPy.

Source: open_lth `models/initializers.py` and `models/bn_initializers.py`; `sparse-k` is ours, after a claim in the
abstract of openreview E361DSJEyT.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod, sqrt
from typing import TYPE_CHECKING

from core.catalog.registry import Registry, UnknownName

if TYPE_CHECKING:
    from core.draws.draw import Draw, Shape
    from core.draws.exact import Floats


MAX_SPARSE = 9999
"""The greatest k of `sparse-k`; the layers here have at most 18,432 weights an output."""


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


def sparse(k: int) -> WeightInitializer:
    """`sparse-k`: of each output's weights, k at random places are normal and the others 0.

    Their variance is 2 / k, so that the output's is as with He normal. An output with fewer than k weights uses all of
    them: it is He normal.
    """

    def values(shape: Shape, draw: Draw) -> Floats:
        used = min(k, fan_in(shape))
        return draw.sparse(shape[0], fan_in(shape), used, sqrt(2 / used)).reshape(shape)

    noun = "weight" if k == 1 else "weights"
    return WeightInitializer(f"sparse-{k}", f"Sparse: {k} {noun} an output from N(0, 2 / {k}), the others 0", values)


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
        *(sparse(k) for k in (1, 2, 4, 8)),
    ),
    also=f"sparse-k with k from 1 to {MAX_SPARSE}",
)


def weight_initializer(name: str) -> WeightInitializer:
    """The weight initialiser called `name`. Raises UnknownName, which says what k may be."""
    said = re.fullmatch(r"sparse-(.*)", name)
    if name in WEIGHT_INITIALIZERS or said is None:
        return WEIGHT_INITIALIZERS[name]
    if not re.fullmatch(r"[1-9][0-9]{0,3}", said[1]):
        shown = said[1] if len(said[1]) <= 20 else f"{said[1][:17]}..."
        raise UnknownName(
            f"k in sparse-k is how many weights of an output are not 0: a whole number from 1 to {MAX_SPARSE}, got "
            f"{shown!r}"
        )
    return sparse(int(said[1]))


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
