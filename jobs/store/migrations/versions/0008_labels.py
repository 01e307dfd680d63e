"""Adds labels of runs: a note, tags, and the question that a run was launched for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for column in (Column("note", sa.Text), Column("tags", sa.Text), Column("question", sa.String(40))):
        op.add_column("runs", column)
