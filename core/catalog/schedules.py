"""Learning rate schedules by name: the learning rate of every optimiser step. Imports no torch."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from core.catalog.registry import Registry

RISE, DIVIDE, DIVIDE_AT_END = 0.3, 25.0, 1e4
"""One-cycle: the share of the run in which the rate rises, and the divisors of the first and of the last rate."""


class Rates(Protocol):
    """What a schedule reads from a recipe (core.run.spec.Recipe)."""

    @property
    def lr(self) -> float: ...
    @property
    def schedule(self) -> Any: ...
    @property
    def lr_drops(self) -> tuple[float, ...]: ...
    @property
    def lr_drop_factor(self) -> float: ...
    @property
    def warmup_epochs(self) -> float: ...


@dataclass(frozen=True)
class Schedule:
    """`factor(recipe, step, total, warm)` is what the recipe's lr is multiplied by at optimiser step `step`, from 0.

    There are `total` steps, of which the first `warm` (0 or more, not always whole) are warm-up.
    """

    name: str
    title: str
    factor: Callable[[Rates, int, int, float], float]


def _step(recipe: Rates, step: int, total: int, warm: float) -> float:
    drops = [math.ceil(fraction * total - 1e-9) for fraction in recipe.lr_drops]
    return recipe.lr_drop_factor ** bisect_right(drops, step)


def _cosine(recipe: Rates, step: int, total: int, warm: float) -> float:
    """From 1 at the end of the warm-up to 0 at the last step."""
    share = max(0.0, step - warm) / max(1.0, total - warm - 1)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def _one_cycle(recipe: Rates, step: int, total: int, warm: float) -> float:
    """From 1 / 25 up to 1 and down to 1 / 250,000, both along a cosine (Smith and Topin 2018, as torch has it)."""
    low, end = 1 / DIVIDE, 1 / DIVIDE / DIVIDE_AT_END
    steps, done = max(1.0, total - warm), max(0.0, step - warm)
    peak = RISE * steps - 1
    if done < peak:
        return low + (1 - low) * 0.5 * (1 - math.cos(math.pi * done / peak))
    return end + (1 - end) * 0.5 * (1 + math.cos(math.pi * min(1.0, (done - peak) / (steps - 1 - peak))))


SCHEDULES: Registry[Schedule] = Registry(
    "schedule",
    (
        Schedule("step", "Step drops", _step),
        Schedule("cosine", "Cosine down to zero", _cosine),
        Schedule("one-cycle", "One cycle: up, then down to almost zero", _one_cycle),
        Schedule("constant", "Constant", lambda recipe, step, total, warm: 1.0),
    ),
)


def learning_rate(recipe: Rates, step: int, steps_per_epoch: int, total_steps: int) -> float:
    """The learning rate of optimiser step number `step` (from 0).

    A drop takes effect at the first step at or after its share of the run. During the warm-up the schedule's rate is
    multiplied by a factor that rises linearly from 0 to 1 (open_lth `training/optimizers.py`).
    """
    warm = recipe.warmup_epochs * steps_per_epoch
    factor = SCHEDULES[recipe.schedule].factor(recipe, step, total_steps, warm)
    return recipe.lr * factor * (min(1.0, step / warm) if warm else 1.0)
