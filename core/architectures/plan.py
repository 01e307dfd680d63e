"""A plan is an architecture as data: its layers, and its parameters with one role each.

Everything that can be said of a network before it exists (counts, MACs, what a policy would train) is said
from its plan. Imports no torch; `builder.py` turns a plan into a module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Literal

Role = Literal["convolution", "shortcut", "gamma", "beta", "output"]
ROLES: tuple[Role, ...] = ("convolution", "shortcut", "gamma", "beta", "output")


@dataclass(frozen=True)
class Parameter:
    """One trainable tensor: `name` as in the module's state dict, its shape, and its only role."""

    name: str
    shape: tuple[int, ...]
    role: Role

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Convolution:
    """A square convolution without bias. `size` is the side of its output in pixels."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    stride: int
    size: int
    role: Literal["convolution", "shortcut"] = "convolution"

    @property
    def fan_in(self) -> int:
        return self.inputs * self.kernel**2

    @property
    def macs(self) -> int:
        """Multiply-adds for one image."""
        return self.outputs * self.fan_in * self.size**2


@dataclass(frozen=True)
class Norm:
    """A normalisation layer with gamma (`NAME.weight`) and beta (`NAME.bias`) per channel."""

    name: str
    channels: int
    stage: int
    shortcut: bool = False


@dataclass(frozen=True)
class Unit:
    """A convolution and the norm that follows it."""

    convolution: Convolution
    norm: Norm


@dataclass(frozen=True)
class Block:
    """A residual block: `units` in a row, plus the identity or the projection `shortcut`."""

    stage: int
    units: tuple[Unit, ...]
    shortcut: Unit | None = None


@dataclass(frozen=True)
class Output:
    """The linear classifier on the pooled features."""

    name: str
    features: int
    classes: int


@dataclass(frozen=True)
class Plan:
    """A residual network: stem, blocks, global average pool, linear output.

    `input_shape` is (channels, height, width) of one image.
    """

    architecture: str
    input_shape: tuple[int, int, int]
    stem: Unit
    blocks: tuple[Block, ...]
    output: Output

    def units(self) -> Iterator[Unit]:
        """Every convolution with its norm, in forward order; a block's shortcut after its own units."""
        yield self.stem
        for block in self.blocks:
            yield from block.units
            if block.shortcut is not None:
                yield block.shortcut

    @cached_property
    def convolutions(self) -> tuple[Convolution, ...]:
        return tuple(unit.convolution for unit in self.units())

    @cached_property
    def norms(self) -> tuple[Norm, ...]:
        return tuple(unit.norm for unit in self.units())

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every parameter of the module that this plan builds, in the order of its state dict's units."""
        rows: list[Parameter] = []
        for unit in self.units():
            conv, norm = unit.convolution, unit.norm
            rows += (
                Parameter(f"{conv.name}.weight", (conv.outputs, conv.inputs, conv.kernel, conv.kernel), conv.role),
                Parameter(f"{norm.name}.weight", (norm.channels,), "gamma"),
                Parameter(f"{norm.name}.bias", (norm.channels,), "beta"),
            )
        out = self.output
        rows += (
            Parameter(f"{out.name}.weight", (out.classes, out.features), "output"),
            Parameter(f"{out.name}.bias", (out.classes,), "output"),
        )
        return tuple(rows)

    @cached_property
    def total(self) -> int:
        """How many parameters the network has."""
        return sum(p.size for p in self.parameters)

    def count(self, *roles: Role) -> int:
        """How many parameters have one of `roles`."""
        return sum(p.size for p in self.parameters if p.role in roles)

    @cached_property
    def macs(self) -> int:
        """Multiply-adds of one forward pass of one image: convolutions and the output layer."""
        return sum(conv.macs for conv in self.convolutions) + self.output.features * self.output.classes
