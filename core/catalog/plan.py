"""A plan is an architecture as data: its layers, and its parameters with one role each.

Everything that is known about a network before it exists (counts, MACs, what a policy would train) comes from its
plan. Imports no torch; `core/network/builder.py` turns a plan into a module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Literal

Role = Literal["convolution", "convolution-bias", "shortcut", "gamma", "beta", "output", "output-bias"]
ROLES: tuple[Role, ...] = (
    "convolution",
    "convolution-bias",
    "shortcut",
    "gamma",
    "beta",
    "output",
    "output-bias",
)
AFFINE: frozenset[Role] = frozenset({"gamma", "beta"})
OUTPUT: frozenset[Role] = frozenset({"output", "output-bias"})

NormKind = Literal["batch", "instance", "group", "layer", "none"]


@dataclass(frozen=True)
class Parameter:
    """One trainable tensor: `name` as in the module's state dict, its shape, its only role, and its stage.

    Stage 0 is the stem; the output layer has the last stage's number plus one.
    """

    name: str
    shape: tuple[int, ...]
    role: Role
    stage: int

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Convolution:
    """A square convolution, padded so that only its stride shrinks the image. `size`: side of its output in pixels."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    stride: int
    size: int
    role: Literal["convolution", "shortcut"] = "convolution"
    bias: bool = False

    @property
    def fan_in(self) -> int:
        return self.inputs * self.kernel**2

    @property
    def macs(self) -> int:
        """Multiply-adds for one image."""
        return self.outputs * self.fan_in * self.size**2


@dataclass(frozen=True)
class Norm:
    """A normalisation layer; where `affine`, with gamma (`NAME.weight`) and beta (`NAME.bias`) per channel.

    `kind` says over what it normalises: `batch`, `instance` (each channel of an image), `group` (`groups` groups of
    channels of an image), `layer` (an image), or `none`: the layer is its γ and β alone.
    """

    name: str
    channels: int
    stage: int
    shortcut: bool = False
    kind: NormKind = "batch"
    affine: bool = True
    groups: int = 1


@dataclass(frozen=True)
class Unit:
    """A convolution and the norm that follows it."""

    convolution: Convolution
    norm: Norm


def parameters_of(unit: Unit) -> list[Parameter]:
    """The parameters of a convolution and its norm; the convolution's weight comes first."""
    conv, norm = unit.convolution, unit.norm
    shape = (conv.outputs, conv.inputs, conv.kernel, conv.kernel)
    rows = [Parameter(f"{conv.name}.weight", shape, conv.role, norm.stage)]
    if conv.bias:
        rows.append(Parameter(f"{conv.name}.bias", (conv.outputs,), "convolution-bias", norm.stage))
    if norm.affine:
        rows.append(Parameter(f"{norm.name}.weight", (norm.channels,), "gamma", norm.stage))
        rows.append(Parameter(f"{norm.name}.bias", (norm.channels,), "beta", norm.stage))
    return rows


@dataclass(frozen=True)
class Pool:
    """Max-pooling over squares of side `kernel`."""

    kernel: int
    stride: int
    padding: int = 0

    def size(self, size: int) -> int:
        """The side of the image after it."""
        return (size + 2 * self.padding - self.kernel) // self.stride + 1


@dataclass(frozen=True)
class Block:
    """`units` in a row after an optional `pool`; where `residual`, plus the input or its projection `shortcut`."""

    stage: int
    units: tuple[Unit, ...]
    shortcut: Unit | None = None
    residual: bool = True
    pool: Pool | None = None


@dataclass(frozen=True)
class Output:
    """The linear classifier on the pooled features."""

    name: str
    features: int
    classes: int


@dataclass(frozen=True)
class Plan:
    """A convolutional network: stem, blocks, global average pool, linear output.

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
        """The norm layers that have γ and β, in forward order."""
        return tuple(unit.norm for unit in self.units() if unit.norm.affine)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every parameter of the module that this plan builds, in the order of its state dict's units."""
        rows = [parameter for unit in self.units() for parameter in parameters_of(unit)]
        out, last = self.output, self.stages + 1
        rows.append(Parameter(f"{out.name}.weight", (out.classes, out.features), "output", last))
        rows.append(Parameter(f"{out.name}.bias", (out.classes,), "output-bias", last))
        return tuple(rows)

    @property
    def stages(self) -> int:
        """How many stages of blocks there are; the stem is stage 0."""
        return self.blocks[-1].stage

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
