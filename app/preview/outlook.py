"""The outlook of a run: when it starts and ends, as ranges, and the run to compare it with.

The queue is simulated: each slot of the running workers takes the next run as soon as it is free, once with the lower
ends of all lengths and once with the upper ends. `estimate.py` gives the lengths; the remaining time of a running run
follows from its own measured speed. Knows no requests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final, Literal

from typing_extensions import TypedDict

from app.preview.estimate import Estimate, Estimator, modest_analyses_s, modest_run_s
from app.views.runs import run_url
from core.catalog.policies import policy
from core.run.spec import Init, RunSpec
from jobs.store.records import TERMINAL, Run
from jobs.store.store import Store
from jobs.store.tallies import Filters

KEEP_S = 2.0
MAX_SEEN = 1000
"""The simulated part of the queue; runs further behind get no range."""
ENDS: Final[tuple[Literal["low"], Literal["high"]]] = ("low", "high")
MEASURED = (0.85, 1.25)
"""The factors by which a run's own estimate of its remaining time may be wrong."""
KNOWN_LEFT = 0.02
"""With less than this share of a run left, its remaining time says nothing about its pace; its whole time does."""
SAME_SIZE = 0.02
USUAL_NORM: str = Init().norm
Asks = tuple[float, str | None]
"""Seconds that a run lasts, and the label that it asks for."""


class Range(TypedDict):
    """Seconds from now."""

    low: float
    high: float


class TwinView(TypedDict):
    """A run that differs only in its policy. `as_many`: it trains as many parameters, within 2%."""

    id: str
    url: str
    name: str | None
    policy: str
    state: str
    as_many: bool


class Outlook(TypedDict):
    """`starts`: of a queued run; `ends`: of a queued or running one; null if unknown, such as without a worker.
    `basis`: the basis of the lengths. `slots`: runs that the workers with the run's label can hold at once; null after
    the run's end.
    `paused`: no run begins until the queue is opened again."""

    starts: Range | None
    ends: Range | None
    basis: str
    slots: int | None
    paused: bool
    twin: TwinView | None


class Outlooks:
    """The outlooks of all runs of one installation. `now` is a monotonic clock in seconds."""

    def __init__(
        self,
        store: Store,
        estimator: Estimator,
        public_url: str | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._estimator, self._public_url, self._now = store, estimator, public_url, now
        self._lock = threading.Lock()
        self._played_at = float("-inf")
        self._starts: dict[str, Range] = {}
        self._slots: list[tuple[str, ...]] = []
        """The labels of each slot of the workers."""
        self._paused = False

    def outlook(self, run: Run) -> Outlook:
        """The present outlook of `run`."""
        whole = self._whole(run)
        starts: Range | None = None
        ends: Range | None = None
        queue = {} if run.state in TERMINAL else self._queue()
        if run.state == "queued":
            starts = queue.get(run.id)
            rest = remaining(run, whole)
            ends = starts and {"low": starts["low"] + rest["low"], "high": starts["high"] + rest["high"]}
        elif run.state == "running" and not run.unattended:
            ends = remaining(run, whole)
        return {
            "starts": starts and _rounded(starts),
            "ends": ends and _rounded(ends),
            "basis": whole["basis"],
            "slots": None if run.state in TERMINAL else len([slot for slot in self._slots if suits(slot, run.label)]),
            "paused": self._paused and run.state == "queued",
            "twin": self._twin(run),
        }

    def _queue(self) -> dict[str, Range]:
        """When each queued run starts."""
        with self._lock:
            if self._now() - self._played_at >= KEEP_S:
                able = [worker for worker in self._store.workers.alive() if not worker.trouble]
                self._slots = [worker.labels for worker in able for _ in range(worker.slots)]
                self._paused = self._store.switch.mode() == "paused"
                waiting = self._store.queue.first(MAX_SEEN)
                running, _ = self._store.runs.find(filters=Filters(states={"running"}), limit=MAX_SEEN)
                self._starts = self._play(running, waiting)
                self._played_at = self._now()
            return self._starts

    def _play(self, running: Sequence[Run], waiting: Sequence[Run]) -> dict[str, Range]:
        if not self._slots or self._paused:
            return {}
        low, high = (
            starts(self._slots, *([self._asks(run, end) for run in runs] for runs in (running, waiting)))
            for end in ENDS
        )
        return {
            run.id: {"low": a, "high": b}
            for run, a, b in zip(waiting, low, high, strict=True)
            if a is not None and b is not None
        }

    def _asks(self, run: Run, end: Literal["low", "high"]) -> Asks:
        return remaining(run, self._whole(run))[end], run.label

    def _whole(self, run: Run) -> Estimate:
        return self._estimator.estimate(run.spec, trained=run.claimed is not None)

    def _twin(self, run: Run) -> TwinView | None:
        twin = twin_of(run, self._store.runs.like(run))
        if twin is None:
            return None
        mine, other = run.counts.trainable, twin.counts.trainable
        return {
            "id": twin.id,
            "url": run_url(twin.id, self._public_url),
            "name": twin.spec.name,
            "policy": twin.spec.policy,
            "state": twin.state,
            "as_many": abs(mine - other) <= SAME_SIZE * max(mine, other),
        }


def suits(slot: Collection[str], label: str | None) -> bool:
    """Whether a slot of a worker with the labels `slot` can hold a run that asks for `label`, or for none."""
    return label is None or label in slot


def starts(slots: Sequence[Collection[str]], busy: Sequence[Asks], waiting: Sequence[Asks]) -> list[float | None]:
    """Seconds until a worker takes each of the `waiting` runs; None if no slot suits it. `busy`: the running ones, with
    their remaining seconds; `slots`: the labels of each."""
    free = [0.0] * len(slots)
    order = sorted(range(len(slots)), key=lambda index: len(slots[index]))

    def take(asks: Asks, *, begins: bool) -> float | None:
        length, label = asks
        able = [index for index in order if suits(slots[index], label) and (begins or not free[index])]
        if not able:
            return None
        first = min(able, key=lambda index: free[index])
        began, free[first] = free[first], free[first] + length
        return began

    for asks in sorted(busy, key=lambda asks: (asks[1] is None, asks[0])):
        take(asks, begins=False)
    return [take(asks, begins=True) for asks in waiting]


def remaining(run: Run, whole: Estimate) -> Range:
    """The remaining time of `run` once a worker holds it; `whole`: the estimate for the whole run."""
    if run.claimed and (run.eta_s is None or run.analysed is None):
        return {"low": whole["low"], "high": whole["high"]}
    left = 1.0 - (run.step / run.total_steps if run.total_steps else 0.0)
    if run.state != "running" or run.eta_s is None:
        return {"low": whole["low"] * left, "high": whole["high"] * left}
    seconds = run.eta_s
    if run.analysed is None:  # the trainer's own estimate does not include the analyses; they are as fast as the rest
        model = modest_run_s(run.spec)
        pace = seconds / (left * model) if left > KNOWN_LEFT else (run.elapsed_s or 0.0) / model
        seconds += pace * modest_analyses_s(run.spec)
    return {"low": MEASURED[0] * seconds, "high": MEASURED[1] * seconds}


def twin_of(run: Run, others: Sequence[Run]) -> Run | None:
    """The run among `others` to compare `run` with: it differs only in the policy. A random policy is preferred (for
    a random `run`: a BatchNorm policy), then the most similar number of trainable parameters."""
    alike = [
        other
        for other in others
        if other.spec.policy != run.spec.policy
        and other.state in ("running", "finished")
        and other.claimed is None
        and _but_policy(other.spec) == _but_policy(run.spec)
    ]
    wanted = "batchnorm" if run.spec.policy.startswith("random-") else "random-"

    def rank(other: Run) -> tuple[bool, float, bool]:
        far = abs(other.counts.trainable - run.counts.trainable)
        return not other.spec.policy.startswith(wanted), far, other.state != "finished"

    return min(alike, key=rank, default=None)


def _but_policy(spec: RunSpec) -> dict[str, object]:
    """The fields that two runs must share to be compared. An initial γ and β that is the policy's default counts as
    part of the policy."""
    fields = spec.model_dump(exclude={"name", "policy"})
    usual = policy(spec.policy).norm or USUAL_NORM
    fields["init"]["norm"] = None if spec.init.norm == usual else spec.init.norm
    return fields


def _rounded(seconds: Range) -> Range:
    return {"low": round(seconds["low"], 1), "high": round(seconds["high"], 1)}
