"""BatchNorm whose batch statistics are those of all processes' images together, on CPU and GPU alike.

torch.nn.SyncBatchNorm is for GPUs only, so it could not be tested on a machine without one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn

CHANNELS = (1, -1, 1, 1)
OVER = (0, 2, 3)
"""All dimensions of (N, C, H, W) but the channels."""


class SyncBatchNorm(nn.BatchNorm2d):
    """As BatchNorm2d, with the mean and variance of the whole batch in training mode. N may be 0 in a process."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        assert self.running_mean is not None and self.running_var is not None and self.momentum is not None
        moments = _moments(x)
        normalised = _Normalise.apply(x, self.weight, self.bias, *moments, self.eps)
        mean, variance, count = moments
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        return normalised


@torch.no_grad()
def _moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and biased variance (C,) over all processes' images, and how many values each is of.

    The variance is summed about the common mean: the difference of two large sums would lose digits.
    """
    sums = torch.cat([x.sum(OVER), x.new_full((1,), x.numel() / x.shape[1])])
    distributed.all_reduce(sums)
    count = sums[-1]
    mean = sums[:-1] / count
    squares = (x - mean.view(CHANNELS)).square_().sum(OVER)
    distributed.all_reduce(squares)
    return mean, squares / count, count


class _Normalise(torch.autograd.Function):
    """(x - mean) / deviation · γ + β, where mean and deviation are functions of all processes' x."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        gamma: Tensor | None,
        beta: Tensor | None,
        mean: Tensor,
        var: Tensor,
        count: Tensor,
        eps: float,
    ) -> Tensor:
        inverse = (var + eps).rsqrt()
        ctx.save_for_backward(x, gamma, mean, inverse, count)
        scale = inverse if gamma is None else inverse * gamma
        out = (x - mean.view(CHANNELS)).mul_(scale.view(CHANNELS))
        return out if beta is None else out.add_(beta.view(CHANNELS))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of γ and β are those of this process's images: they are summed with all others."""
        x, gamma, mean, inverse, count = ctx.saved_tensors
        (gradient,) = gradients
        centred = x - mean.view(CHANNELS)
        for_beta = gradient.sum(OVER)
        for_gamma = (gradient * centred).sum(OVER) * inverse
        for_x = None
        if ctx.needs_input_grad[0]:
            means = torch.stack([for_beta, for_gamma])
            distributed.all_reduce(means)
            shift, slope = means / count
            scale = inverse if gamma is None else inverse * gamma
            for_x = gradient - shift.view(CHANNELS) - centred.mul_((inverse * slope).view(CHANNELS))
            for_x.mul_(scale.view(CHANNELS))
        return for_x, for_gamma, for_beta, None, None, None, None


def synchronise(network: nn.Module) -> None:
    """Replace every BatchNorm of `network` by a SyncBatchNorm with the same tensors."""
    for parent in list(network.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, nn.BatchNorm2d):
                setattr(parent, name, _of(layer))


def _of(layer: nn.BatchNorm2d) -> SyncBatchNorm:
    made = SyncBatchNorm(layer.num_features, layer.eps, layer.momentum, affine=layer.affine, device="meta")
    made.weight, made.bias = layer.weight, layer.bias
    made.running_mean, made.running_var, made.num_batches_tracked = layer.running_mean, layer.running_var, None
    return made
