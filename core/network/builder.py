"""Turns a plan into a module with the plan's names, and fills it with the random values of a seed."""

from __future__ import annotations

from itertools import groupby
from math import sqrt

import torch
from torch import Tensor, nn

from core.catalog.initializers import NORM_INITIALIZERS, fan_in, weight_initializer
from core.catalog.plan import Block, Convolution, Norm, Plan, Pool, Unit
from core.draws.versions import Version, drawn
from core.run.spec import Init


class AffineLayer(nn.Module):
    """γ and β per channel without any normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(channels)), nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight[:, None, None] + self.bias[:, None, None]


def _convolution(layer: Convolution) -> nn.Conv2d:
    padding = (layer.kernel - 1) // 2
    return nn.Conv2d(layer.inputs, layer.outputs, layer.kernel, layer.stride, padding=padding, bias=layer.bias)


def _norm(layer: Norm) -> nn.Module:
    if layer.kind == "batch":
        norm = nn.BatchNorm2d(layer.channels, affine=layer.affine)
        norm.num_batches_tracked = None  # only read where momentum is None; without it a state has no counters
        return norm
    if layer.kind == "instance":
        return nn.InstanceNorm2d(layer.channels, affine=layer.affine)
    if layer.kind in ("group", "layer"):
        return nn.GroupNorm(layer.groups, layer.channels, affine=layer.affine)
    return AffineLayer(layer.channels) if layer.affine else nn.Identity()


def _pool(pool: Pool | None) -> nn.Module | None:
    return nn.MaxPool2d(pool.kernel, pool.stride, pool.padding) if pool else None


class ConvolutionNorm(nn.Module):
    """A convolution and its norm."""

    def __init__(self, unit: Unit) -> None:
        super().__init__()
        self.conv, self.norm = _convolution(unit.convolution), _norm(unit.norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class UnitBlock(nn.Module):
    """Units with a ReLU after each; where residual, the input (or its projection) is added before the last ReLU."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.pool, self.residual, self.depth = _pool(block.pool), block.residual, len(block.units)
        for number, unit in enumerate(block.units, start=1):
            self.add_module(f"conv{number}", _convolution(unit.convolution))
            self.add_module(f"norm{number}", _norm(unit.norm))
            self.add_module(f"relu{number}", nn.ReLU())
        self.shortcut = ConvolutionNorm(block.shortcut) if block.shortcut else None

    def forward(self, x: Tensor) -> Tensor:
        if self.pool is not None:
            x = self.pool(x)
        out = x
        modules = self._modules
        for number in range(1, self.depth + 1):
            out = modules[f"norm{number}"](modules[f"conv{number}"](out))  # type: ignore[misc]
            if self.residual and number == self.depth:
                out = out + (x if self.shortcut is None else self.shortcut(x))
            out = modules[f"relu{number}"](out)  # type: ignore[misc]
        return out


class Network(nn.Module):
    """x: (N, C, H, W) float32, normalised -> logits: (N, classes)."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.stem = ConvolutionNorm(plan.stem)
        self.relu = nn.ReLU()
        self.stages: list[str] = []
        for stage, blocks in groupby(plan.blocks, key=lambda block: block.stage):
            # Named by their place in the plan, so that a stage whose first unit is the stem keeps its numbers.
            named = [(block.units[0].convolution.name.split(".")[1], block) for block in blocks]
            self.stages.append(f"stage{stage}")
            self.add_module(f"stage{stage}", _stage(named))
        self.output = nn.Linear(plan.output.features, plan.output.classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.stem(x))
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
        return self.output(x.mean(dim=(2, 3)))


def _stage(blocks: list[tuple[str, Block]]) -> nn.Sequential:
    stage = nn.Sequential()
    for name, block in blocks:
        stage.add_module(name, UnitBlock(block))
    return stage


def build(plan: Plan, init: Init, seed: int, version: Version = 2) -> Network:
    """The network of `plan` on the CPU, every value drawn from `seed` by this version of the draw.

    Each tensor has a draw of its own, by its name. As in open_lth, biases keep PyTorch's default, U(-1/sqrt(fan-in),
    1/sqrt(fan-in)).
    """
    with torch.device("meta"):
        network = Network(plan)
    network.to_empty(device="cpu")
    weights, norms = weight_initializer(init.weights), NORM_INITIALIZERS[init.norm]
    with torch.no_grad():
        for parameter in plan.parameters:
            if parameter.role in ("gamma", "beta"):
                continue
            tensor = network.get_parameter(parameter.name)
            draw, shape = drawn(version, seed, parameter.name), tuple(tensor.shape)
            if tensor.ndim == 1:
                weight = network.get_parameter(parameter.name.removesuffix("bias") + "weight")
                bound = 1 / sqrt(fan_in(tuple(weight.shape)))
                tensor.copy_(torch.from_numpy(draw.uniform(shape, -bound, bound)))
            else:
                tensor.copy_(torch.from_numpy(weights.values(shape, draw)))
        for unit in plan.units():
            norm = network.get_submodule(unit.norm.name)
            if isinstance(norm, nn.BatchNorm2d):
                assert norm.running_mean is not None and norm.running_var is not None
                norm.running_mean.zero_()
                norm.running_var.fill_(1.0)
            if unit.norm.affine:
                gamma = norms.gamma(unit.norm.channels, drawn(version, seed, unit.norm.name))
                norm.get_parameter("weight").copy_(torch.from_numpy(gamma))
                norm.get_parameter("bias").fill_(norms.beta)
    return network
