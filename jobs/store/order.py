"""The order of the queue, and statements by which somebody changes the order of runs of their own.

A run stands in the queue at the place that its number is, or at the one that it has been given: who reorders runs deals
out the places that these runs have among themselves, so nobody else's run moves, and none passes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause

from jobs.store.database import Database
from jobs.store.tables import PLACES, RUNS


def place_of(runs: FromClause = RUNS) -> ColumnElement[int]:
    """Where a run of `runs` (the table, or an alias of it) stands among those of its priority."""
    given = sa.select(PLACES.c.place).where(PLACES.c.run == runs.c.number).correlate(runs).scalar_subquery()
    return sa.func.coalesce(given, runs.c.number)


QUEUE = (RUNS.c.priority, place_of())
"""The order in which runs are served."""


class Ordering(Database):
    """Reorders runs that wait."""

    def reorder(self, wanted: Sequence[str]) -> list[str]:
        """Serve those of the runs `wanted` that still wait in this order, in the places that they have by now.

        Each stays within its priority: a study's run is not served before a single one. Returns those that wait in the
        order in which they are served.
        """
        own = sa.select(RUNS.c.number).where(RUNS.c.id.in_(wanted), RUNS.c.state == "queued").order_by(RUNS.c.number)
        with self.writing() as connection:
            # Locked before their places are read: a claim passes them over meanwhile, another reordering waits.
            numbers = list(connection.scalars(own.with_for_update()))
            there = sa.select(RUNS.c.number, RUNS.c.id, RUNS.c.priority, place_of().label("place"))
            rows = connection.execute(there.where(RUNS.c.number.in_(numbers)).order_by(*QUEUE)).all()
            turn = {run_id: index for index, run_id in enumerate(wanted)}
            served: list[str] = []
            given: list[dict[str, int]] = []
            for _, group in groupby(rows, key=lambda row: row.priority):
                alike = list(group)
                dealt = sorted(alike, key=lambda row: turn[row.id])
                served += [row.id for row in dealt]
                given += [
                    {"run": row.number, "place": old.place}
                    for row, old in zip(dealt, alike, strict=True)
                    if row.number != old.place
                ]
            connection.execute(sa.delete(PLACES).where(PLACES.c.run.in_(numbers)))
            if given:
                connection.execute(sa.insert(PLACES), given)
        return served
