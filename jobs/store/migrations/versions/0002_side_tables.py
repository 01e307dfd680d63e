"""What stood in tables beside the runs and the workers moves into the rows that it belongs to.

These tables came one by one after schema 3, when nothing could add a column to a table that was there.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

revision = "0002"
down_revision = "0001"

Big = sa.BigInteger().with_variant(sa.Integer, "sqlite")

RUNS = (
    Column("place", Big),
    Column("memory_bytes", Big),
    Column("peak_bytes", Big),
    Column("gpu_bytes", Big),
    Column("gpu_peak_bytes", Big),
    Column("removed_at", sa.Double),
    Column("example", sa.String(60)),
    Column("example_shows", sa.Text),
    Column("example_machine", sa.Text),
)
WORKERS = (
    Column("processor", sa.String(200)),
    Column("cores", sa.Integer),
    Column("load", sa.Double),
    Column("memory_bytes", Big),
    Column("disk_bytes", Big),
    Column("disk_free_bytes", Big),
)
KEYS = {"runs": ("number", "run"), "workers": ("name", "worker")}
"""The key of a table, and the column of its side tables that refers to it."""
MOVED = (
    ("runs", "places", {"place": "place"}),
    ("runs", "usage", {column.name: column.name for column in RUNS[1:5]}),
    ("runs", "removals", {"removed_at": "at"}),
    ("runs", "examples", {"example": "name", "example_shows": "shows", "example_machine": "machine"}),
    ("workers", "machines", {column.name: column.name for column in WORKERS}),
)
"""Table, side table, and which column of the first takes which of the second."""


def upgrade() -> None:
    for column in RUNS:
        op.add_column("runs", column)
    for column in WORKERS:
        op.add_column("workers", column)
    for table, side, columns in MOVED:
        key, of = KEYS[table]
        op.execute(
            f"UPDATE {table} SET ({', '.join(columns)}) = "
            f"(SELECT {', '.join(columns.values())} FROM {side} WHERE {side}.{of} = {table}.{key}) "
            f"WHERE {key} IN (SELECT {of} FROM {side})"
        )
    names = list(op.get_bind().scalars(sa.text("SELECT name FROM examples")))
    for side in ("places", "usage", "removals", "machines", "examples"):
        op.drop_table(side)
    examples = op.create_table("examples", Column("name", sa.String(60), primary_key=True))
    op.bulk_insert(examples, [{"name": name} for name in names])
    _index("runs_removed", "removed_at")
    _index("runs_example", "example", unique=True)
    schema = sa.table("schema_version", sa.column("only", sa.Integer), sa.column("version", sa.Integer))
    op.execute(schema.delete())
    op.execute(schema.insert().values(only=1, version=4))


def _index(name: str, column: str, *, unique: bool = False) -> None:
    """Of those rows only that have something in `column`."""
    some = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, "runs", [column], unique=unique, sqlite_where=some, postgresql_where=some)
