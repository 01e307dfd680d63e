"""The queue: the runs that wait, in the order in which they are served.

The hints that wake workers are in `jobs.queue`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import sqlalchemy as sa

from jobs.store.database import Database
from jobs.store.mapping import readable, select_runs
from jobs.store.records import Run
from jobs.store.submission import ALONE
from jobs.store.tables import MEMBERS, QUEUE, RUNS, place_of


@dataclass(eq=False)
class Queue:
    """Looks at the runs that wait, and changes their order."""

    database: Database

    def first(self, limit: int) -> list[Run]:
        """The first `limit` queued runs, the next one first."""
        page = select_runs().where(RUNS.c.state == "queued").order_by(*QUEUE).limit(limit)
        with self.database.reading() as connection:
            return readable(connection.execute(page))

    def waiting(self) -> list[str]:
        """The ids of the queued runs, the next one first."""
        statement = sa.select(RUNS.c.id).where(RUNS.c.state == "queued").order_by(*QUEUE)
        with self.database.reading() as connection:
            return list(connection.scalars(statement))

    def backlog(self) -> int:
        """How many requests wait: single runs, and studies, each as one."""
        alone = sa.select(sa.func.count()).select_from(RUNS).where(RUNS.c.state == "queued", RUNS.c.priority == ALONE)
        studies = (
            sa.select(sa.func.count(sa.distinct(MEMBERS.c.study)))
            .join(RUNS, RUNS.c.number == MEMBERS.c.run)
            .where(RUNS.c.state == "queued", RUNS.c.priority != ALONE)
        )
        with self.database.reading() as connection:
            return (connection.scalar(alone) or 0) + (connection.scalar(studies) or 0)

    def reorder(self, wanted: Sequence[str]) -> list[str]:
        """Serve those of the runs `wanted` that still wait in this order, in the places that they have by now.

        Each stays within its priority: a study's run is not served before a single one. Returns those that wait in the
        order in which they are served.
        """
        own = sa.select(RUNS.c.number).where(RUNS.c.id.in_(wanted), RUNS.c.state == "queued").order_by(RUNS.c.number)
        with self.database.writing() as connection:
            # Locked before their places are read: a claim passes them over meanwhile, another reordering waits.
            numbers = list(connection.scalars(own.with_for_update()))
            there = sa.select(RUNS.c.number, RUNS.c.id, RUNS.c.priority, place_of().label("place"))
            rows = connection.execute(there.where(RUNS.c.number.in_(numbers)).order_by(*QUEUE)).all()
            turn = {run_id: index for index, run_id in enumerate(wanted)}
            served: list[str] = []
            given: list[dict[str, int | None]] = []
            for _, group in groupby(rows, key=lambda row: row.priority):
                alike = list(group)
                dealt = sorted(alike, key=lambda row: turn[row.id])
                served += [row.id for row in dealt]
                given += [
                    {"of": row.number, "given": old.place if old.place != row.number else None}
                    for row, old in zip(dealt, alike, strict=True)
                ]
            if given:
                statement = sa.update(RUNS).where(RUNS.c.number == sa.bindparam("of"))
                connection.execute(statement.values(place=sa.bindparam("given")), given)
        return served
