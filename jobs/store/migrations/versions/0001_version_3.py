"""The schema with the number 3, which programs made by themselves before there were migrations.

Whatever of it is missing is made: an empty database has nothing, and old ones lack the tables that came late.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, ForeignKey, Index, MetaData, Table

revision = "0001"
down_revision = None

METADATA = MetaData()
Big = sa.BigInteger().with_variant(sa.Integer, "sqlite")

Table(
    "schema_version",
    METADATA,
    Column("only", sa.Integer, primary_key=True, autoincrement=False),
    Column("version", sa.Integer, nullable=False),
)

Table(
    "runs",
    METADATA,
    Column("number", Big, primary_key=True, autoincrement=True),
    Column("id", sa.String(32), nullable=False, unique=True),
    Column("owner", sa.String(64), nullable=False),
    Column("spec", sa.Text, nullable=False),
    Column("digest", sa.String(64), nullable=False),
    Column("priority", sa.Integer, nullable=False, default=0),
    Column("name", sa.String(64)),
    Column("architecture", sa.String(60), nullable=False),
    Column("policy", sa.String(60), nullable=False),
    Column("dataset", sa.String(60), nullable=False),
    Column("epochs", sa.Integer, nullable=False),
    Column("replicate", sa.Integer, nullable=False),
    Column("counts", sa.Text, nullable=False),
    Column("state", sa.String(16), nullable=False),
    Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    Column("created_at", sa.Double, nullable=False),
    Column("started_at", sa.Double),
    Column("finished_at", sa.Double),
    Column("attempt", sa.Integer, nullable=False, default=0),
    Column("worker", sa.String(80)),
    Column("beat", Big, nullable=False, default=0),
    Column("crashes", sa.Integer, nullable=False, default=0),
    Column("losses", sa.Integer, nullable=False, default=0),
    Column("trouble_step", sa.Integer),
    Column("step", sa.Integer, nullable=False, default=0),
    Column("total_steps", sa.Integer, nullable=False),
    Column("tested", sa.Double),
    Column("analysed", sa.Double),
    Column("images_per_s", sa.Double),
    Column("elapsed_s", sa.Double),
    Column("eta_s", sa.Double),
    Column("checkpoint_step", sa.Integer),
    Column("top1", sa.Double),
    Column("macs_per_s", sa.Double),
    Column("error_kind", sa.String(32)),
    Column("error_message", sa.Text),
    Column("result", sa.Text),
    Column("started", sa.Text),
    Index("runs_queue", "state", "priority", "number"),
    Index("runs_digest", "digest"),
    Index("runs_finished", "state", "finished_at"),
    Index("runs_created", "created_at"),
    Index("runs_policy", "policy", "created_at"),
    Index("runs_architecture", "architecture", "created_at"),
    Index("runs_dataset", "dataset", "created_at"),
    sqlite_autoincrement=True,
)


def _belongs_to_run() -> Column[int]:
    return Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), nullable=False)


Table(
    "points",
    METADATA,
    Column("id", Big, primary_key=True, autoincrement=True),
    _belongs_to_run(),
    Column("step", sa.Integer, nullable=False),
    Column("epoch", sa.Double, nullable=False),
    Column("split", sa.String(5), nullable=False),
    Column("loss", sa.Double, nullable=False),
    Column("top1", sa.Double, nullable=False),
    Column("top5", sa.Double),
    Column("lr", sa.Double),
    Index("points_once", "run", "split", "step", unique=True),
    Index("points_cursor", "run", "id"),
)

Table(
    "snapshots",
    METADATA,
    Column("id", Big, primary_key=True, autoincrement=True),
    _belongs_to_run(),
    Column("step", sa.Integer, nullable=False),
    Column("epoch", sa.Double, nullable=False),
    Column("kept", sa.Boolean, nullable=False),
    Column("gamma", sa.Text, nullable=False),
    Column("beta", sa.Text, nullable=False),
    Column("disabled", sa.Text, nullable=False),
    Column("detail", sa.LargeBinary, nullable=False),
    Index("snapshots_once", "run", "step", unique=True),
    Index("snapshots_cursor", "run", "id"),
    sqlite_autoincrement=True,
)

Table(
    "speeds",
    METADATA,
    Column("id", Big, primary_key=True, autoincrement=True),
    _belongs_to_run(),
    Column("part", sa.Integer, nullable=False),
    Column("step", sa.Integer, nullable=False),
    Column("images_per_s", sa.Double, nullable=False),
    Index("speeds_once", "run", "part", unique=True),
    Index("speeds_cursor", "run", "id"),
)

Table(
    "log",
    METADATA,
    Column("id", Big, primary_key=True, autoincrement=True),
    _belongs_to_run(),
    Column("at", sa.Double, nullable=False),
    Column("attempt", sa.Integer, nullable=False),
    Column("kind", sa.String(16), nullable=False),
    Column("message", sa.Text, nullable=False),
    Index("log_cursor", "run", "id"),
    sqlite_autoincrement=True,
)

Table(
    "findings",
    METADATA,
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("detail", sa.LargeBinary, nullable=False),
)

Table(
    "capsules",
    METADATA,
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("content", sa.LargeBinary, nullable=False),
)

Table(
    "removals",
    METADATA,
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("at", sa.Double, nullable=False),
)

Table(
    "places",
    METADATA,
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("place", Big, nullable=False),
)

Table(
    "examples",
    METADATA,
    Column("name", sa.String(60), primary_key=True),
    Column("run", Big, ForeignKey("runs.number", ondelete="SET NULL"), unique=True),
    Column("shows", sa.Text, nullable=False),
    Column("machine", sa.Text, nullable=False),
)

Table(
    "usage",
    METADATA,
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("memory_bytes", Big),
    Column("peak_bytes", Big),
    Column("gpu_bytes", Big),
    Column("gpu_peak_bytes", Big),
)

Table(
    "evaluations",
    METADATA,
    Column("number", Big, primary_key=True, autoincrement=True),
    Column("id", sa.String(32), nullable=False, unique=True),
    _belongs_to_run(),
    Column("digest", sa.String(64), nullable=False),
    Column("request", sa.Text, nullable=False),
    Column("state", sa.String(16), nullable=False),
    Column("created_at", sa.Double, nullable=False),
    Column("started_at", sa.Double),
    Column("finished_at", sa.Double),
    Column("attempt", sa.Integer, nullable=False, default=0),
    Column("worker", sa.String(80)),
    Column("beat", Big, nullable=False, default=0),
    Column("share", sa.Double),
    Column("error", sa.Text),
    Column("result", sa.Text),
    Index("evaluations_queue", "state", "number"),
    Index("evaluations_same", "run", "digest"),
    Index("evaluations_created", "created_at"),
    sqlite_autoincrement=True,
)

Table(
    "starts",
    METADATA,
    Column("digest", sa.String(64), primary_key=True),
    Column("created_at", sa.Double, nullable=False),
    Column("size_bytes", sa.Integer, nullable=False),
    Column("content", sa.LargeBinary, nullable=False),
)

Table(
    "studies",
    METADATA,
    Column("number", Big, primary_key=True, autoincrement=True),
    Column("id", sa.String(32), nullable=False, unique=True),
    Column("name", sa.String(40), nullable=False),
    Column("scale", sa.String(16), nullable=False),
    Column("spec", sa.Text, nullable=False),
    Column("owner", sa.String(64), nullable=False),
    Column("created_at", sa.Double, nullable=False),
    Column("cancelled", sa.Boolean, nullable=False, default=False),
    Index("studies_name", "name", "scale", "number"),
    sqlite_autoincrement=True,
)

Table(
    "study_members",
    METADATA,
    Column("study", Big, ForeignKey("studies.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("place", sa.Integer, primary_key=True, autoincrement=False),
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), nullable=False),
    Index("members_run", "run"),
)

Table(
    "workers",
    METADATA,
    Column("name", sa.String(80), primary_key=True),
    Column("host", sa.String(255), nullable=False),
    Column("boot", sa.String(120)),
    Column("pid", Big, nullable=False),
    Column("born", sa.String(40)),
    Column("slots", sa.Integer, nullable=False),
    Column("started_at", sa.Double, nullable=False),
    Column("heard_at", sa.Double, nullable=False),
)

Table(
    "machines",
    METADATA,
    Column("worker", sa.String(80), ForeignKey("workers.name", ondelete="CASCADE"), primary_key=True),
    Column("processor", sa.String(200), nullable=False),
    Column("cores", sa.Integer, nullable=False),
    Column("load", sa.Double),
    Column("memory_bytes", Big),
    Column("disk_bytes", Big),
    Column("disk_free_bytes", Big),
)


def upgrade() -> None:
    METADATA.create_all(op.get_bind())
