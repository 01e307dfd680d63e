"""What a run will cost: parameters, multiply-adds, time. It comes from plans alone, without torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.catalog.plan import Plan
from core.catalog.policy import Trains, trainable
from core.run.events import Counts
from core.run.findings import EPSILONS
from core.run.spec import RunSpec

MODEST_MACS_PER_S = 40e9
"""Multiply-adds a second that two ordinary cores do in this training; the stride of the points and
the estimates of time rest on it."""
STEP_OVERHEAD_S = 0.2e-3
"""Seconds that one layer costs in a step whatever its size (kernel calls, Python)."""
POINT_EVERY_S = 0.1
MAX_STRIDE = 25
ANALYSES_SHARE = 0.2
"""At most this share of a run's multiply-adds goes into its analyses; they look at fewer test images if necessary..."""
ANALYSED_AT_LEAST = 500
"""...but at no fewer than this."""


def counts(plan: Plan, trains: Trains) -> Counts:
    """The parameter counts of `plan`: the columns of the paper's table 1 and what trains."""
    return Counts(
        total=plan.total,
        trainable=trainable(trains),
        batchnorm=plan.count("gamma", "beta"),
        output=plan.count("output", "output-bias"),
        shortcut=plan.count("shortcut"),
    )


def step_macs(plan: Plan, trains: Trains) -> int:
    """Multiply-adds that one training step needs for one image.

    The forward pass; the weight gradients of the layers that train; and the input gradients of all layers above the
    lowest that trains. Frozen weights need no gradient of their own, so BatchNorm alone costs 2/3 of training
    everything.
    """
    head = plan.output.features * plan.output.classes
    total, below = plan.macs, False
    for unit in plan.units():
        conv, norm = unit.convolution, unit.norm
        weight = f"{conv.name}.weight" in trains
        total += conv.macs * (weight + below)
        below |= weight or not trains.keys().isdisjoint(
            (f"{conv.name}.bias", f"{norm.name}.weight", f"{norm.name}.bias")
        )
    return total + head * ((f"{plan.output.name}.weight" in trains) + below)


def run_macs(spec: RunSpec) -> int:
    """Multiply-adds of a whole run: its steps, and its tests at initialisation and after every epoch."""
    train, test = spec.images
    plan = spec.plan
    return spec.epochs * train * step_macs(plan, spec.trains) + (spec.epochs + 1) * test * plan.macs


def analysed_images(spec: RunSpec) -> int:
    """How many test images the analyses at the end of a run look at; they make a pass for every threshold."""
    affordable = int(ANALYSES_SHARE * run_macs(spec) / (len(EPSILONS) * spec.plan.macs))
    return min(max(affordable, ANALYSED_AT_LEAST), spec.images[1])


def modest_step_s(spec: RunSpec) -> float:
    """Seconds that one step takes on two ordinary cores, roughly."""
    plan = spec.plan
    macs = step_macs(plan, spec.trains) * min(spec.recipe.batch_size, spec.images[0])
    return macs / MODEST_MACS_PER_S + STEP_OVERHEAD_S * len(plan.norms)


def point_stride(spec: RunSpec) -> int:
    """Steps between two train points: two cores give some points a second. It is the same on every machine.

    It depends on the spec alone, so that a run that was killed and resumed has the same points.
    """
    return max(1, min(MAX_STRIDE, int(POINT_EVERY_S / modest_step_s(spec))))


def keeps_snapshot(spec: RunSpec, step: int) -> bool:
    """Whether the snapshot at `step` is among the at most 300 that a run keeps.

    A short run keeps all; others keep those at the ends of (some) epochs and evenly between.
    """
    stride, total, per_epoch = point_stride(spec), spec.total_steps, spec.steps_per_epoch
    between = stride * max(1, -(-total // (stride * 140)))
    ends = per_epoch * max(1, -(-spec.epochs // 150))
    return step in (0, total) or step % between == 0 or step % ends == 0


@dataclass(frozen=True, slots=True)
class Price:
    """What a run is expected to take: seconds of processor time (all cores together), bytes of memory and of disk."""

    processor_s: float
    memory_bytes: int
    disk_bytes: int

    def as_dict(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in self.__slots__}


def price(spec: RunSpec) -> Price:
    """What the run of `spec` is expected to take on the CPU, before it starts."""
    plan = spec.plan
    macs = run_macs(spec) + len(EPSILONS) * analysed_images(spec) * plan.macs
    return Price(4.0 + macs / 50e9, 500 << 20, 8 * plan.total)
