"""Statements about evaluations: small jobs on a finished run's trained network, with a lease and a fence as runs have.

They are deduplicated: the same request on the same run gets the evaluation that exists, unless that has failed.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Row

from core.run.edits import SurgeryRequest
from jobs.lease import Running
from jobs.quotas import UNKNOWN, UNLIMITED, Asker, Limits
from jobs.store.curves import number_of
from jobs.store.database import Database
from jobs.store.shares.admission import admit_evaluation
from jobs.store.submission import new_id
from jobs.store.tables import EVALUATIONS, RUNS

EvaluationState = Literal["queued", "running", "finished", "failed"]

MAX_ATTEMPTS = 3
"""How often an evaluation is begun if its process or worker is lost each time."""
GIVEN_UP_AFTER_S = 900.0
"""An evaluation that has not ended this long after its request is given up."""
KEPT_S = 7 * 24 * 3600.0
KEPT = 1000
"""How many of the evaluations that have ended are kept: the newest."""

CANCELLED = "It was cancelled by the visitor who asked for it."

C = EVALUATIONS.c
OPEN = C.state.in_(("queued", "running"))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation as the store knows it now. Times are Unix seconds; `share` is how much is done, 0..1."""

    id: str
    run_id: str
    request: SurgeryRequest
    state: EvaluationState
    attempt: int
    created_at: float
    started_at: float | None
    finished_at: float | None
    share: float | None
    result: dict[str, Any] | None
    error: str | None


@dataclass(eq=False)
class Evaluations:
    """What visitors and workers may do with evaluations."""

    database: Database

    def submit(
        self, run_id: str, request: SurgeryRequest, *, by: Asker = UNKNOWN, limits: Limits = UNLIMITED
    ) -> tuple[Evaluation, bool]:
        """Queue `request` on run `run_id`, which must exist. Returns the evaluation, and whether it is new.

        Raises Refused.
        """
        same = _same(run_id, request)
        row = {
            "id": new_id(),
            "run": number_of(run_id),
            "digest": request.digest,
            "request": request.model_dump_json(),
            "state": "queued",
            "created_at": time.time(),
            "visitor": by.owner,
            "address": by.address,
        }
        with self.database.writing() as connection:
            self._forget_old(connection)
            found = connection.execute(same).first()
            if found is not None:
                return _read(found), False
            admit_evaluation(connection, limits, by)
            connection.execute(sa.insert(EVALUATIONS).values(row))
            return _read(connection.execute(_select().where(C.id == row["id"])).one()), True

    def get(self, evaluation_id: str) -> Evaluation | None:
        """The evaluation as it is now; if it has not ended in time, this call gives it up."""
        with self.database.reading() as connection:
            row = connection.execute(_select().where(C.id == evaluation_id)).first()
        if row is None or row.state not in ("queued", "running"):
            return _read(row) if row is not None else None
        if row.created_at > time.time() - GIVEN_UP_AFTER_S:
            return _read(row)
        with self.database.writing() as connection:
            self._give_up_late(connection)
            return _read(connection.execute(_select().where(C.id == evaluation_id)).one())

    def find(self, run_id: str, request: SurgeryRequest) -> Evaluation | None:
        """The evaluation that `submit` would return for this request; None where it would queue a new one."""
        with self.database.reading() as connection:
            row = connection.execute(_same(run_id, request)).first()
        return _read(row) if row is not None else None

    def waiting(self) -> tuple[int, int]:
        """How many are not done, and how many came within the last minute."""
        recent = sa.select(sa.func.count()).select_from(EVALUATIONS).where(C.created_at > time.time() - 60)
        with self.database.reading() as connection:
            waiting = connection.scalar(sa.select(sa.func.count()).select_from(EVALUATIONS).where(OPEN)) or 0
            return waiting, connection.scalar(recent) or 0

    def take(self, worker: str) -> Evaluation | None:
        """The evaluation that has waited longest, now held by `worker`; None if none waits."""
        waiting = sa.select(C.number).where(C.state == "queued").order_by(C.number).limit(1)
        with self.database.reading() as connection:  # called about once a second, which should not cost a write lock
            if connection.scalar(waiting) is None:
                return None
        values = {
            "state": "running",
            "attempt": C.attempt + 1,
            "worker": worker,
            "beat": 0,
            "share": 0.0,
            "started_at": time.time(),
        }
        statement = (
            sa.update(EVALUATIONS)
            .where(C.number == waiting.with_for_update(skip_locked=True).scalar_subquery(), C.state == "queued")
            .values(values)
            .returning(C.id)
        )
        with self.database.writing() as connection:
            claimed = connection.scalar(statement)
            return _read(connection.execute(_select().where(C.id == claimed)).one()) if claimed else None

    def beat(self, held: Evaluation, share: float) -> bool:
        """The holder's heartbeat, with the share that it has done. False: the evaluation was lost."""
        return self._write(held.id, held.attempt, {"beat": C.beat + 1, "share": share})

    def finish(self, held: Evaluation, result: dict[str, Any]) -> bool:
        """The evaluation is complete. False: it was lost."""
        values = {"state": "finished", "result": json.dumps(result), "share": 1.0, "finished_at": time.time()}
        return self._write(held.id, held.attempt, values)

    def fail(self, held: Evaluation, message: str) -> bool:
        """It cannot be done, and `message` says why. False: it was lost."""
        return self._write(held.id, held.attempt, _failed(message))

    def cancel(self, evaluation_id: str, by: Asker) -> bool:
        """End it, at the request of `by`, who must have asked for it; its holder notices at the next heartbeat. False:
        somebody else asked. One that has ended stays as it is."""
        mine = sa.select(C.number).where(C.id == evaluation_id, C.visitor == by.owner)
        write = sa.update(EVALUATIONS).where(C.id == evaluation_id, OPEN).values(_failed(CANCELLED))
        with self.database.writing() as connection:
            if connection.scalar(mine) is None:
                return False
            connection.execute(write)
            return True

    def release(self, held: Evaluation) -> bool:
        """Put it back into the queue, because its holder stops. False: it was lost."""
        return self._write(held.id, held.attempt, {"state": "queued", "worker": None, "share": None})

    def lose(self, evaluation_id: str, attempt: int, reason: str) -> bool:
        """Its process or its holder is gone: queue it again, or fail it after MAX_ATTEMPTS. False: it was lost."""
        again = {"state": "queued", "worker": None, "share": None}
        hopeless = _failed(f"Given up after {attempt} attempts. {reason}")
        return self._write(evaluation_id, attempt, again if attempt < MAX_ATTEMPTS else hopeless)

    def held(self) -> list[Running]:
        """Every evaluation that a worker holds."""
        statement = sa.select(C.id, C.attempt, C.worker, C.beat).where(C.state == "running").order_by(C.number)
        with self.database.reading() as connection:
            return [Running(*row) for row in connection.execute(statement)]

    # -- inside one transaction ------------------------------------------------------------------------------

    def _write(self, evaluation_id: str, attempt: int, values: dict[str, Any]) -> bool:
        """A write of the holder, fenced by attempt."""
        mine = sa.update(EVALUATIONS).where(C.id == evaluation_id, C.attempt == attempt, C.state == "running")
        with self.database.writing() as connection:
            return connection.execute(mine.values(values)).rowcount > 0

    def _give_up_late(self, connection: sa.Connection) -> None:
        late = sa.update(EVALUATIONS).where(OPEN, C.created_at < time.time() - GIVEN_UP_AFTER_S)
        minutes = f"{GIVEN_UP_AFTER_S / 60:.0f} minutes"
        words = f"No worker finished it within {minutes}. Is one running? Ask again to restart it."
        connection.execute(late.values(_failed(words)))

    def _forget_old(self, connection: sa.Connection) -> None:
        self._give_up_late(connection)
        newest = sa.select(C.number).where(~OPEN).order_by(C.number.desc()).offset(KEPT).limit(1).scalar_subquery()
        old = (C.created_at < time.time() - KEPT_S) | (C.number <= sa.func.coalesce(newest, 0))
        connection.execute(sa.delete(EVALUATIONS).where(~OPEN, old))


def _select() -> sa.Select[Any]:
    return sa.select(EVALUATIONS, RUNS.c.id.label("run_id")).join(RUNS, RUNS.c.number == C.run)


def _same(run_id: str, request: SurgeryRequest) -> sa.Select[Any]:
    """The newest evaluation with this request that has not failed."""
    same = _select().where(C.run == number_of(run_id), C.digest == request.digest, C.state != "failed")
    return same.order_by(C.number.desc()).limit(1)


def _read(row: Row[Any]) -> Evaluation:
    return Evaluation(
        id=row.id,
        run_id=row.run_id,
        request=SurgeryRequest.model_validate_json(row.request),
        state=row.state,
        attempt=row.attempt,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        share=row.share,
        result=json.loads(row.result) if row.result else None,
        error=row.error,
    )


def _failed(message: str) -> dict[str, Any]:
    return {"state": "failed", "error": message, "finished_at": time.time()}
