"""The table of complaints: texts beside names of runs that visitors find offensive."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Table

from jobs.store.tables import METADATA, Big

COMPLAINTS = Table(
    "complaints",
    METADATA,
    Column("number", Big, primary_key=True, autoincrement=True),
    Column("kind", sa.String(10), nullable=False),
    # One of the two.
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE")),
    Column("room", Big, ForeignKey("rooms.number", ondelete="CASCADE")),
    Column("text", sa.Text, nullable=False),  # as it was then: another one is another matter
    Column("at", sa.Double, nullable=False),
    Column("visitor", sa.String(64), nullable=False),
    Column("address", sa.String(64)),
    Column("standing", sa.String(10), nullable=False, default="open"),  # open, dismissed, cleared
    Index("complaints_run", "run", "kind"),
    Index("complaints_room", "room", "kind"),
    Index("complaints_address", "address", "at"),
    Index("complaints_open", "standing", "at"),
    sqlite_autoincrement=True,
)
"""A row for each visitor and text; gone with the run or the room."""
