"""The kernels in torch's own operators, for where there is no C compiler, and to compare the compiled ones with."""

from __future__ import annotations

import torch
from torch import Tensor

from core.engine.arena import HEAP, Heap
from core.engine.values import (
    ALPHA,
    DELTA,
    INVERSE_SD,
    MEAN,
    SCALE,
    SHIFT,
    Affine,
    Applied,
    Found,
    Kept,
    Relu,
    Running,
    Sums,
)

OVER = (0, 2, 3)
BITS = 8


def _row(statistics: Tensor, row: int) -> Tensor:
    return statistics[row].view(1, -1, 1, 1)


class EagerKernels:
    """In torch's operators, on any device, from torch's memory."""

    name = "torch"

    def convolution(self, kernel: int, stride: int) -> None:
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
