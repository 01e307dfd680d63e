"""Parts of a network as least squares needs them: its layers as functions, and regressions of channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.network.freezing import FrozenWeight

CHUNK = 1 << 23
"""Numbers of a wide layer that are in memory at a time (32 MB)."""
TINY = 1e-12
"""What a variance is divided by where it is 0."""


@dataclass
class Regression:
    """Statistics of a wide response over all images, (C,), and how it goes with what is wanted, (C, T)."""

    mean: Tensor
    variance: Tensor
    correlation: Tensor
    wanted_mean: Tensor
    wanted_deviation: Tensor
    eps: float
    chunks: list[slice]

    def normalised(self, response: Tensor) -> Tensor:
        return (response - self.mean[:, None, None]) * (self.variance + self.eps).rsqrt()[:, None, None]

    def line(self, best: Tensor, rows: Tensor | None = None) -> Tensor:
        """γ and β, (2, R): the regression of the wanted channel `best` (R,) on the normalised channel of each row."""
        rows = torch.arange(len(self.mean)) if rows is None else rows
        variance = self.variance[rows]
        widened = ((variance + self.eps) / variance.clamp_min(TINY)).sqrt()  # normalised, its deviation is not quite 1
        gamma = self.correlation[rows, best] * self.wanted_deviation[best] * widened
        return torch.stack([gamma, self.wanted_mean[best]])


def regress(response: Callable[[slice], Tensor], wanted: Tensor, channels: int, size: int | None = None) -> Regression:
    """Go through all images once; `response(rows)` is (n, C, H, W), `wanted` (N, T, H, W)."""
    size = max(1, size or CHUNK // channels // wanted[0, 0].numel())
    chunks = [slice(begin, min(begin + size, len(wanted))) for begin in range(0, len(wanted), size)]
    total = wanted.numel() // wanted.shape[1]
    target_mean = wanted.double().mean((0, 2, 3))
    centred = wanted - target_mean.float()[:, None, None]
    target_variance = centred.double().square().mean((0, 2, 3))
    sums = torch.zeros(channels, dtype=torch.float64)
    squares, products = torch.zeros_like(sums), torch.zeros(channels, wanted.shape[1], dtype=torch.float64)
    base: Tensor | None = None  # about the mean, so that the squares do not cancel
    for rows in chunks:
        flat = response(rows).transpose(0, 1).flatten(1)
        base = flat.mean(1) if base is None else base
        flat = flat - base[:, None]
        sums += flat.sum(1, dtype=torch.float64)
        squares += flat.square().sum(1, dtype=torch.float64)
        products += (flat @ centred[rows].transpose(0, 1).flatten(1).T).double()
    assert base is not None
    mean = sums / total
    variance = (squares / total - mean.square()).clamp_min(0)
    covariance = products / total  # the wanted part is centred
    deviations = variance.sqrt()[:, None] * target_variance.sqrt()
    correlation = torch.where(deviations > 0, covariance / deviations.clamp_min(TINY), 0.0)
    return Regression(
        (base + mean).float(),
        variance.float(),
        correlation.float(),
        target_mean.float(),
        target_variance.sqrt().float(),
        nn.BatchNorm2d(1).eps,
        chunks,
    )


def pairs(correlation: Tensor) -> Tensor:
    """(C, T) -> (T,): for each wanted channel another row; the largest correlations first."""
    sizes, wanted = correlation.abs(), correlation.shape[1]
    chosen = torch.full((wanted,), -1)
    used = torch.zeros(len(correlation), dtype=torch.bool)
    for place in sizes.flatten().argsort(descending=True, stable=True).tolist():
        row, column = divmod(place, wanted)
        if chosen[column] < 0 and not used[row]:
            chosen[column], used[row] = row, True
            if (chosen >= 0).all():
                break
    return chosen


def affine(norm: nn.Module | None, response: Tensor) -> Tensor:
    """The norm layer's output, by the statistics of these images."""
    assert isinstance(norm, nn.BatchNorm2d)
    return F.batch_norm(response, None, None, norm.weight, norm.bias, training=True, eps=norm.eps)


def gain(norm: nn.Module | None, response: Tensor) -> Tensor:
    """(T,): by how much the norm layer multiplies each channel."""
    assert isinstance(norm, nn.BatchNorm2d)
    return norm.weight / (response.var((0, 2, 3), unbiased=False) + norm.eps).sqrt()


def set_norm(norm: nn.BatchNorm2d, values: Tensor, found: Regression | None = None, rows: Tensor | None = None) -> None:
    """Set γ and β, (2, C), and the running statistics of the channels `rows` (None: of all), if there are any."""
    assert norm.running_mean is not None and norm.running_var is not None
    norm.weight.copy_(values[0])
    norm.bias.copy_(values[1])
    if found is not None:
        where = torch.arange(len(norm.weight)) if rows is None else rows
        norm.running_mean[where], norm.running_var[where] = found.mean, found.variance


def weight_of(layer: nn.Module | None) -> Tensor:
    weight = layer.effective() if isinstance(layer, FrozenWeight) else layer.weight if layer is not None else None
    assert isinstance(weight, Tensor)
    return weight.detach().contiguous()


def bias_of(layer: nn.Module) -> Tensor:
    bias = layer.bias
    assert isinstance(bias, Tensor)
    return bias.detach()


def stride_of(layer: nn.Module | None) -> int:
    stride = getattr(layer, "stride", None)
    assert isinstance(stride, tuple)
    return int(stride[0])


def convolved(layer: nn.Module | None, images: Tensor) -> Tensor:
    weight = weight_of(layer)
    return F.conv2d(images, weight, None, stride_of(layer), weight.shape[-1] // 2)
