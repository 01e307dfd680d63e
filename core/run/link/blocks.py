"""What a link keeps of a network's tensors, layer by layer: BatchNorm is folded to two numbers a channel. No torch.

A norm layer computes γ · (x - mean) / σ + β with σ = √(variance + ε). Where γ and β train, two numbers say the same:
a = γ / σ and b = β - mean · a. Where γ or β keeps its seed's value, the link has σ or the mean beside what trains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from core.catalog.policy import Trained
from core.run.layout import Slot, layout
from core.run.link.levels import Floats, Levels, NotFinite
from core.run.spec import RunSpec

EPSILON = 1e-5
"""What BatchNorm adds to a variance."""
CONSTANT = EPSILON / 1000
"""A channel whose variance is below this gives the same number for every image and pixel."""

GAMMA, BETA, STATISTICS = 1, 2, 4
QUANTITIES: Mapping[int, tuple[str, ...]] = {
    GAMMA: ("gamma",),
    BETA: ("beta",),
    GAMMA | BETA: ("gamma", "beta"),
    STATISTICS: ("deviation", "mean"),
    GAMMA | STATISTICS: ("factor", "mean"),
    BETA | STATISTICS: ("deviation", "mean", "beta"),
    GAMMA | BETA | STATISTICS: ("factor", "shift"),
    16: ("output",),
    17: ("output-bias",),
    18: ("convolution-bias",),
    19: ("shortcut",),
    20: ("values",),
}
"""What a block holds by its kind: bits for what a norm layer has, or the number of another kind of tensor."""
OTHERS: Mapping[str, int] = {names[0]: kind for kind, names in QUANTITIES.items() if kind >= 16}


@dataclass(frozen=True)
class LinkBlock:
    """One layer or tensor: its `kind`, and for each of its quantities `size` numbers."""

    kind: int
    size: int
    numbers: tuple[Floats, ...]


@dataclass(frozen=True)
class Place:
    """Where a block belongs: its kind and size, and its slots by their flat tensors."""

    kind: int
    size: int
    slots: Mapping[str, Slot]


def places(spec: RunSpec) -> list[Place]:
    """The blocks of the network of `spec`, in order: norm layers in forward order, then all other tensors."""
    slots = layout(spec)
    layers: dict[str, dict[str, Slot]] = {unit.norm.name: {} for unit in spec.plan.units()}
    others = []
    for slot in slots:
        layer, _, _ = slot.name.rpartition(".")
        if layer in layers:
            layers[layer][slot.group] = slot
        else:
            others.append(Place(OTHERS.get(slot.group, 0), prod(slot.shape), {slot.group: slot}))
    norms = [Place(_kind(found), prod(next(iter(found.values())).shape), found) for found in layers.values() if found]
    return norms + others


def _kind(slots: Mapping[str, Slot]) -> int:
    return GAMMA * ("gamma" in slots) | BETA * ("beta" in slots) | STATISTICS * ("running_var" in slots)


def weighty(trained: Trained, role: str) -> bool:
    """Whether what trains in a parameter of `role` is the weights themselves, which no link carries."""
    return trained.how == "scores" or (trained.how == "whole" and role == "convolution")


def folded(place: Place, tensors: Mapping[str, Floats]) -> LinkBlock:
    """The block at `place` of a network with these `tensors`, by name. Raises NotFinite.

    The shift is that of the factor in 8 bits, so that rounding the factor leaves the mean of the layer's output.
    """
    mine = {group: tensors[slot.name].reshape(-1).astype(np.float64) for group, slot in place.slots.items()}
    known = dict(mine)
    if place.kind & STATISTICS and place.kind < 16:
        known["mean"] = mine["running_mean"]
        if (mine["running_var"] < 0).any():
            raise NotFinite("has a negative variance, whose square root is not finite")
        known["deviation"] = np.sqrt(mine["running_var"] + EPSILON)
        if "gamma" in mine:
            known["factor"] = np.where(mine["running_var"] < CONSTANT, 0, mine["gamma"] / known["deviation"])
            if "beta" in mine:
                rounded = Levels.of(known["factor"].astype(np.float32)).numbers
                known["shift"] = mine["beta"] - mine["running_mean"] * rounded
    numbers = (known[name].astype(np.float32) for name in QUANTITIES[place.kind])
    return LinkBlock(place.kind, place.size, tuple(numbers))


def unfolded(block: LinkBlock) -> dict[str, Floats]:
    """By flat tensor, numbers with which the layer computes what the block says: γ = a, β = b, mean 0, variance 1 - ε
    where it was folded."""
    found = dict(zip(QUANTITIES[block.kind], block.numbers, strict=True))
    if block.kind >= 16 or not block.kind & STATISTICS:
        return found
    nothing, one = np.zeros(block.size, np.float32), np.full(block.size, 1 - EPSILON, np.float32)
    tensors = {"running_mean": found.get("mean", nothing), "running_var": one}
    if "factor" in found:
        tensors["gamma"] = found["factor"]
    else:
        squares = found["deviation"].astype(np.float64) ** 2 - EPSILON
        tensors["running_var"] = np.maximum(squares, 0).astype(np.float32)
    if block.kind & BETA:
        tensors["beta"] = found["shift"] if "shift" in found else found["beta"]
    return tensors


def named(spec: RunSpec, blocks: Sequence[LinkBlock]) -> Iterator[tuple[str, Floats]]:
    """The tensors of the `blocks`, which must be those of `spec`, by name and in their shapes."""
    for place, block in zip(places(spec), blocks, strict=True):
        flat = unfolded(block)
        for group, slot in place.slots.items():
            yield slot.name, flat[group].reshape(slot.shape)
