"""What a training in a browser's tab measured, as the tab sends it: one event a line. Nothing in it is trusted.

Each line is a point, a snapshot, or, as the last one, the event `finished` of the capsule (core/run/events.py). Numbers
that follow from the spec must be those of the spec: steps, epochs, learning rates, layers, channels. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose, isfinite, lcm
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from core.catalog.model import first_fault
from core.catalog.policy import trainable
from core.catalog.schedules import learning_rate
from core.run.capsule import CapsuleHeader
from core.run.cost import keeps_snapshot, point_stride
from core.run.events import BINS, QUANTILES, Distribution, Finished, Measured, Point, Snapshot, Split
from core.run.spec import RunSpec

MOST_POINTS = 100_000
MOST_SNAPSHOTS = 300
"""The most that a run keeps (core/run/cost.py)."""
LONGEST = 256 << 10
"""Bytes of a line: a snapshot of the deepest network that a tab trains has 40 KB."""
MOST_SECONDS = 1e9

TabEvent = Annotated[Measured | Snapshot | Finished, Field(discriminator="event")]
TAB_EVENT: TypeAdapter[TabEvent] = TypeAdapter(TabEvent)


class BadRecord(ValueError):
    """The record of a training is not one of its spec; the message is the rest of a sentence about it."""


@dataclass(frozen=True)
class TabRecord:
    """The curves of a training in a tab, in the order of their steps."""

    points: tuple[Point, ...]
    snapshots: tuple[Snapshot, ...]


def obstacle(capsule: CapsuleHeader) -> str | None:
    """Why `capsule` is not that of a training in a tab; None: it is one."""
    spec, result = capsule.spec, capsule.result
    if not capsule.origin.in_browser or not {"computed", "linked"}.isdisjoint(capsule.more):
        return "was not trained in a browser; only such a training can be kept here"
    if spec.start or capsule.carried:
        return "starts from a file of weights, which a tab cannot do"
    if spec.draw != 2:
        return "has another version of the random draw than 2, the only one that a browser knows"
    shares = (result.top1, result.train_top1, result.disabled, result.top5 or 0.0)
    sound = all(0 <= share <= 1 for share in shares) and 0 <= result.seconds <= MOST_SECONDS
    planned = (spec.total_steps, float(spec.epochs), trainable(spec.trains))
    if not sound or (result.step, result.epoch, result.trainable) != planned:
        return "has a result that does not fit its spec"
    return None


def read_record(body: bytes, spec: RunSpec, result: Finished) -> TabRecord:
    """The record in `body`, of a training of `spec` whose capsule has `result`. Raises BadRecord."""
    planned = _planned_points(spec)
    if planned > MOST_POINTS:
        raise BadRecord(f"would have {planned:,} points; at most {MOST_POINTS:,} are kept")
    most = planned + MOST_SNAPSHOTS + 1
    if body.count(b"\n") > most:
        raise BadRecord(f"has more than {most:,} events, the most of a training of this spec")
    events = [_event(number, line) for number, line in enumerate(body.splitlines(), start=1)]
    if not events or events.pop() != result:
        raise BadRecord("does not end with the result that the capsule has")
    points = [event.point for event in events if isinstance(event, Measured)]
    snapshots = [event for event in events if isinstance(event, Snapshot)]
    if len(points) + len(snapshots) != len(events):
        raise BadRecord("has a result before its end")
    return TabRecord(_points(points, spec, result), _snapshots(snapshots, spec))


def _event(number: int, line: bytes) -> Measured | Snapshot | Finished:
    if len(line) > LONGEST:
        raise BadRecord(f"has {len(line):,} bytes in line {number}; the limit is {LONGEST:,}")
    try:
        return TAB_EVENT.validate_json(line)
    except ValidationError as error:
        raise BadRecord(f"has no point, snapshot or result in line {number}: {first_fault(error)}") from error


def _planned_points(spec: RunSpec) -> int:
    stride, total, ends = point_stride(spec), spec.total_steps, spec.steps_per_epoch
    return total // stride + spec.epochs - total // lcm(stride, ends) + spec.epochs + 1


def _planned_steps(spec: RunSpec, split: Split) -> list[int]:
    ends = spec.steps_per_epoch
    if split == "test":
        return list(range(0, spec.total_steps + 1, ends))
    return sorted(
        {*range(point_stride(spec), spec.total_steps + 1, point_stride(spec)), *_planned_steps(spec, "test")[1:]}
    )


def _points(points: Sequence[Point], spec: RunSpec, result: Finished) -> tuple[Point, ...]:
    ends: dict[Split, tuple[float, float | None]] = {
        "train": (result.train_top1, result.train_loss),
        "test": (result.top1, result.loss),
    }
    for split, told in ends.items():
        own = [point for point in points if point.split == split]
        if [point.step for point in own] != _planned_steps(spec, split):
            raise BadRecord(f"has {split} points at other steps than a training of this spec")
        if (own[-1].top1, own[-1].loss) != told:
            raise BadRecord(f"has a last {split} point that is not that of its result")
    return tuple(_checked(point, spec) for point in sorted(points, key=lambda point: (point.step, point.split)))


def _checked(point: Point, spec: RunSpec) -> Point:
    """`point` with the epoch as runs round it. Raises BadRecord."""
    numbers = [number for number in point if isinstance(number, float)]
    train = point.split == "train"
    lr = learning_rate(spec.recipe, point.step - 1, spec.steps_per_epoch, spec.total_steps) if train else None
    sound = (
        all(map(isfinite, numbers))
        and 0 <= point.top1 <= 1
        and (point.top5 is None or point.top1 <= point.top5 <= 1)
        and (not train if point.loss is None else point.loss >= 0)
        and (point.lr is None) == (lr is None)
        and isclose(point.lr or 0.0, lr or 0.0, rel_tol=1e-6, abs_tol=1e-12)
    )
    if not sound:
        raise BadRecord(f"has a {point.split} point at step {point.step} with impossible numbers")
    return point._replace(epoch=_epoch(point.step, point.epoch, spec))


def _epoch(step: int, told: float, spec: RunSpec) -> float:
    epoch = round(step / spec.steps_per_epoch, 6)
    if abs(told - epoch) > 1e-6:
        raise BadRecord(f"has epoch {told:g} at step {step}, where a training of this spec has {epoch:g}")
    return epoch


def _snapshots(snapshots: Sequence[Snapshot], spec: RunSpec) -> tuple[Snapshot, ...]:
    steps = [snapshot.step for snapshot in snapshots]
    kept = all(0 <= step <= spec.total_steps and keeps_snapshot(spec, step) for step in steps)
    if not kept or steps != sorted(set(steps)):
        raise BadRecord("has snapshots at other steps than a training of this spec keeps")
    channels = [norm.channels for norm in spec.plan.norms]
    for snapshot in snapshots:
        if not all(_fits(snapshot, channels)):
            raise BadRecord(f"has a snapshot at step {snapshot.step} that is not one of this network")
    return tuple(
        snapshot.model_copy(update={"epoch": _epoch(snapshot.step, snapshot.epoch, spec)}) for snapshot in snapshots
    )


def _fits(snapshot: Snapshot, channels: list[int]) -> Iterator[bool]:
    yield len(snapshot.disabled) == len(channels)
    yield all(0 <= off <= width for off, width in zip(snapshot.disabled, channels, strict=False))
    for distribution in (snapshot.gamma, snapshot.beta):
        yield _is_of(distribution, channels)


def _is_of(distribution: Distribution, channels: list[int]) -> bool:
    """Whether each layer has its channels in all bins together, and quantiles that rise."""
    counts, quantiles = distribution.counts, distribution.quantiles
    return (
        len(counts) == len(quantiles) == len(channels)
        and all(
            len(row) == BINS + 2 and min(row) >= 0 and sum(row) == width
            for row, width in zip(counts, channels, strict=True)
        )
        and all(len(row) == len(QUANTILES) and list(row) == sorted(row) for row in quantiles)
    )
