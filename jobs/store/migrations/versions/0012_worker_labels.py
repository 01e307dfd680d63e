"""Adds the labels of workers, and the label that a run or a study asks for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("workers", Column("labels", sa.Text))
    for table in ("runs", "studies"):
        op.add_column(table, Column("label", sa.String(32)))
