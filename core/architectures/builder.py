"""Turns a plan into a module with the plan's names, and fills it with the random values of a seed."""

from __future__ import annotations

from itertools import groupby
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.architectures.plan import Block, Convolution, Norm, Plan, Unit
from core.initializers import NORM_INITIALIZERS, WEIGHT_INITIALIZERS, fan_in
from core.randomness import generator
from core.spec import Init


def _convolution(layer: Convolution) -> nn.Conv2d:
    return nn.Conv2d(
        layer.inputs, layer.outputs, layer.kernel, layer.stride, padding=(layer.kernel - 1) // 2, bias=False
    )


def _norm(layer: Norm) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(layer.channels)
    norm.num_batches_tracked = None  # only read where momentum is None; without it a state has no counters
    return norm


class ConvolutionNorm(nn.Module):
    """A convolution and its norm."""

    def __init__(self, unit: Unit) -> None:
        super().__init__()
        self.conv, self.norm = _convolution(unit.convolution), _norm(unit.norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class BasicBlock(nn.Module):
    """conv-norm-ReLU-conv-norm, plus the input (or its projection), ReLU."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        first, second = block.units
        self.conv1, self.norm1 = _convolution(first.convolution), _norm(first.norm)
        self.conv2, self.norm2 = _convolution(second.convolution), _norm(second.norm)
        self.shortcut = ConvolutionNorm(block.shortcut) if block.shortcut else None

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.norm1(self.conv1(x)))
        out = self.norm2(self.conv2(out))
        return F.relu(out + (x if self.shortcut is None else self.shortcut(x)))


class ResidualNetwork(nn.Module):
    """x: (N, C, H, W) float32, normalised -> logits: (N, classes)."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.stem = ConvolutionNorm(plan.stem)
        self.stages: list[str] = []
        for stage, blocks in groupby(plan.blocks, key=lambda block: block.stage):
            self.stages.append(f"stage{stage}")
            self.add_module(f"stage{stage}", nn.Sequential(*(BasicBlock(block) for block in blocks)))
        self.output = nn.Linear(plan.output.features, plan.output.classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
        return self.output(x.mean(dim=(2, 3)))


def build(plan: Plan, init: Init, seed: int) -> ResidualNetwork:
    """The network of `plan` on the CPU, every value drawn from `seed`.

    Each tensor has a generator of its own, seeded with its name. As in open_lth, the output layer's bias keeps
    PyTorch's default, U(-1/sqrt(fan-in), 1/sqrt(fan-in)).
    """
    with torch.device("meta"):
        network = ResidualNetwork(plan)
    network.to_empty(device="cpu")
    weights, norms = WEIGHT_INITIALIZERS[init.weights], NORM_INITIALIZERS[init.norm]
    with torch.no_grad():
        for parameter in plan.parameters:
            if parameter.role in ("gamma", "beta"):
                continue
            tensor = network.get_parameter(parameter.name)
            draw = generator(seed, parameter.name)
            if tensor.ndim == 1:
                bound = 1 / sqrt(fan_in(network.output.weight))
                tensor.uniform_(-bound, bound, generator=draw)
            else:
                weights.fill(tensor, draw)
        for layer in plan.norms:
            norm = network.get_submodule(layer.name)
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_mean is not None and norm.running_var is not None
            norm.running_mean.zero_()
            norm.running_var.fill_(1.0)
            norms.fill(norm.weight, norm.bias, generator(seed, layer.name))
    return network
