"""The time of a run on this server as a range, and the basis of that range. No torch, no page.

The range takes two steps. First a model of two ordinary cores (`modest_run_s`, from `core.run.cost`): multiply-adds
plus a fixed cost for each layer of each step; the analyses at the end are passes over test images. Then measurements
of this installation correct the model: among the last finished runs it takes those with the most similar step size,
and the factor seconds / model of each. The range goes from the model times the smallest factor less 20% to the model
times the largest plus 25%, and further where the sizes differ, because the model knows the overheads of small networks
only roughly.
Before any run has finished here, the range is a third to three times the model ("assumed"). It includes the start of
the trainer (`START_S`), but not the wait in the queue.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Literal

from typing_extensions import TypedDict

from core.run import cost
from core.run.findings import EPSILONS
from core.run.spec import RunSpec
from jobs.store.records import Run
from jobs.store.store import Store
from jobs.store.tallies import Filters

START_S = 4.0
RECENT, ALIKE = 30, 5
KEEP_S = 5.0
ASSUMED = (1 / 3, 3.0)


class Estimate(TypedDict):
    """Seconds from the start of a run to its end; `basis` is the source of the speed, `runs` how many runs gave it."""

    low: float
    high: float
    basis: Literal["measured here", "assumed"]
    runs: int


def modest_run_s(spec: RunSpec) -> float:
    """Approximate seconds of training and testing on two ordinary cores."""
    train = spec.total_steps * cost.modest_step_s(spec)
    if spec.teacher:
        return train + cost.computing_s(spec) / 2 + _test_s(spec, cost.tested_images(spec))
    return train + (spec.epochs + 1) * _test_s(spec, spec.images[1])


def modest_analyses_s(spec: RunSpec) -> float:
    """Approximate seconds of the analyses at the end on two ordinary cores."""
    jacobians = cost.jacobian_macs(spec) / (2 * cost.JACOBIAN_MACS_PER_S)
    return len(EPSILONS) * _test_s(spec, cost.analysed_images(spec)) + jacobians


def _test_s(spec: RunSpec, images: int) -> float:
    plan, batches = spec.plan, -(-images // spec.recipe.batch_size)
    # A test batch needs only the forward pass: a third of the calls of a training step.
    return images * plan.macs / cost.MODEST_MACS_PER_S + batches * len(plan.norms) * cost.STEP_OVERHEAD_S / 3


@dataclass(frozen=True)
class Measured:
    """A finished run: the model's seconds for one step, and the run's seconds / the model's seconds."""

    step_s: float
    factor: float


def measured(run: Run) -> Measured | None:
    """What a finished `run` says about this installation's speed.

    None for a resumed run, which knows only the seconds of its last attempt, and for a run trained elsewhere.
    """
    if run.example or run.claimed or run.result is None or run.attempt > 1 or run.result.seconds <= 0:
        return None
    return Measured(cost.modest_step_s(run.spec), run.result.seconds / modest_run_s(run.spec))


def estimate(spec: RunSpec, known: Sequence[Measured], *, trained: bool = False) -> Estimate:
    """The range for `spec` from the `known` earlier runs; without any, the assumed one. `trained`: a browser has
    trained it, so there is one test and the analyses."""
    step_s = cost.modest_step_s(spec)
    alike = sorted((abs(log(run.step_s / step_s)), run.factor) for run in known)[:ALIKE]
    # A run of another size says less: of steps ten times as long only within a factor of 2.2 instead of 1.25.
    spread = [(factor, 1.25 * exp(far / 4)) for far, factor in alike]
    low, high = (min(f / s for f, s in spread), max(f * s for f, s in spread)) if spread else ASSUMED
    seconds = _test_s(spec, spec.images[1]) if trained else modest_run_s(spec)
    seconds += modest_analyses_s(spec)
    return {
        "low": round(START_S + low * seconds, 1),
        "high": round(START_S + high * seconds, 1),
        "basis": "measured here" if alike else "assumed",
        "runs": len(alike),
    }


class Estimator:
    """Estimates from the last runs of this installation, which are read again every few seconds at most."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._known: list[Measured] = []
        self._read_at = float("-inf")

    def estimate(self, spec: RunSpec, *, trained: bool = False) -> Estimate:
        with self._lock:
            if self._clock() - self._read_at >= KEEP_S:
                runs, _ = self._store.runs.find(filters=Filters(states={"finished"}), sort="finished_at", limit=RECENT)
                self._known = [known for known in map(measured, runs) if known is not None]
                self._read_at = self._clock()
        return estimate(spec, self._known, trained=trained)
