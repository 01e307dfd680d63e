"""The tables of shares: what was asked for lately, single values of the installation, and the runs that are gone."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Index, Table

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
