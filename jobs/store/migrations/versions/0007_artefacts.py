"""Adds artefacts: the files of runs that other machines need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, ForeignKey

revision = "0007"
down_revision = "0006"

Big = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "artefacts",
        Column("number", Big, primary_key=True, autoincrement=True),
        Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), nullable=False),
        Column("kind", sa.String(16), nullable=False),
        Column("name", sa.String(120), nullable=False),
        Column("attempt", sa.Integer, nullable=False),
        Column("at", sa.Double, nullable=False),
        Column("outside", sa.Boolean, nullable=False),
        Column("whole", sa.Boolean, nullable=False),
        Column("size_bytes", Big, nullable=False),
        Column("sha256", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("artefacts_run", "artefacts", ["run", "kind"])
    owner = ForeignKey("artefacts.number", ondelete="CASCADE")
    op.create_table(
        "artefact_pieces",
        Column("artefact", Big, owner, primary_key=True, autoincrement=False),
        Column("place", sa.Integer, primary_key=True, autoincrement=False),
        Column("content", sa.LargeBinary, nullable=False),
    )
