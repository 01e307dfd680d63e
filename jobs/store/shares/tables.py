"""The tables of shares: launches of the last hour, reports of names, values of the installation, removed runs."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Table

from jobs.store.tables import METADATA, Big

ASKED = Table(
    "asked",
    METADATA,
    Column("number", Big, primary_key=True, autoincrement=True),
    Column("at", sa.Double, nullable=False),
    Column("visitor", sa.String(64)),
    Column("address", sa.String(64)),
    Index("asked_visitor", "visitor", "at"),
    Index("asked_address", "address", "at"),
    Index("asked_at", "at"),
)
"""A row for each launch of the last hour, whatever has become of it since."""

REPORTS = Table(
    "reports",
    METADATA,
    Column("number", Big, primary_key=True, autoincrement=True),
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), nullable=False),
    Column("at", sa.Double, nullable=False),
    Column("visitor", sa.String(64), nullable=False),
    Column("address", sa.String(64)),
    Column("dismissed", sa.Boolean, nullable=False, default=False),
    Index("reports_once", "run", "visitor", unique=True),
    Index("reports_address", "address", "at"),
    Index("reports_open", "dismissed", "at"),
)
"""A row for each visitor who says that the name of a run is offensive; gone when the run gets another name."""

FLAGS = Table(
    "flags",
    METADATA,
    Column("name", sa.String(40), primary_key=True),
    Column("value", sa.Text, nullable=False),
)
"""Single values of the installation: how far the turns are, whether the queue is paused, what was evicted last."""

BURIED = Table(
    "buried",
    METADATA,
    Column("id", sa.String(32), primary_key=True),
    Column("at", sa.Double, nullable=False),  # by the database's clock
)
"""The runs that were deleted for good: workers on other machines delete their folders, too."""
