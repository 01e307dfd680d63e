"""Statements about trainings that a browser made: they become runs that a worker verifies instead of training."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.run.cost import verification_price
from core.run.events import Finished
from core.run.spec import RunSpec
from core.run.tab import TabRecord
from jobs.quotas import UNKNOWN, UNLIMITED, Asker, Limits
from jobs.store import curves
from jobs.store.database import Database
from jobs.store.mapping import kept, read_run, select_runs
from jobs.store.records import Run
from jobs.store.runs import MissingStart
from jobs.store.shares.admission import admit_launch, one_at_a_time
from jobs.store.shares.prices import check_verification
from jobs.store.submission import hashed, id_of, insert_run, launched, new_token, row_of, token_of
from jobs.store.tables import RUNS, STARTS
from jobs.store.tabs.tables import TABS

SUBMITTED = "Trained in a browser; submitted to be verified."


@dataclass(frozen=True)
class FromTab:
    """A training of `spec` in a tab: the SHA-256 of its capsule, its result as the browser has it, and its curves."""

    spec: RunSpec
    capsule: str
    result: Finished
    record: TabRecord


@dataclass(eq=False)
class Tabs:
    """Takes trainings of tabs in, and finds their capsules."""

    database: Database

    def submit(
        self, training: FromTab, *, by: Asker = UNKNOWN, limits: Limits = UNLIMITED, key: str | None = None
    ) -> tuple[Run, str | None, bool]:
        """Queue the run that verifies `training`, whose capsule must be among the files to start from.

        Returns the run, the token that proves who may change it, and whether it is new. The same capsule gives the run
        that there is, unless that was cancelled or removed, or ended through a fault of a machine; its token only comes
        again with the `key` of the first call. Raises Refused, TooExpensive, MissingStart and KeyTaken.
        """
        check_verification(training.spec, limits.cap)
        token = token_of(key) if key else new_token()
        row = row_of(training.spec, hashed(token), by=by)
        row |= {"price_s": verification_price(training.spec).processor_s} | ({"id": id_of(key)} if key else {})
        with self.database.writing() as connection:
            one_at_a_time(connection)
            if launched(connection, row):
                return self._run(connection, row["id"]), token, False
            if (there := _same(connection, training.capsule)) is not None:
                return self._run(connection, there), None, False
            admit_launch(connection, limits, by, row["disk_bytes"])
            if connection.scalar(sa.select(STARTS.c.digest).where(STARTS.c.digest == training.capsule)) is None:
                raise MissingStart(training.capsule)
            number = insert_run(connection, row, limits, SUBMITTED)
            told = {"run": number, "capsule": training.capsule, "claimed": training.result.model_dump_json()}
            connection.execute(sa.insert(TABS).values(told))
            _insert_curves(connection, number, training)
            return self._run(connection, row["id"]), token, True

    def capsule(self, run_id: str) -> bytes | None:
        """The capsule as the browser sent it, of a run that is to be verified; None if it is no longer here."""
        of_run = sa.select(TABS.c.capsule).where(TABS.c.run == curves.number_of(run_id)).scalar_subquery()
        with self.database.reading() as connection:
            return connection.scalar(sa.select(STARTS.c.content).where(STARTS.c.digest == of_run))

    @staticmethod
    def _run(connection: Connection, run_id: str) -> Run:
        return read_run(connection.execute(select_runs().where(RUNS.c.id == run_id)).one())


def _same(connection: Connection, capsule: str) -> str | None:
    """The id of the run of this capsule, unless another one could end otherwise."""
    lasting = RUNS.c.state.in_(("queued", "running", "finished")) | (RUNS.c.error_kind == "unverified")
    found = sa.select(RUNS.c.id).join(TABS, TABS.c.run == RUNS.c.number)
    found = found.where(TABS.c.capsule == capsule, lasting, ~RUNS.c.cancel_requested, kept())
    return connection.scalar(found.order_by(RUNS.c.number).limit(1))


def _insert_curves(connection: Connection, number: int, training: FromTab) -> None:
    """Store what the browser measured, but for what the worker measures anew: the last test and the last snapshot."""
    last = training.spec.total_steps
    points = [point for point in training.record.points if point.split == "train" or point.step < last]
    curves.insert_points(connection, number, points)
    snapshots = [snapshot for snapshot in training.record.snapshots if snapshot.step < last]
    curves.insert_snapshots(connection, number, training.spec, snapshots)
