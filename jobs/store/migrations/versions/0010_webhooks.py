"""Adds webhooks: addresses that are told when a run or a study has ended, and the messages to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, ForeignKey

revision = "0010"
down_revision = "0009"

Big = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "webhooks",
        Column("number", Big, primary_key=True, autoincrement=True),
        Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE")),
        Column("study", Big, ForeignKey("studies.number", ondelete="CASCADE")),
        Column("url", sa.Text, nullable=False),
        Column("link", sa.Text, nullable=False),
        Column("owner", sa.String(64), nullable=False),
        Column("armed", sa.Boolean, nullable=False),
        Column("created_at", sa.Double, nullable=False),
        Column("visitor", sa.String(64)),
        Column("address", sa.String(64)),
        sqlite_autoincrement=True,
    )
    op.create_index("webhooks_run", "webhooks", ["run"], unique=True)
    op.create_index("webhooks_study", "webhooks", ["study"], unique=True)
    op.create_index("webhooks_armed", "webhooks", ["armed"])
    op.create_index("webhooks_visitor", "webhooks", ["visitor"])
    op.create_index("webhooks_address", "webhooks", ["address"])
    op.create_table(
        "webhook_messages",
        Column("number", Big, primary_key=True, autoincrement=True),
        Column("webhook", Big, ForeignKey("webhooks.number", ondelete="CASCADE"), nullable=False),
        Column("id", sa.String(40), nullable=False, unique=True),
        Column("body", sa.Text, nullable=False),
        Column("created_at", sa.Double, nullable=False),
        Column("due_at", sa.Double),
        Column("leased_until", sa.Double),
        Column("attempts", sa.Integer, nullable=False),
        Column("again", sa.Integer, nullable=False),
        Column("delivered_at", sa.Double),
        Column("problem", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("messages_webhook", "webhook_messages", ["webhook", "number"])
    op.create_index("messages_due", "webhook_messages", ["due_at"])
