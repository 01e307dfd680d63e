"""Adds complaints about notes, tags, nicknames and titles of rooms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, ForeignKey

revision = "0011"
down_revision = "0010"

Big = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "complaints",
        Column("number", Big, primary_key=True, autoincrement=True),
        Column("kind", sa.String(10), nullable=False),
        Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE")),
        Column("room", Big, ForeignKey("rooms.number", ondelete="CASCADE")),
        Column("text", sa.Text, nullable=False),
        Column("at", sa.Double, nullable=False),
        Column("visitor", sa.String(64), nullable=False),
        Column("address", sa.String(64)),
        Column("standing", sa.String(10), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("complaints_run", "complaints", ["run", "kind"])
    op.create_index("complaints_room", "complaints", ["room", "kind"])
    op.create_index("complaints_address", "complaints", ["address", "at"])
    op.create_index("complaints_open", "complaints", ["standing", "at"])
