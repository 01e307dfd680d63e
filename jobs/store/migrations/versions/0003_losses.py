"""Lets a point have no loss: one that is no finite number is none, and the run goes on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("points") as points:  # SQLite copies the table, which takes a while for long curves
        points.alter_column("loss", existing_type=sa.Double(), nullable=True)
