"""The tables of rooms: a room, and who is in it under which nickname."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Table

from jobs.store.tables import METADATA, Big

ROOMS = Table(
    "rooms",
    METADATA,
    Column("number", Big, primary_key=True, autoincrement=True),
    Column("id", sa.String(32), nullable=False, unique=True),
    Column("title", sa.String(80), nullable=False),
    Column("question", sa.String(40)),  # of the first page
    Column("owner", sa.String(64), nullable=False),  # SHA-256 of the teacher's token
    Column("created_at", sa.Double, nullable=False),
    Column("visitor", sa.String(64)),  # who opened it, as of runs
    Column("address", sa.String(64)),
    Index("rooms_address", "address", "created_at"),
    sqlite_autoincrement=True,
)

NICKNAMES = Table(
    "nicknames",
    METADATA,
    Column("room", Big, ForeignKey("rooms.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("visitor", sa.String(64), primary_key=True),
    Column("nickname", sa.String(24), nullable=False),
    Index("nicknames_once", "room", "nickname", unique=True),
)
"""All that is known of somebody in a room; gone when they leave."""
