"""Which tensors a capsule holds, in which order: follows from its spec. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.run.spec import RunSpec


@dataclass(frozen=True)
class Slot:
    """The place of one tensor: its name in the network, its shape, and the flat tensor in which it lies."""

    name: str
    shape: tuple[int, ...]
    group: str


def layout(spec: RunSpec, carried: Sequence[str] = ()) -> tuple[Slot, ...]:
    """Every tensor in the capsule of a run of `spec`, in order."""
    plan, policy = spec.plan, spec.selection
    slots = [Slot(p.name, p.shape, p.role) for p in plan.parameters if policy.trains(p)]
    slots += [Slot(f"{name}.values", (count,), "values") for name, count in policy.scattered(plan).items()]
    shapes = {parameter.name: parameter.shape for parameter in plan.parameters}
    slots += [Slot(f"{name.removesuffix('.weight')}.scores", shapes[name], "scores") for name in policy.scored(plan)]
    for kind in ("running_mean", "running_var"):
        norms = (unit.norm for unit in plan.units() if unit.norm.kind == "batch")
        slots += [Slot(f"{norm.name}.{kind}", (norm.channels,), kind) for norm in norms]
    return (*slots, *(Slot(name, shapes[name], "frozen") for name in carried))
