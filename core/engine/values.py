"""What the parts of the engine hand to each other: records of tensors, without any computing.

All tensors of images are (N, C, H, W) in channels-last memory, float32 or bfloat16. A layer's statistics are (6, C).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

Relu = Literal["none", "recompute", "mask"]
"""How backward knows what a ReLU let through: there was none, from the kept values, from the kept signs."""
MEAN, INVERSE_SD, SCALE, SHIFT, ALPHA, DELTA = range(6)
STATISTICS = 6
"""Rows of a layer's statistics, (6, C) float32: the layer's output is y * scale + shift, the normalised values are
kept * alpha + delta."""


class Affine(NamedTuple):
    """A norm layer's parameters, (C,) float32 each, and its convolution's bias, which is not added to y: a bias
    before batch statistics moves nothing but the running mean."""

    gamma: Tensor | None
    beta: Tensor | None
    bias: Tensor | None = None


class Running(NamedTuple):
    """A norm layer's running statistics, moved in place, and how it moves them."""

    mean: Tensor
    var: Tensor
    momentum: float
    eps: float


@dataclass(slots=True)
class Kept:
    """What backward needs of a layer: `values` (N, C, H, W), `statistics` (6, C), `signs`: bits, or None."""

    values: Tensor
    statistics: Tensor
    signs: Tensor | None = None

    @property
    def size_bytes(self) -> int:
        return sum(t.nbytes for t in (self.values, self.statistics, self.signs) if t is not None)


class Applied(NamedTuple):
    """A layer's output, and what `Kernels.apply` was asked to keep: signs, and the normalised values in 8 bits."""

    out: Tensor
    signs: Tensor | None = None
    bytes: Tensor | None = None


class Sums(NamedTuple):
    """Gradients of beta and gamma, (C,); and `factors` (3, C): the gradient of the convolution's output is
    first * gradient + second * kept + third."""

    beta: Tensor
    gamma: Tensor
    factors: Tensor


class Found(NamedTuple):
    """What one gradient makes of a layer, and of the shortcut's layer that got it, too."""

    own: Sums
    other: Sums | None = None


@dataclass(slots=True)
class Residual:
    """What is added before the ReLU, scaled by `statistics` if it comes from a shortcut's layer; where the output is
    stored for whoever needs it, too."""

    other: Tensor
    statistics: Tensor | None
    out: Tensor


@dataclass(slots=True)
class Keeping:
    """What backward needs of a layer whose output is made on the way, and is stored there: the signs of the ReLU; lean
    the normalised values in 8 bits, rounded by `seed`."""

    signs: Tensor
    bytes: Tensor | None = None
    seed: int = 0


class Unapplied(NamedTuple):
    """relu(y * scale + shift [+ residual]) of a convolution's output y, not made yet: whoever reads it makes it, and
    stores what is kept of it. With a residual or something to keep only Winograd's convolutions can."""

    y: Tensor
    statistics: Tensor
    residual: Residual | None = None
    keeping: Keeping | None = None


@dataclass(slots=True)
class Unfinished:
    """The gradient of a convolution's output, not made yet, of that behind its layer's ReLU (see Kernels.sums)."""

    kept: Kept
    factors: Tensor
    gradient: Tensor
    relu: Relu


@dataclass(slots=True)
class Below:
    """The layer that gets a gradient: what Kernels.sums is asked for. `second` is written over."""

    kept: Kept
    relu: Relu
    second: Tensor | None = None
    other: Kept | None = None


def running_statistics(affine: Affine, running: Running) -> Tensor:
    """(6, C) that normalise by the running statistics, for tests."""
    inverse = (running.var + running.eps).rsqrt()
    scale = inverse if affine.gamma is None else inverse * affine.gamma
    mean = running.mean if affine.bias is None else running.mean - affine.bias
    shift = -mean * scale if affine.beta is None else affine.beta - mean * scale
    return torch.stack([mean, inverse, scale, shift, inverse, -mean * inverse])
