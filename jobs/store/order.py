"""The order of the queue, and statements by which somebody changes the order of runs of their own.

A run stands in the queue at the place that its number is, or at the one that it has been given: who reorders runs deals
out the places that these runs have among themselves, so nobody else's run moves, and none passes one.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause

from jobs.store.tables import PLACES, RUNS


def place_of(runs: FromClause = RUNS) -> ColumnElement[int]:
    """Where a run of `runs` (the table, or an alias of it) stands among those of its priority."""
    given = sa.select(PLACES.c.place).where(PLACES.c.run == runs.c.number).correlate(runs).scalar_subquery()
    return sa.func.coalesce(given, runs.c.number)


QUEUE = (RUNS.c.priority, place_of())
"""The order in which runs are served."""
