"""How long a run takes on this server, as a range, and what speed the range rests on. No torch, no page.

The range is made in two steps. First a model of two ordinary cores (`modest_run_s`, from `core.run.cost`):
multiply-adds plus a fixed price for each layer of each step; analyses at the end are passes over test images. Then the
model is corrected by this installation: of its last finished runs those whose steps were most alike in size are taken,
and for each the factor seconds / model is known. The range is the model times the smallest factor less 20 % up to the
model times the largest plus 25 %. Alike, because small networks pay for overheads that the model knows roughly only.
Before anything has finished here the range is a third to three times the model ("assumed"). Waiting in the queue is not
in it; starting the trainer is (`START_S`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

from typing_extensions import TypedDict

from core.run import cost
from core.run.findings import EPSILONS
from core.run.spec import RunSpec
from jobs.store.records import Run
from jobs.store.store import Store

START_S = 4.0
RECENT, ALIKE = 30, 5
KEEP_S = 5.0
ASSUMED = (1 / 3, 3.0)


class Estimate(TypedDict):
    """Seconds from the start of a run to its end; `basis` says what the speed rests on, `runs` on how many runs."""

    low: float
    high: float
    basis: Literal["measured here", "assumed"]
    runs: int


def modest_run_s(spec: RunSpec) -> float:
    """Seconds of training and testing on two ordinary cores, roughly."""
    train = spec.total_steps * cost.modest_step_s(spec)
    return train + (spec.epochs + 1) * _test_s(spec, spec.images[1])


def modest_analyses_s(spec: RunSpec) -> float:
    """The same of the analyses at the end."""
    return len(EPSILONS) * _test_s(spec, cost.analysed_images(spec))


def _test_s(spec: RunSpec, images: int) -> float:
    plan, batches = spec.plan, -(-images // spec.recipe.batch_size)
    # A test batch goes forward only: a third of the calls of a training step.
    return images * plan.macs / cost.MODEST_MACS_PER_S + batches * len(plan.norms) * cost.STEP_OVERHEAD_S / 3


@dataclass(frozen=True)
class Measured:
    """A finished run: seconds that the model says of one step, and seconds of the run / seconds of the model."""

    step_s: float
    factor: float


def measured(run: Run) -> Measured | None:
    """What a finished `run` tells of this installation's speed.

    Nothing if it was resumed: its seconds are those of its last attempt only. Nothing if it was trained elsewhere.
    """
    if run.example or run.result is None or run.attempt > 1 or run.result.seconds <= 0:
        return None
    return Measured(cost.modest_step_s(run.spec), run.result.seconds / modest_run_s(run.spec))


def estimate(spec: RunSpec, known: Sequence[Measured]) -> Estimate:
    """The range for `spec` from what is `known` of earlier runs; without any: assumed."""
    step_s = cost.modest_step_s(spec)
    alike = sorted(known, key=lambda run: abs(log(run.step_s / step_s)))[:ALIKE]
    factors = [run.factor for run in alike]
    low, high = (0.8 * min(factors), 1.25 * max(factors)) if factors else ASSUMED
    seconds = modest_run_s(spec) + modest_analyses_s(spec)
    return {
        "low": round(START_S + low * seconds, 1),
        "high": round(START_S + high * seconds, 1),
        "basis": "measured here" if factors else "assumed",
        "runs": len(factors),
    }


class Estimator:
    """Estimates that follow this installation: its last runs, read at most every few seconds."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._known: list[Measured] = []
        self._read_at = float("-inf")

    def estimate(self, spec: RunSpec) -> Estimate:
        with self._lock:
            if self._clock() - self._read_at >= KEEP_S:
                runs, _ = self._store.runs.find(states={"finished"}, sort="finished_at", limit=RECENT)
                self._known = [known for known in map(measured, runs) if known is not None]
                self._read_at = self._clock()
        return estimate(spec, self._known)
