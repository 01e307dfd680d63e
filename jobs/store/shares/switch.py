"""What the operator does with the installation: pause or drain the queue; remove, rename and pin runs."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa

from jobs.store import curves
from jobs.store.database import Database
from jobs.store.labels.labels import RENAMED, named
from jobs.store.records import TERMINAL, Managed, Mode
from jobs.store.shares import flags
from jobs.store.shares.admission import one_at_a_time
from jobs.store.shares.tables import REPORTS
from jobs.store.tables import RUNS
from jobs.store.tallies import contains


@dataclass(eq=False)
class Switch:
    """The powers of the operator. The callers check who asks."""

    database: Database

    def mode(self) -> Mode:
        """Whether the queue is open, paused (no run begins) or drained (nothing new is accepted)."""
        with self.database.reading() as connection:
            return flags.mode(connection)

    def turn(self, mode: Mode) -> None:
        with self.database.writing() as connection:
            one_at_a_time(connection)
            flags.put(connection, flags.MODE, mode)

    def listed(self, text: str | None = None, limit: int = 50, offset: int = 0) -> tuple[list[Managed], int]:
        """A page of all runs, also of removed ones, the newest first, and how many match. `text`: as in `Filters`."""
        c = RUNS.c
        fields = (c.id, c.name, c.state, c.architecture, c.policy, c.dataset, c.created_at)
        conditions = [contains(text)] if text else []
        there = sa.select(*fields, c.pinned, c.removed_at, c.evicted_at, c.example.is_not(None)).where(*conditions)
        with self.database.reading() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(RUNS).where(*conditions)) or 0
            rows = connection.execute(there.order_by(c.number.desc()).limit(limit).offset(offset)).all()
        return [Managed(*row) for row in rows], total

    def remove(self, run_id: str) -> bool:
        """Remove a run whatever its state, also out of studies; it can be restored for an hour. False: there is none.

        One that waits or runs is cancelled first.
        """
        with self.database.writing() as connection:
            row = connection.execute(sa.select(RUNS).where(RUNS.c.id == run_id).with_for_update()).first()
            if row is None:
                return False
            values: dict[str, object] = {"removed_at": self.database.clock()}
            if row.state == "queued":
                values |= {"state": "cancelled", "finished_at": time.time()}
            if row.state not in TERMINAL:
                values["cancel_requested"] = True
            connection.execute(sa.update(RUNS).where(RUNS.c.number == row.number).values(values))
            curves.insert_log(connection, row.number, row.attempt, "cancelled", "Removed by the operator.")
        return True

    def rename(self, run_id: str, name: str | None) -> bool:
        """Give a run another name, or none, which settles its reports. False: there is no such run.

        Raises ValidationError for a bad name.
        """
        with self.database.writing() as connection:
            row = connection.execute(sa.select(RUNS).where(RUNS.c.id == run_id).with_for_update()).first()
            if row is None:
                return False
            connection.execute(sa.update(RUNS).where(RUNS.c.number == row.number).values(named(row.spec, name)))
            connection.execute(sa.delete(REPORTS).where(REPORTS.c.run == row.number))
            curves.insert_log(connection, row.number, row.attempt, "warning", RENAMED)
        return True

    def pin(self, run_id: str, pinned: bool) -> bool:
        """Keep everything of a run for ever, or no longer. False: there is no such run."""
        with self.database.writing() as connection:
            mine = sa.update(RUNS).where(RUNS.c.id == run_id)
            return connection.execute(mine.values(pinned=pinned)).rowcount > 0
