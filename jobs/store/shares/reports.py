"""Reports of offensive names: anybody makes them, without a login; the operator settles them."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from jobs.quotas import HOUR_S, Asker, Refused, refuse_reports
from jobs.store.database import Database
from jobs.store.mapping import kept
from jobs.store.shares.admission import one_at_a_time
from jobs.store.shares.tables import REPORTS
from jobs.store.tables import RUNS

MAX_HOURLY = 20
"""How many reports one network address may make within an hour."""
MAX_OF_A_RUN = 50
"""Further reports of one run are accepted, and not kept."""
MAX_LISTED = 200


@dataclass(frozen=True, slots=True)
class ReportedName:
    """A run whose name visitors have reported: how many did, and when the first and the last one did."""

    run_id: str
    name: str
    state: str
    reports: int
    first_at: float
    last_at: float


@dataclass(eq=False)
class Reports:
    """Takes and settles reports."""

    database: Database

    def report(self, run_id: str, by: Asker) -> bool:
        """Keep that `by` reports the name of the run, once. False: there is no such run with a name that can change.

        After a dismissal, further reports of the same name are settled already. Raises Refused.
        """
        visitor = by.owner or by.address or "unknown"
        with self.database.writing() as connection:
            one_at_a_time(connection)
            named = (RUNS.c.id == run_id, RUNS.c.name.is_not(None), RUNS.c.example.is_(None), kept())
            run = connection.scalar(sa.select(RUNS.c.number).where(*named))
            if run is None:
                return False
            of_run = REPORTS.c.run == run
            if _count(connection, of_run, REPORTS.c.visitor == visitor):
                return True
            hourly = _count(connection, REPORTS.c.address == by.address, REPORTS.c.at > time.time() - HOUR_S)
            if hourly >= MAX_HOURLY:
                raise Refused(refuse_reports(hourly, MAX_HOURLY), HOUR_S)
            if _count(connection, of_run) < MAX_OF_A_RUN:
                settled = _count(connection, of_run, REPORTS.c.dismissed) > 0
                row = {"run": run, "at": time.time(), "visitor": visitor, "address": by.address, "dismissed": settled}
                connection.execute(sa.insert(REPORTS).values(row))
        return True

    def open(self) -> list[ReportedName]:
        """The runs with reports that nobody has settled, at most MAX_LISTED; the most reported first."""
        count, first, last = sa.func.count(), sa.func.min(REPORTS.c.at), sa.func.max(REPORTS.c.at)
        there = (
            sa.select(RUNS.c.id, RUNS.c.name, RUNS.c.state, count, first, last)
            .join(REPORTS, REPORTS.c.run == RUNS.c.number)
            .where(~REPORTS.c.dismissed, RUNS.c.name.is_not(None), kept())
            .group_by(RUNS.c.number)
            .order_by(count.desc(), first, RUNS.c.number)
            .limit(MAX_LISTED)
        )
        with self.database.reading() as connection:
            return [ReportedName(*row) for row in connection.execute(there)]

    def dismiss(self, run_id: str) -> int:
        """Settle the reports of the run: its name stays. Returns how many there were."""
        mine = sa.select(RUNS.c.number).where(RUNS.c.id == run_id).scalar_subquery()
        with self.database.writing() as connection:
            open_ = sa.update(REPORTS).where(REPORTS.c.run == mine, ~REPORTS.c.dismissed)
            return connection.execute(open_.values(dismissed=True)).rowcount


def _count(connection: Connection, *conditions: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(REPORTS).where(*conditions)) or 0
