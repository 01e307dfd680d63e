"""The finding in two numbers: BatchNorm against as many random weights, from the shipped results.

Both sides differ in the policy only. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from core.studies.shipped import ShippedRun

POLICIES = ("batchnorm", "random-2")
"""The two sides: in every architecture they train the same number of parameters."""
DATASETS = ("cifar-10", "fashion-mnist", "digits")
"""From the one that says most."""


@dataclass(frozen=True)
class Side:
    """What one policy reached: its test accuracy (0..1) as the mean of all replicates, at the end and by epoch."""

    policy: str
    top1: float
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Headline:
    """The two sides; `n` replicates each, of networks with `total` parameters of which `trainable` train."""

    architecture: str
    dataset: str
    copy: str | None
    epochs: int
    n: int
    trainable: int
    total: int
    sides: tuple[Side, Side]

    @property
    def points(self) -> float:
        """The difference of the two in points."""
        first, second = self.sides
        return 100 * (first.top1 - second.top1)


def headline(runs: Iterable[ShippedRun]) -> Headline | None:
    """The pair on the data set that says most, then of the most epochs and replicates; None if there is no pair."""
    settings: dict[str, dict[str, dict[int, ShippedRun]]] = {}
    for run in runs:
        if run.spec.policy in POLICIES and run.spec.dataset in DATASETS:
            setting = settings.setdefault(_setting(run), {policy: {} for policy in POLICIES})
            setting[run.spec.policy][run.spec.replicate] = run
    pairs = [made for setting in settings.values() if (made := _pair(setting))]
    return min(pairs, key=_rank, default=None)


def _setting(run: ShippedRun) -> str:
    return run.spec.model_copy(update={"policy": "", "replicate": 0, "seeds": None, "name": None}).model_dump_json()


def _rank(made: Headline) -> tuple[Any, ...]:
    return DATASETS.index(made.dataset), -made.epochs, -made.n, made.trainable


def _pair(setting: dict[str, dict[int, ShippedRun]]) -> Headline | None:
    first, second = (setting[policy] for policy in POLICIES)
    shared = sorted(first.keys() & second.keys())
    if not shared:
        return None
    spec, counts = first[shared[0]].spec, first[shared[0]].started.counts
    return Headline(
        spec.architecture,
        spec.dataset,
        spec.copy_of_data.kind if spec.copy_of_data else None,
        spec.epochs,
        len(shared),
        counts.trainable,
        counts.total,
        (
            _side(POLICIES[0], [first[replicate] for replicate in shared]),
            _side(POLICIES[1], [second[replicate] for replicate in shared]),
        ),
    )


def _side(policy: str, runs: list[ShippedRun]) -> Side:
    epochs: dict[float, list[float]] = {}
    for run in runs:
        for point in run.points:
            if point.split == "test":
                epochs.setdefault(point.epoch, []).append(point.top1)
    curve = tuple((epoch, fmean(values)) for epoch, values in sorted(epochs.items()) if len(values) == len(runs))
    return Side(policy, fmean(run.result.top1 for run in runs), curve)
