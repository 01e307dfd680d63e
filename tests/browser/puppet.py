"""A worker that trains nothing: it claims runs and writes believable curves, as fast or as slowly as a test wants.

With it a browser test decides what happens when, costs no computing, and still runs against the real server, store
and feed. The numbers are made up; no claim about learning rests on them.
"""

from __future__ import annotations

import math
import random
from typing import Any

from core.run.events import (
    BINS,
    EDGES,
    QUANTILES,
    Checkpointed,
    Distribution,
    FailureKind,
    Point,
    Progress,
    Snapshot,
    Warned,
)
from core.run.spec import RunSpec
from jobs.lease import Identity
from jobs.store.evaluations import Evaluation
from jobs.store.records import Batch, Machine, Run
from jobs.store.store import Store
from tests.events import analysed, finished, started

SPEC: dict[str, Any] = {"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": 12}
ENDS_AT = {"batchnorm": 0.91, "all": 0.985, "output": 0.62, "batchnorm+output": 0.94, "none": 0.1}
SECONDS = 40.0
POINTS, SNAPSHOTS = 240, 60
MACHINE = Machine("A processor of the puppet's", 4, 3.14, 16 * 10**9, 100 * 10**9, 41 * 10**9)


class Puppet:
    """One worker over `store`, with at most one run in hand."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.identity = Identity.of_this_process()
        self._shares: dict[str, float] = {}

    def hello(self) -> None:
        """Be there, as the page's header counts workers."""
        self.store.workers.hello(self.identity, 1, MACHINE)

    def submit(self, **fields: Any) -> tuple[str, str]:
        """A queued run: its id and its owner's token."""
        run, token = self.store.runs.submit(RunSpec.model_validate({**SPEC, **fields}))
        return run.id, token

    def start(self, **fields: Any) -> tuple[str, str]:
        """A run that has just started; what waits before it, such as a failed test left, is cancelled."""
        for waiting in self.store.queue.waiting():
            self.store.runs.cancel(waiting)
        run_id, token = self.submit(**fields)
        self.claim(run_id)
        return run_id, token

    def claim(self, run_id: str) -> None:
        """Take the run that waits longest, which must be this one."""
        run = self.store.claims.take(self.identity.name)
        assert run is not None and run.id == run_id, f"{run and run.id} was waiting before {run_id}"
        self.begin(run)

    def measure(self, run_id: str) -> Evaluation:
        """Take this run's evaluation; those that stand before it, of tests that ended without one, are taken too."""
        while (taken := self.store.evaluations.take(self.identity.name)) is not None:
            if taken.run_id == run_id:
                return taken
        raise AssertionError(f"no evaluation of {run_id} is queued")

    def begin(self, run: Run) -> None:
        """Start a run that was just claimed."""
        run_id = run.id
        self.store.claims.record(run_id, run.attempt, Batch(started=started(run.spec, run.attempt)))
        self._shares[run_id] = -1.0
        self.advance(run_id, 0.0)

    def advance(self, run_id: str, share: float) -> None:
        """Go on to `share` (0..1) of the run and say everything that a trainer would have said on the way."""
        run = self.store.runs.get(run_id)
        assert run is not None
        spec, before = run.spec, self._shares[run_id]
        step = int(share * spec.total_steps)
        between = range(max(0, math.ceil(before * POINTS + 1e-9)), int(share * POINTS) + 1)
        train = [_train_point(spec, k / POINTS) for k in between if k]
        tests = [_test_point(spec, epoch) for epoch in range(spec.epochs + 1) if before < epoch / spec.epochs <= share]
        at = [k / SNAPSHOTS for k in range(SNAPSHOTS + 1) if before < k / SNAPSHOTS <= share]
        progress = Progress(
            step=step,
            total_steps=spec.total_steps,
            images_per_s=1431.2,
            elapsed_s=share * SECONDS,
            eta_s=(1 - share) * SECONDS,
            memory_bytes=812_000_000,
            peak_bytes=3_140_000_000,
        )
        batch = Batch(
            points=tuple(sorted(train + tests, key=lambda point: point.step)),
            snapshots=tuple(_snapshot(spec, moment) for moment in at),
            progress=progress,
        )
        assert self.store.claims.record(run_id, run.attempt, batch) == "ok"
        self._shares[run_id] = share

    def finish(self, run_id: str) -> None:
        self.advance(run_id, 1.0)
        run = self.store.runs.get(run_id)
        assert run is not None
        last = _test_point(run.spec, run.spec.epochs)
        self.store.claims.record(run_id, run.attempt, Batch(analysed=analysed(run.spec, last.top1)))
        result = finished(run.spec, last.top1, last.loss, SECONDS)
        assert self.store.claims.finish(run_id, run.attempt, result, b"a capsule")

    def done(self, **fields: Any) -> str:
        """A finished run."""
        run_id, _ = self.start(**fields)
        self.finish(run_id)
        return run_id

    def fail(self, run_id: str, kind: FailureKind, message: str) -> None:
        run = self.store.runs.get(run_id)
        assert run is not None and self.store.claims.fail(run_id, run.attempt, kind, message)

    def warn(self, run_id: str, message: str) -> None:
        """What a training says that a person should know."""
        run = self.store.runs.get(run_id)
        assert run is not None
        self.store.claims.record(run_id, run.attempt, Batch(warned=(Warned(step=0, message=message),)))

    def obey_cancel(self, run_id: str) -> None:
        """What a worker does when somebody has cancelled."""
        run = self.store.runs.get(run_id)
        assert run is not None and self.store.claims.cancel(run_id, run.attempt)

    def checkpoint(self, run_id: str) -> None:
        """A checkpoint where the run is."""
        run = self.store.runs.get(run_id)
        assert run is not None
        written = Checkpointed(step=run.step, file="a", sha256="c" * 64, size_bytes=9)
        self.store.claims.record(run_id, run.attempt, Batch(checkpointed=written))

    def lose(self, run_id: str) -> None:
        """The worker dies; the run waits again."""
        run = self.store.runs.get(run_id)
        assert run is not None
        self.store.claims.release(run_id, run.attempt, "the worker was stopped")


def _top1(spec: RunSpec, share: float, noise: float) -> float:
    end = ENDS_AT.get(spec.policy, 0.28)
    wobble = random.Random(f"{spec.digest} {share:.6f}").gauss(0.0, noise)
    return min(1.0, max(0.0, 0.1 + (end - 0.1) * (1 - math.exp(-5 * share)) + wobble * (1 - 0.6 * share)))


def _train_point(spec: RunSpec, share: float) -> Point:
    top1 = _top1(spec, share, 0.03)
    step = max(1, round(share * spec.total_steps))
    return Point(step=step, epoch=share * spec.epochs, split="train", loss=2.4 * (1 - top1) + 0.08, top1=top1, lr=0.1)


def _test_point(spec: RunSpec, epoch: int) -> Point:
    top1 = _top1(spec, epoch / spec.epochs, 0.006)
    step = epoch * spec.steps_per_epoch
    top5 = min(1.0, 0.4 + 0.6 * top1)
    return Point(step=step, epoch=epoch, split="test", loss=2.3 * (1 - top1) + 0.1, top1=top1, top5=top5)


def _snapshot(spec: RunSpec, share: float) -> Snapshot:
    trains = "gamma" in spec.selection.roles
    norms = spec.plan.norms
    rows = [_histogram(norm.channels, share if trains else 0.0, f"{norm.name}{spec.replicate}") for norm in norms]
    distribution = Distribution(
        counts=tuple(tuple(row) for row in rows), quantiles=tuple(_quantiles(row) for row in rows)
    )
    depth = len(norms)
    disabled = tuple(
        min(norm.channels, round(norm.channels * share * (0.05 + 0.4 * index / depth))) if trains else 0
        for index, norm in enumerate(norms)
    )
    return Snapshot(
        step=int(share * spec.total_steps),
        epoch=share * spec.epochs,
        gamma=distribution,
        beta=distribution,
        disabled=disabled,
    )


def _quantiles(row: list[int]) -> tuple[float, ...]:
    """Those of the middles of the bins."""
    width = EDGES[1] - EDGES[0]
    values = [EDGES[0] + (index - 0.5) * width for index, count in enumerate(row) for _ in range(count)]
    return tuple(round(values[int(level * (len(values) - 1))], 5) for level in QUANTILES)


def _histogram(channels: int, share: float, name: str) -> list[int]:
    """γ of `channels` features that start uniform in 0..1, spread, and partly fall to zero."""
    random_ = random.Random(name)
    row = [0] * (BINS + 2)
    for _ in range(channels):
        start, drift, falls = random_.random(), random_.gauss(0.0, 0.45), random_.random() < 0.45
        value = start * (1 - share) if falls and share > start else start + drift * share
        inside = min(max(int((value - EDGES[0]) / (EDGES[1] - EDGES[0])) + 1, 0), BINS + 1)
        row[inside] += 1
    return row
