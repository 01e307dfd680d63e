"""The queue: the runs that wait, in the order in which they are served.

The hints that wake workers are in `jobs.queue`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

import sqlalchemy as sa

from jobs.store.database import Database
from jobs.store.mapping import readable, select_runs
from jobs.store.records import Run
from jobs.store.shares import admission
from jobs.store.tables import QUEUE, RUNS, place_of


@dataclass(eq=False)
class Queue:
    """Looks at the runs that wait, and changes their order."""

    database: Database

    def first(self, limit: int) -> list[Run]:
        """The first `limit` queued runs, the next one first."""
        page = select_runs().where(RUNS.c.state == "queued").order_by(*QUEUE).limit(limit)
        with self.database.reading() as connection:
            return readable(connection.execute(page))

    def waiting(self, labels: Collection[str] | None = None) -> list[str]:
        """The ids of the queued runs, the next one first. `labels`: without those that ask for another label."""
        theirs = () if labels is None else (sa.or_(RUNS.c.label.is_(None), RUNS.c.label.in_(labels)),)
        statement = sa.select(RUNS.c.id).where(RUNS.c.state == "queued", *theirs).order_by(*QUEUE)
        with self.database.reading() as connection:
            return list(connection.scalars(statement))

    def backlog(self) -> int:
        """How many requests wait: single runs, and studies, each as one."""
        with self.database.reading() as connection:
            return admission.backlog(connection)

    def reorder(self, wanted: Sequence[str]) -> list[str]:
        """Serve the runs `wanted` in this order, as far as they still wait: they share out the places that they have.

        Each stays within its priority: a study's run is not served before a single one. Returns those that wait, in the
        order in which they are served.
        """
        own = sa.select(RUNS.c.number).where(RUNS.c.id.in_(wanted), RUNS.c.state == "queued").order_by(RUNS.c.number)
        with self.database.writing() as connection:
            # Lock the rows before reading their places: meanwhile a claim skips them, and another reordering waits.
            numbers = list(connection.scalars(own.with_for_update()))
            there = sa.select(RUNS.c.number, RUNS.c.id, RUNS.c.priority, RUNS.c.turn, place_of().label("place"))
            rows = connection.execute(there.where(RUNS.c.number.in_(numbers)).order_by(*QUEUE)).all()
            turn = {run_id: index for index, run_id in enumerate(wanted)}
            served: list[str] = []
            given: list[dict[str, float | None]] = []
            for _, group in groupby(rows, key=lambda row: row.priority):
                alike = list(group)
                dealt = sorted(alike, key=lambda row: turn[row.id])
                served += [row.id for row in dealt]
                given += [
                    {"of": row.number, "given": old.place if old.place != row.number else None, "its": old.turn}
                    for row, old in zip(dealt, alike, strict=True)
                ]
            if given:
                statement = sa.update(RUNS).where(RUNS.c.number == sa.bindparam("of"))
                connection.execute(statement.values(place=sa.bindparam("given"), turn=sa.bindparam("its")), given)
        return served
