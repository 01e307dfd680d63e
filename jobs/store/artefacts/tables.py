"""The tables of artefacts: which there are, and the content of those that the database has."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Table

from jobs.store.tables import METADATA, Big

ARTEFACTS = Table(
    "artefacts",
    METADATA,
    Column("number", Big, primary_key=True, autoincrement=True),
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), nullable=False),
    Column("kind", sa.String(16), nullable=False),
    Column("name", sa.String(120), nullable=False),  # of its file
    Column("attempt", sa.Integer, nullable=False),
    Column("at", sa.Double, nullable=False),  # by the database's clock
    Column("outside", sa.Boolean, nullable=False),  # a file at the address of the artefacts; else pieces
    Column("whole", sa.Boolean, nullable=False, default=False),  # false: it is being written, or its writer died
    Column("size_bytes", Big, nullable=False, default=0),
    Column("sha256", sa.String(64), nullable=False, default=""),
    Index("artefacts_run", "run", "kind"),
    sqlite_autoincrement=True,  # the number is a part of the file's name, so it must not come back
)

PIECES = Table(
    "artefact_pieces",
    METADATA,
    Column("artefact", Big, ForeignKey("artefacts.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("place", sa.Integer, primary_key=True, autoincrement=False),
    Column("content", sa.LargeBinary, nullable=False),
)
