"""Adds the table of the runs that a browser trained."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, ForeignKey

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "tabs",
        Column("run", big, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
        Column("capsule", sa.String(64), nullable=False),
        Column("claimed", sa.Text, nullable=False),
    )
    op.create_index("tabs_capsule", "tabs", ["capsule"])
