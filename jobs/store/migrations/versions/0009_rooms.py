"""Adds rooms: everybody's runs on one board, under nicknames."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, ForeignKey

revision = "0009"
down_revision = "0008"

Big = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "rooms",
        Column("number", Big, primary_key=True, autoincrement=True),
        Column("id", sa.String(32), nullable=False, unique=True),
        Column("title", sa.String(80), nullable=False),
        Column("question", sa.String(40)),
        Column("owner", sa.String(64), nullable=False),
        Column("created_at", sa.Double, nullable=False),
        Column("visitor", sa.String(64)),
        Column("address", sa.String(64)),
        sqlite_autoincrement=True,
    )
    op.create_index("rooms_address", "rooms", ["address", "created_at"])
    op.create_table(
        "nicknames",
        Column("room", Big, ForeignKey("rooms.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
        Column("visitor", sa.String(64), primary_key=True),
        Column("nickname", sa.String(24), nullable=False),
    )
    op.create_index("nicknames_once", "nicknames", ["room", "nickname"], unique=True)
    op.add_column("runs", Column("room", sa.String(32)))
    op.create_index("runs_room", "runs", ["room"])
