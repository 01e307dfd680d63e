"""The worker's statements: claim a run, write what its trainer said, say how it ended. Each is fenced by attempt.

A statement whose (run, attempt) is not the running one changes nothing and reports that to its caller.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from core.run.cost import run_macs
from core.run.events import FailureKind, Finished
from jobs.lease import MAX_CRASHES, Running, Troubles, next_state
from jobs.quotas import UNLIMITED, Limits
from jobs.store import curves, results
from jobs.store.database import Database
from jobs.store.mapping import UnreadableRun, read_run, read_spec, select_run
from jobs.store.records import Batch, LogKind, Run, State, Verdict
from jobs.store.shares import turns
from jobs.store.shares.admission import one_at_a_time
from jobs.store.tables import QUEUE, RUNS
from jobs.store.tabs.tables import trained_here
from jobs.store.workers import WELL, Fit, fits, suits

VERIFYING = "Drawing its frozen weights again and testing it"
USED = ("memory_bytes", "peak_bytes", "gpu_bytes", "gpu_peak_bytes")

IDLE: dict[str, Any] = {"worker": None, "tested": None, "analysed": None, "images_per_s": None, "eta_s": None}
"""The columns of a run that nobody holds."""


@dataclass(eq=False)
class Claims:
    """What the holder of a run may do with it."""

    database: Database

    def take(self, worker: str, fit: Fit = WELL, limits: Limits = UNLIMITED) -> Run | None:
        """The next run in the queue that suits `worker`, which is `fit`, now held by it; None if none waits that may
        begin. A run that cannot be read fails."""
        while run_id := self._next(worker, fit, limits):
            try:
                with self.database.reading() as connection:
                    row = connection.execute(select_run(), {"id": run_id}).first()
                return read_run(row) if row else None
            except UnreadableRun as error:
                self.fail(run_id, error.run.attempt, "error", f"It cannot be trained: {error}.")
        return None

    def may_come(self, worker: str, fit: Fit = WELL, limits: Limits = UNLIMITED) -> bool:
        """Whether a queued run is for `worker`, which is `fit`: now, or once a crash of the run is long enough ago."""
        ready = (suits(worker, fit, self.database.clock()), *turns.may_begin(limits))
        with self.database.reading() as connection:
            waiting = sa.select(RUNS.c.number).where(RUNS.c.state == "queued", *ready).limit(1)
            return connection.scalar(waiting) is not None

    def held(self) -> list[Running]:
        """Every run that a worker holds."""
        c = RUNS.c
        statement = sa.select(c.id, c.attempt, c.worker, c.beat).where(c.state == "running").order_by(c.number)
        with self.database.reading() as connection:
            return [Running(*row) for row in connection.execute(statement)]

    def _next(self, worker: str, fit: Fit, limits: Limits) -> str | None:
        """Make `worker` the holder of the next run in the queue, and return its id; None if none may begin."""
        ready = (fits(worker, fit, self.database.clock()), *turns.may_begin(limits))
        waiting = sa.select(RUNS.c.number).where(RUNS.c.state == "queued", *ready).order_by(*QUEUE).limit(1)
        with self.database.reading() as connection:  # most wake-ups find nothing; that should not cost a write lock
            if connection.scalar(waiting) is None:
                return None
        values = {
            **IDLE,
            "state": "running",
            "attempt": RUNS.c.attempt + 1,
            "worker": worker,
            "beat": 0,
            "started_at": sa.func.coalesce(RUNS.c.started_at, time.time()),
        }
        statement = (
            sa.update(RUNS)
            .where(RUNS.c.number == waiting.with_for_update(skip_locked=True).scalar_subquery())
            .where(RUNS.c.state == "queued")
            .values(values)
            .returning(RUNS.c.number, RUNS.c.id, RUNS.c.attempt)
        )
        with self.database.writing() as connection:
            if limits.owner.running:
                one_at_a_time(connection)  # what runs is counted
            row = connection.execute(statement).first()
            if row is None:
                return None
            curves.insert_log(connection, row.number, row.attempt, "claimed", f"Taken by worker {worker}.")
            return str(row.id)

    def record(self, run_id: str, attempt: int, batch: Batch) -> Verdict:
        """Store `batch` in one transaction, which is also the heartbeat of the run's holder."""
        with self.database.writing() as connection:
            return self._record(connection, run_id, attempt, batch)

    def finish(self, run_id: str, attempt: int, result: Finished, capsule: bytes | None = None) -> bool:
        """The run is complete; `capsule`: the bytes of its file, to be kept. False: the run was lost."""
        with self.database.writing() as connection:
            spec = read_spec(connection.scalars(sa.select(RUNS.c.spec).where(RUNS.c.id == run_id)).one())
            values = {
                "result": result.model_dump_json(),
                "top1": result.top1,
                "step": result.step,
                "elapsed_s": result.seconds,
                "macs_per_s": sa.case((trained_here(), run_macs(spec) / result.seconds))
                if result.seconds > 0
                else None,
            }
            message = f"Finished with {result.top1:.1%} test accuracy."
            settled = self._settle(connection, run_id, attempt, "finished", message, values)
            if settled and capsule is not None:
                number = connection.scalars(sa.select(RUNS.c.number).where(RUNS.c.id == run_id)).one()
                results.insert_capsule(connection, number, capsule)
            return settled

    def fail(self, run_id: str, attempt: int, kind: FailureKind, message: str) -> bool:
        """The run cannot continue, and `message` tells a person why. False: the run was lost."""
        with self.database.writing() as connection:
            values = {"error_kind": kind, "error_message": message}
            return self._settle(connection, run_id, attempt, "failed", message, values)

    def cancel(self, run_id: str, attempt: int) -> bool:
        """The trainer has stopped because somebody cancelled the run. False: the run was lost."""
        with self.database.writing() as connection:
            return self._settle(connection, run_id, attempt, "cancelled", "Cancelled; the curves so far are kept.", {})

    def release(self, run_id: str, attempt: int, reason: str, wait_s: float = 0.0) -> State | None:
        """Put the run back to its place in the queue, for after `wait_s`; no crash or loss. None: the run was lost."""
        with self.database.writing() as connection:
            return self._give_up(connection, run_id, attempt, "released", reason, wait_s=wait_s)

    def crash(
        self,
        run_id: str,
        attempt: int,
        reason: str,
        kind: FailureKind = "crash_loop",
        max_crashes: int = MAX_CRASHES,
    ) -> State | None:
        """The trainer ended without a result. Queue the run again, for later and for another worker if there is one; or
        fail it as `kind` after `max_crashes` in a row. None: the run was lost."""
        with self.database.writing() as connection:
            return self._give_up(
                connection, run_id, attempt, "crashed", reason, crash=True, failure=kind, max_crashes=max_crashes
            )

    def lose(self, run: Running, reason: str) -> State | None:
        """The holder of `run` is gone. None: it was not, or another reaper came first."""
        with self.database.writing() as connection:
            return self._give_up(connection, run.id, run.attempt, "lost", reason, beat=run.beat, loss=True)

    # -- inside one transaction ------------------------------------------------------------------------------

    def _record(self, connection: Connection, run_id: str, attempt: int, batch: Batch) -> Verdict:
        # The row comes first: its lock makes the writes of one run one after another, so cursors rise in order.
        statement = (
            _held(sa.update(RUNS), run_id, attempt)
            .values(beat=RUNS.c.beat + 1, **_columns_of(batch))
            .returning(RUNS.c.number, RUNS.c.cancel_requested, RUNS.c.spec)
        )
        row = connection.execute(statement).first()
        if row is None:
            return "lost"
        if batch.started:  # what an earlier attempt measured beyond this step is not what this one computes
            curves.delete_beyond(connection, row.number, batch.started.resumed_from)
        curves.insert_points(connection, row.number, batch.points)
        if batch.progress:
            curves.insert_speed(connection, row.number, batch.progress)
        if batch.snapshots:
            curves.insert_snapshots(connection, row.number, read_spec(row.spec), batch.snapshots)
        if batch.analysed:
            results.insert_findings(connection, row.number, batch.analysed)
        for kind, message in _told(batch):
            curves.insert_log(connection, row.number, attempt, kind, message)
        return "cancel" if row.cancel_requested else "ok"

    def _settle(
        self, connection: Connection, run_id: str, attempt: int, state: State, message: str, values: dict[str, Any]
    ) -> bool:
        """The last write of a run."""
        statement = (
            _held(sa.update(RUNS), run_id, attempt)
            .values({**IDLE, "worker": RUNS.c.worker, "state": state, "finished_at": time.time(), **values})
            .returning(RUNS.c.number)
        )
        number = connection.scalar(statement)
        if number is None:
            return False
        curves.insert_log(connection, number, attempt, _LAST_WORD[state], message)
        return True

    def _give_up(
        self,
        connection: Connection,
        run_id: str,
        attempt: int,
        kind: LogKind,
        reason: str,
        *,
        beat: int | None = None,
        crash: bool = False,
        loss: bool = False,
        failure: FailureKind = "crash_loop",
        max_crashes: int = MAX_CRASHES,
        wait_s: float = 0.0,
    ) -> State | None:
        """The holder stops before the run has ended: cancel it, fail it, or put it back into the queue."""
        statement = _held(sa.select(RUNS).with_for_update(), run_id, attempt)
        row = connection.execute(statement if beat is None else statement.where(RUNS.c.beat == beat)).first()
        if row is None:
            return None
        before = Troubles(row.crashes, row.losses, row.trouble_step)
        troubles = before.after(row.checkpoint_step, crash=crash, loss=loss) if crash or loss else before
        state = next_state(troubles, row.cancel_requested, max_crashes)
        curves.insert_log(connection, row.number, attempt, kind, reason)
        if state == "cancelled":
            self._settle(connection, run_id, attempt, state, "Cancelled; the curves so far are kept.", {})
        elif state == "failed":
            values = {"error_kind": failure, "error_message": _crash_loop(troubles, row, reason)}
            self._settle(connection, run_id, attempt, state, values["error_message"], values)
        else:
            columns: dict[str, Any] = {
                "crashes": troubles.crashes,
                "losses": troubles.losses,
                "trouble_step": troubles.step,
            }
            if crash or wait_s:
                columns["not_before"] = self.database.clock() + (troubles.wait_s if crash else wait_s)
            if crash:
                columns["shunned"] = row.worker
            values = {**IDLE, **columns, "state": "queued"}
            connection.execute(_held(sa.update(RUNS), run_id, attempt).values(values))
        return state


_LAST_WORD: dict[State, LogKind] = {"finished": "finished", "failed": "failed", "cancelled": "cancelled"}


def _held(statement: Any, run_id: str, attempt: int) -> Any:
    """The fence: only while this attempt holds the run."""
    return statement.where(RUNS.c.id == run_id, RUNS.c.attempt == attempt, RUNS.c.state == "running")


def _columns_of(batch: Batch) -> dict[str, Any]:
    """The columns that `batch` changes in the row of its run; later events override earlier ones."""
    values: dict[str, Any] = {}
    if started := batch.started:
        values |= {
            "started": started.model_dump_json(),
            "total_steps": started.total_steps,
            "step": started.resumed_from or 0,
            "checkpoint_step": None if started.verifies else started.resumed_from,
        }
    if tests := [point.top1 for point in batch.points if point.split == "test"]:
        values["top1"] = tests[-1]
    if progress := batch.progress:
        silent = () if progress.memory_bytes is not None else USED  # keep what it reported before
        values |= progress.model_dump(exclude={"event", "step", *silent})
    reached = max((event.step for event in (*batch.points, progress) if event), default=0)
    if reached and "step" in values:
        values["step"] = max(reached, values["step"])
    elif reached:  # a resumed training reports its old points again; the run has got further
        values["step"] = sa.case((RUNS.c.step < reached, reached), else_=RUNS.c.step)
    if batch.checkpointed:
        values["checkpoint_step"] = batch.checkpointed.step
    return values


def _told(batch: Batch) -> list[tuple[LogKind, str]]:
    """The lines of the log that `batch` makes."""
    told: list[tuple[LogKind, str]] = []
    if started := batch.started:
        where = f"on {started.device} with {started.threads} thread{'s' * (started.threads > 1)}, torch {started.torch}"
        where += f": {started.engine}" if started.engine else ""
        resumed = started.resumed_from is not None and not started.verifies
        words = f"Resumed from step {started.resumed_from}" if resumed else "Started from the beginning"
        told.append(("resumed" if resumed else "started", f"{VERIFYING if started.verifies else words} {where}."))
        if started.taken:
            told.append(("started", started.taken))
    if batch.checkpointed:
        told.append(("checkpoint", f"Checkpoint at step {batch.checkpointed.step}."))
    told += [("warning", warned.message) for warned in batch.warned]
    return told


def _crash_loop(troubles: Troubles, row: Row[Any], reason: str) -> str:
    times = max(troubles.crashes, troubles.losses)
    where = f"step {row.checkpoint_step}" if row.checkpoint_step else "its first checkpoint"
    return f"Given up after {times} failed attempts in a row that did not get beyond {where}. The last one: {reason}"
