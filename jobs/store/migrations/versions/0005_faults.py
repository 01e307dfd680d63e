"""Lets a crashed run wait for another worker, a worker say what is wrong with it, and cursors rise for ever."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("runs", sa.Column("not_before", sa.Double()))
    op.add_column("runs", sa.Column("shunned", sa.String(80)))
    for name in ("trouble", "note", "lacks"):
        op.add_column("workers", sa.Column(name, sa.Text()))
    op.create_table(
        "buried",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("at", sa.Double(), nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":  # elsewhere a sequence counts, which never goes back
        for name in ("points", "speeds"):
            with op.batch_alter_table(name, recreate="always", table_kwargs={"sqlite_autoincrement": True}):
                pass
