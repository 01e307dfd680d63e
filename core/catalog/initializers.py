"""Weight and norm initialisers by name. They call the tensor's own methods, so this table imports no torch.

Source: open_lth `models/initializers.py` and `models/bn_initializers.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from core.catalog.registry import Registry

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


def _orthogonal(weight: Tensor, generator: Generator) -> Tensor:
    """As torch.nn.init.orthogonal_ with gain 1: the Q of a normal matrix's QR decomposition, signs made uniform."""
    rows, columns = weight.shape[0], fan_in(weight)
    flat = weight.new_empty(rows, columns).normal_(0.0, 1.0, generator=generator)
    if rows < columns:
        flat = flat.T
    packed, scales = flat.geqrf()
    basis = packed.orgqr(scales) * packed.diagonal().sign()
    return weight.copy_((basis if rows >= columns else basis.T).reshape(weight.shape))


def _binary(weight: Tensor, generator: Generator) -> Tensor:
    weight.normal_(0.0, sqrt(2 / fan_in(weight)), generator=generator)
    return weight.copy_(weight.sign() * weight.std())


WEIGHT_INITIALIZERS: Registry[WeightInitializer] = Registry(
    "weight initialiser",
    (
        WeightInitializer(
            "he-normal",
            "He normal: N(0, 2 / fan-in)",
            lambda weight, generator: weight.normal_(0.0, sqrt(2 / fan_in(weight)), generator=generator),
        ),
        WeightInitializer(
            "he-uniform",
            "He uniform: U(-b, b), b² = 6 / fan-in",
            lambda weight, generator: weight.uniform_(
                -sqrt(6 / fan_in(weight)), sqrt(6 / fan_in(weight)), generator=generator
            ),
        ),
        WeightInitializer("orthogonal", "Orthogonal rows or columns, of norm 1", _orthogonal),
        WeightInitializer("binary", "Binary: +σ or -σ, σ the deviation of a He-normal draw", _binary),
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
        NormInitializer("ones", "γ = 1, β = 0", lambda gamma, beta, generator: (gamma.fill_(1.0), beta.zero_())),
        NormInitializer(
            "ones-shifted", "γ = 1, β = 1", lambda gamma, beta, generator: (gamma.fill_(1.0), beta.fill_(1.0))
        ),
        NormInitializer(
            "uniform-signed",
            "γ from U(-1, 1), β = 0",
            lambda gamma, beta, generator: (gamma.uniform_(-1.0, 1.0, generator=generator), beta.zero_()),
        ),
    ),
)
