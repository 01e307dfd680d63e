"""Statements that remove a run: out of sight at once, back on demand for an hour, then deleted for good."""

from __future__ import annotations

import sqlalchemy as sa

from jobs.store.database import Database
from jobs.store.mapping import read_run, select_run
from jobs.store.records import TERMINAL, Run
from jobs.store.tables import MEMBERS, REMOVALS, RUNS

REMOVED_FOR_S = 3600.0
"""How long a removed run can be brought back."""


class Removing(Database):
    """Removes runs that have ended and that no study needs."""

    def remove(self, run_id: str) -> str | None:
        """Take the run out of all lists. Returns why not, where it may not be; None where it is out now."""
        with self.writing() as connection:
            row = connection.execute(
                sa.select(RUNS.c.number, RUNS.c.state).where(RUNS.c.id == run_id).with_for_update()
            ).first()
            if row is None:
                return f"there is no run {run_id}"
            if row.state not in TERMINAL:
                return f"the run is {row.state}; cancel it first"
            if connection.scalar(sa.select(MEMBERS.c.study).where(MEMBERS.c.run == row.number).limit(1)) is not None:
                return "a study needs this run, so it stays"
            if connection.scalar(sa.select(REMOVALS.c.at).where(REMOVALS.c.run == row.number)) is None:
                connection.execute(sa.insert(REMOVALS).values(run=row.number, at=self.clock()))
        return None

    def restore(self, run_id: str) -> Run | None:
        """Bring the run back; None if there is none, or none any more. Raises UnreadableRun, once it is back."""
        number = sa.select(RUNS.c.number).where(RUNS.c.id == run_id).scalar_subquery()
        with self.writing() as connection:
            connection.execute(sa.delete(REMOVALS).where(REMOVALS.c.run == number))
            row = connection.execute(select_run(), {"id": run_id}).first()
        return read_run(row) if row else None

    def bury(self, after_s: float) -> list[str]:
        """Delete the runs that were removed `after_s` ago, with all that belongs to them; their ids."""
        old = sa.select(REMOVALS.c.run).where(REMOVALS.c.at <= self.clock() - after_s)
        with self.reading() as connection:
            if connection.execute(old.limit(1)).first() is None:
                return []  # the usual case, which writes nothing
        with self.writing() as connection:
            return list(connection.scalars(sa.delete(RUNS).where(RUNS.c.number.in_(old)).returning(RUNS.c.id)))
