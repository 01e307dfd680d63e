"""Which tensors a capsule holds, and in which order; both follow from its spec. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from core.catalog.plan import Parameter
from core.catalog.policy import Trained
from core.run.spec import RunSpec


@dataclass(frozen=True)
class Slot:
    """The place of one tensor: its name in the network, its shape, and the flat tensor in which it lies."""

    name: str
    shape: tuple[int, ...]
    group: str


def layout(spec: RunSpec, carried: Sequence[str] = ()) -> tuple[Slot, ...]:
    """Every tensor in the capsule of a run of `spec`, in order; last the frozen ones named in `carried`."""
    plan, trains = spec.plan, spec.trains
    slots = [_slot(parameter, trains[parameter.name]) for parameter in plan.parameters if parameter.name in trains]
    for kind in ("running_mean", "running_var"):
        norms = (unit.norm for unit in plan.units() if unit.norm.kind == "batch")
        slots += [Slot(f"{norm.name}.{kind}", (norm.channels,), kind) for norm in norms]
    shapes = {parameter.name: parameter.shape for parameter in plan.parameters}
    return (*slots, *(Slot(name, shapes[name], "frozen") for name in carried))


def kept_bytes(spec: RunSpec) -> int:
    """The bytes of the values in the capsule of a run of `spec` that starts from random values."""
    return sum(4 * prod(slot.shape) for slot in layout(spec))


def _slot(parameter: Parameter, trained: Trained) -> Slot:
    """The place of those numbers of `parameter` that train."""
    if trained.how == "whole":
        return Slot(parameter.name, trained.shape, parameter.role)
    return Slot(f"{parameter.name.removesuffix('.weight')}.{trained.how}", trained.shape, trained.how)
