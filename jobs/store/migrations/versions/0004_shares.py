"""Adds who asked, what a run costs, whose turn it is, and what is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

revision = "0004"
down_revision = "0003"

Big = sa.BigInteger().with_variant(sa.Integer, "sqlite")
ASKED_BY = ("runs", "evaluations", "starts", "studies")
RUNS = (
    Column("price_s", sa.Double, nullable=False, server_default="0"),
    Column("disk_bytes", Big, nullable=False, server_default="0"),
    Column("turn", sa.Double, nullable=False, server_default="0"),
    Column("keeps", sa.Boolean, nullable=False, server_default=sa.false()),
    Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),
    Column("evicted_at", sa.Double),
)


def upgrade() -> None:
    for table in ASKED_BY:
        op.add_column(table, Column("visitor", sa.String(64)))
        op.add_column(table, Column("address", sa.String(64)))
    for column in RUNS:
        op.add_column("runs", column)
    op.drop_index("runs_queue", "runs")
    op.create_index("runs_queue", "runs", ["state", "priority", "turn", "number"])
    op.create_index("runs_visitor", "runs", ["visitor", "state"])
    op.create_index("runs_address", "runs", ["address", "state"])
    op.create_table(
        "asked",
        Column("number", Big, primary_key=True, autoincrement=True),
        Column("at", sa.Double, nullable=False),
        Column("visitor", sa.String(64)),
        Column("address", sa.String(64)),
    )
    op.create_index("asked_visitor", "asked", ["visitor", "at"])
    op.create_index("asked_address", "asked", ["address", "at"])
    op.create_index("asked_at", "asked", ["at"])
    op.create_table("flags", Column("name", sa.String(40), primary_key=True), Column("value", sa.Text, nullable=False))
