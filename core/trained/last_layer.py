"""The control for computed γ and β: only those of the last norm layer are computed, all others stay as drawn."""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.network.builder import ConvolutionNorm, Network, UnitBlock
from core.trained.computed import Fit, since
from core.trained.least_squares import BeforeOutput, solve
from core.trained.regression import affine, bias_of, convolved, set_norm, weight_of


def compute_last(teacher: Network, student: Network, images: Tensor) -> Iterator[Fit]:
    """Set γ and β of the last norm layer of `student`; yields that layer.

    The running statistics of both networks become those of the images, (N, C, H, W) float32, normalised.
    """
    with torch.no_grad():
        began = time.monotonic()
        logits = _by_these(teacher, images)[0]
        _, norm, response, skip = _by_these(student, images)
        start = torch.stack([norm.weight, norm.bias])
        output = student.output
        problem = BeforeOutput(response, skip, weight_of(output), logits - bias_of(output))
        values, explained = solve(problem, start)
        set_norm(norm, values)
        name = next(name for name, module in student.named_modules() if module is norm)
        yield Fit(name, len(norm.weight), len(norm.weight), explained, since(began))


def _by_these(network: Network, images: Tensor) -> tuple[Tensor, nn.BatchNorm2d, Tensor, Tensor]:
    """The logits of a network that normalises by the statistics of these images, and keeps them as its own.

    Then its last norm layer, what that normalises, and what the last shortcut adds, (N, C, S) each.
    """
    x = _renormed(network.stem, images).relu_()
    for stage in network.stages:
        for block in network.get_submodule(stage).children():
            assert isinstance(block, UnitBlock)
            skip = x if block.shortcut is None else _renormed(block.shortcut, x)
            inner = convolved(block._modules["conv1"], x)
            norm = block._modules["norm2"]
            inner = convolved(block._modules["conv2"], _renorm(block._modules["norm1"], inner).relu_())
            x = (_renorm(norm, inner) + skip).relu_()
    assert isinstance(norm, nn.BatchNorm2d)
    response = F.batch_norm(inner, None, None, training=True, eps=norm.eps)
    return network.output(x.mean((2, 3))), norm, response.flatten(2), skip.flatten(2)


def _renormed(unit: ConvolutionNorm, images: Tensor) -> Tensor:
    return _renorm(unit.norm, convolved(unit.conv, images))


def _renorm(norm: nn.Module | None, response: Tensor) -> Tensor:
    """Normalise by the statistics of this response, and make them the running ones."""
    assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
    norm.running_mean.copy_(response.mean((0, 2, 3)))
    norm.running_var.copy_(response.var((0, 2, 3), unbiased=False))
    return affine(norm, response)
