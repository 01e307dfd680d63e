"""The table of the runs that a browser trained, and a condition on runs."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ColumnElement, ForeignKey, Index, Table

from jobs.store.tables import METADATA, RUNS, Big

TABS = Table(
    "tabs",
    METADATA,
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("capsule", sa.String(64), nullable=False),  # SHA-256 of the file, which is among those to start from
    Column("claimed", sa.Text, nullable=False),  # JSON: the result as the browser measured it
    Index("tabs_capsule", "capsule"),
)


def trained_here() -> ColumnElement[bool]:
    """The condition that a worker, and no browser, trained or trains the run."""
    return ~sa.exists().where(TABS.c.run == RUNS.c.number).correlate(RUNS)
