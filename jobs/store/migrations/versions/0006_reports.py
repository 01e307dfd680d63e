"""Adds reports of names, and when a trained network was deleted because of its size."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

revision = "0006"
down_revision = "0005"

Big = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("runs", Column("dropped_at", sa.Double))
    op.create_table(
        "reports",
        Column("number", Big, primary_key=True, autoincrement=True),
        Column("run", Big, sa.ForeignKey("runs.number", ondelete="CASCADE"), nullable=False),
        Column("at", sa.Double, nullable=False),
        Column("visitor", sa.String(64), nullable=False),
        Column("address", sa.String(64)),
        Column("dismissed", sa.Boolean, nullable=False),
    )
    op.create_index("reports_once", "reports", ["run", "visitor"], unique=True)
    op.create_index("reports_address", "reports", ["address", "at"])
    op.create_index("reports_open", "reports", ["dismissed", "at"])
