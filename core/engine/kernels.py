"""Batch norm, residual sum and ReLU between two convolutions, forward and backward, as four functions on tensors.

Two classes have them: `CompiledKernels` (compiled.py, in C) and `EagerKernels` here, in torch's own operators, for
where there is no compiler. All tensors of images are (N, C, H, W) in channels-last memory, float32 or bfloat16.

Backward keeps one tensor a layer: the convolution's output, from which the ReLU's sign is recomputed; where a residual
was added, the sign is kept as one bit. Lean: the normalised values in 8 bits, and the sign as one bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from core.engine.arena import HEAP, Heap

if TYPE_CHECKING:
    from core.engine.convolutions import FusedConvolution

Relu = Literal["none", "recompute", "mask"]
"""How backward knows what a ReLU let through: there was none, from the kept values, from the kept signs."""
MEAN, INVERSE_SD, SCALE, SHIFT, ALPHA, DELTA = range(6)
STATISTICS = 6
"""Rows of a layer's statistics, (6, C) float32: the layer's output is y * scale + shift, the normalised values are
kept * alpha + delta."""
OVER = (0, 2, 3)
BITS = 8


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


class Kernels(Protocol):
    """See the module. `name` is shown to people. What a step keeps comes from `arena`."""

    name: str

    def convolution(self, kernel: int, stride: int) -> FusedConvolution | None:
        """A new one of `kernel` by `kernel` that does more than that on the way; None: there is none."""

    def statistics(self, y: Tensor, affine: Affine, running: Running, lean: bool = False, arena: Heap = HEAP) -> Tensor:
        """(6, C): those of the batch; moves the running statistics."""

    def apply(
        self,
        y: Tensor,
        statistics: Tensor,
        other: Tensor | None = None,
        other_statistics: Tensor | None = None,
        relu: bool = True,
        keep_signs: bool = False,
        lean_seed: int | None = None,
        in_place: bool = False,
        arena: Heap = HEAP,
    ) -> Applied:
        """relu(y * scale + shift [+ other [* its scale + its shift]]), in the place of `y` if `in_place`."""

    def sums(
        self,
        kept: Kept,
        gradient: Tensor,
        second: Tensor | None,
        relu: Relu,
        in_place: bool,
        other: Kept | None = None,
        arena: Heap = HEAP,
    ) -> Found:
        """Of `gradient` [+ `second`] behind the ReLU; where `in_place`, that is left in `gradient`. `other` got the
        same gradient."""

    def input_gradient(self, kept: Kept, factors: Tensor, gradient: Tensor, relu: Relu, into: Tensor | None) -> Tensor:
        """The gradient of the convolution's output, into `into` (may be the kept values or the gradient)."""


def running_statistics(affine: Affine, running: Running) -> Tensor:
    """(6, C) that normalise by the running statistics, for tests."""
    inverse = (running.var + running.eps).rsqrt()
    scale = inverse if affine.gamma is None else inverse * affine.gamma
    mean = running.mean if affine.bias is None else running.mean - affine.bias
    shift = -mean * scale if affine.beta is None else affine.beta - mean * scale
    return torch.stack([mean, inverse, scale, shift, inverse, -mean * inverse])


def _row(statistics: Tensor, row: int) -> Tensor:
    return statistics[row].view(1, -1, 1, 1)


class EagerKernels:
    """In torch's operators, on any device, from torch's memory."""

    name = "torch"

    def convolution(self, kernel: int, stride: int) -> FusedConvolution | None:
        return None

    def statistics(self, y: Tensor, affine: Affine, running: Running, lean: bool = False, arena: Heap = HEAP) -> Tensor:
        values = y.float()
        var, mean = torch.var_mean(values, OVER, correction=0)
        count = y.numel() / y.shape[1]
        told = mean if affine.bias is None else mean + affine.bias
        running.mean.lerp_(told, running.momentum)
        running.var.lerp_(var * (count / max(count - 1, 1)), running.momentum)
        inverse = (var + running.eps).rsqrt()
        scale = inverse if affine.gamma is None else inverse * affine.gamma
        shift = -mean * scale if affine.beta is None else affine.beta - mean * scale
        alpha, delta = inverse, -mean * inverse
        if lean:
            reach = torch.maximum(values.amax(OVER) - mean, mean - values.amin(OVER))
            alpha = torch.where(reach > 0, reach * inverse / (2 ** (BITS - 1) - 1), 1.0)
            delta = torch.zeros_like(mean)
        return torch.stack([mean, inverse, scale, shift, alpha, delta])

    def apply(
        self,
        y: Tensor,
        statistics: Tensor,
        other: Tensor | None = None,
        other_statistics: Tensor | None = None,
        relu: bool = True,
        keep_signs: bool = False,
        lean_seed: int | None = None,
        in_place: bool = False,
        arena: Heap = HEAP,
    ) -> Applied:
        out = y.float() * _row(statistics, SCALE) + _row(statistics, SHIFT)
        if other is not None:
            added = other.float()
            if other_statistics is not None:
                added = added * _row(other_statistics, SCALE) + _row(other_statistics, SHIFT)
            out += added
        signs = out > 0 if keep_signs else None
        kept = None
        if lean_seed is not None:
            draw = torch.Generator(y.device).manual_seed(lean_seed)
            steps = _row(statistics, INVERSE_SD) / _row(statistics, ALPHA)
            noise = torch.rand(y.shape, generator=draw, device=y.device)
            limit = 2 ** (BITS - 1) - 1
            exact = (y.float() - _row(statistics, MEAN)) * steps
            kept = (exact + noise).floor_().clamp_(-limit, limit).to(torch.int8)
        out = out.relu_() if relu else out
        return Applied(y.copy_(out) if in_place else out.to(y.dtype), signs, kept)

    def sums(
        self,
        kept: Kept,
        gradient: Tensor,
        second: Tensor | None,
        relu: Relu,
        in_place: bool,
        other: Kept | None = None,
        arena: Heap = HEAP,
    ) -> Found:
        behind = gradient.float() if second is None else gradient.float() + second.float()
        behind = self._behind(kept, behind, relu)
        if in_place:
            gradient.copy_(behind)
            behind = gradient.float()
        return Found(self._sums(kept, behind), None if other is None else self._sums(other, behind))

    def input_gradient(self, kept: Kept, factors: Tensor, gradient: Tensor, relu: Relu, into: Tensor | None) -> Tensor:
        behind = self._behind(kept, gradient.float(), relu)
        out = behind * _row(factors, 0) + kept.values.float() * _row(factors, 1) + _row(factors, 2)
        return out.to(gradient.dtype) if into is None else into.copy_(out)

    def _behind(self, kept: Kept, gradient: Tensor, relu: Relu) -> Tensor:
        """The gradient behind the ReLU."""
        if relu == "none":
            return gradient
        let = kept.signs
        if relu == "recompute":
            let = kept.values.float() * _row(kept.statistics, SCALE) + _row(kept.statistics, SHIFT) > 0
        assert let is not None
        return torch.where(let, gradient, 0.0)

    def _sums(self, kept: Kept, gradient: Tensor) -> Sums:
        normalised = kept.values.float() * _row(kept.statistics, ALPHA) + _row(kept.statistics, DELTA)
        beta, gamma = gradient.sum(OVER), (gradient * normalised).sum(OVER)
        count = gradient.numel() / gradient.shape[1]
        _, _, scale, _, alpha, delta = kept.statistics
        mean, slope = beta / count, gamma / count
        return Sums(beta, gamma, torch.stack([scale, -scale * slope * alpha, -scale * (mean + slope * delta)]))
