"""The tables of webhooks: who is told that a run or a study has ended, and the messages that say so."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, Table

from jobs.store.tables import METADATA, Big

WEBHOOKS = Table(
    "webhooks",
    METADATA,
    Column("number", Big, primary_key=True, autoincrement=True),
    # One of the two.
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE")),
    Column("study", Big, ForeignKey("studies.number", ondelete="CASCADE")),
    Column("url", sa.Text, nullable=False),
    Column("link", sa.Text, nullable=False),  # to the page of the run or study
    Column("owner", sa.String(64), nullable=False),  # of the run or study when it was launched
    Column("armed", sa.Boolean, nullable=False, default=True),  # its end has not been noted
    Column("created_at", sa.Double, nullable=False),
    Column("visitor", sa.String(64)),  # as of runs
    Column("address", sa.String(64)),
    Index("webhooks_run", "run", unique=True),
    Index("webhooks_study", "study", unique=True),
    Index("webhooks_armed", "armed"),
    Index("webhooks_visitor", "visitor"),
    Index("webhooks_address", "address"),
    sqlite_autoincrement=True,
)

MESSAGES = Table(
    "webhook_messages",
    METADATA,
    Column("number", Big, primary_key=True, autoincrement=True),
    Column("webhook", Big, ForeignKey("webhooks.number", ondelete="CASCADE"), nullable=False),
    Column("id", sa.String(40), nullable=False, unique=True),  # the receiver's, the same at every attempt
    Column("body", sa.Text, nullable=False),
    Column("created_at", sa.Double, nullable=False),
    # By the database's clock: when it is due, empty after the last attempt; until when somebody is sending it.
    Column("due_at", sa.Double),
    Column("leased_until", sa.Double),
    Column("attempts", sa.Integer, nullable=False, default=0),  # the fencing token, as of runs
    Column("again", sa.Integer, nullable=False, default=0),  # how often its owner asked to send it again
    Column("delivered_at", sa.Double),
    Column("problem", sa.Text),  # of the last attempt, in words
    Index("messages_webhook", "webhook", "number"),
    Index("messages_due", "due_at"),
    sqlite_autoincrement=True,
)
"""A row for each time that a run or a study has ended."""
