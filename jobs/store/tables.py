"""The tables: runs and all that belongs to them, evaluations, studies, and the workers. Statements are elsewhere.

A change here needs a revision in `migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_type_hints

import sqlalchemy as sa
from sqlalchemy import Column, ColumnElement, ForeignKey, FromClause, Index, MetaData, Table

from core.run.events import Point, Split

METADATA = MetaData()
Big = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up by itself in INTEGER only

_ONLY = Column("only", sa.Integer, primary_key=True, autoincrement=False)
SCHEMA = Table("schema_version", METADATA, _ONLY, Column("version", sa.Integer, nullable=False))
"""Always 4: it tells programs from before the migrations that this database is not for them."""

# For indexes of the few rows that have a value.
_REMOVED, _EXAMPLE = sa.text("removed_at IS NOT NULL"), sa.text("example IS NOT NULL")

RUNS = Table(
    "runs",
    METADATA,
    Column("number", Big, primary_key=True, autoincrement=True),  # the order of the queue; free of clocks
    Column("id", sa.String(32), nullable=False, unique=True),
    Column("owner", sa.String(64), nullable=False),  # SHA-256 of the owner's token
    Column("spec", sa.Text, nullable=False),
    Column("digest", sa.String(64), nullable=False),  # of the spec: equal digests, equal results
    Column("priority", sa.Integer, nullable=False, default=0),  # lower is served first
    # What lists filter and sort by, copied out of the spec.
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
    # The lease: `attempt` is the fencing token, `beat` rises with every sign of life of its holder.
    Column("attempt", sa.Integer, nullable=False, default=0),
    Column("worker", sa.String(80)),
    Column("beat", Big, nullable=False, default=0),
    # Troubles in a row: how often its trainer crashed and its worker was lost since checkpoint `trouble_step`.
    Column("crashes", sa.Integer, nullable=False, default=0),
    Column("losses", sa.Integer, nullable=False, default=0),
    Column("trouble_step", sa.Integer),
    # After a crash: when it may be taken again, by the database's clock, and the worker that should leave it to others.
    Column("not_before", sa.Double),
    Column("shunned", sa.String(80)),
    # Its progress.
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
    Column("started", sa.Text),  # the longest column comes after those usually set: SQLite reads a row from its front
    # The number of the run whose place in the queue this run has; empty: its own.
    Column("place", Big),
    # The memory that its trainer uses.
    Column("memory_bytes", Big),
    Column("peak_bytes", Big),
    Column("gpu_bytes", Big),
    Column("gpu_peak_bytes", Big),
    Column("removed_at", sa.Double),  # by the database's clock
    # Who asked for it: hashes of the token of a browser and of a network address; empty: unknown.
    Column("visitor", sa.String(64)),
    Column("address", sa.String(64)),
    # What it was expected to cost, and its turn among the runs of its priority: `shares/turns.py`.
    Column("price_s", sa.Double, nullable=False, default=0.0),
    Column("disk_bytes", Big, nullable=False, default=0),
    Column("turn", sa.Double, nullable=False, default=0.0),
    # Whether its trained network is kept whatever its size, whether nothing of it is ever deleted, and when its curves
    # and files were.
    Column("keeps", sa.Boolean, nullable=False, default=False),
    Column("pinned", sa.Boolean, nullable=False, default=False),
    Column("evicted_at", sa.Double),
    Column("dropped_at", sa.Double),  # its trained network only
    # Of a run that came with the project: the name of its files, what it shows, and the machine that trained it.
    Column("example", sa.String(60)),
    Column("example_shows", sa.Text),
    Column("example_machine", sa.Text),
    # What its owner says about it (labels/labels.py), and the question of the first page that it was launched for.
    Column("note", sa.Text),
    Column("tags", sa.Text),
    Column("question", sa.String(40)),
    Column("room", sa.String(32)),  # the id of the room that it belongs to
    Column("label", sa.String(32)),  # only a worker with this label may take it
    Index("runs_queue", "state", "priority", "turn", "number"),
    Index("runs_visitor", "visitor", "state"),
    Index("runs_address", "address", "state"),
    Index("runs_digest", "digest"),
    Index("runs_finished", "state", "finished_at"),
    Index("runs_created", "created_at"),
    Index("runs_policy", "policy", "created_at"),
    Index("runs_architecture", "architecture", "created_at"),
    Index("runs_dataset", "dataset", "created_at"),
    Index("runs_room", "room"),
    Index("runs_removed", "removed_at", sqlite_where=_REMOVED, postgresql_where=_REMOVED),
    Index("runs_example", "example", unique=True, sqlite_where=_EXAMPLE, postgresql_where=_EXAMPLE),
    sqlite_autoincrement=True,
)


def place_of(runs: FromClause = RUNS) -> ColumnElement[int]:
    """Where a run of `runs` (the table, or an alias of it) stands among those of its priority and its turn."""
    return sa.func.coalesce(runs.c.place, runs.c.number)


QUEUE = (RUNS.c.priority, RUNS.c.turn, place_of())
"""The order in which runs are served."""


def _belongs_to_run() -> Column[int]:
    return Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), nullable=False)


def _measured() -> Iterator[Column[Any]]:
    """A column for each quantity of a point. One more needs a migration, too."""
    kinds: dict[object, Any] = {int: sa.Integer, float: sa.Double, float | None: sa.Double, Split: sa.String(5)}
    for name, kind in get_type_hints(Point).items():
        yield Column(name, kinds[kind], nullable=kind == float | None)


POINTS = Table(
    "points",
    METADATA,
    Column("id", Big, primary_key=True, autoincrement=True),
    _belongs_to_run(),
    *_measured(),
    Index("points_once", "run", "split", "step", unique=True),
    Index("points_cursor", "run", "id"),
    sqlite_autoincrement=True,  # the id of a deleted row must not come back: ids are cursors
)

SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("id", Big, primary_key=True, autoincrement=True),
    _belongs_to_run(),
    Column("step", sa.Integer, nullable=False),
    Column("epoch", sa.Double, nullable=False),
    Column("kept", sa.Boolean, nullable=False),  # false: only until a newer one comes
    Column("gamma", sa.Text, nullable=False),  # JSON: counts summed over the layers
    Column("beta", sa.Text, nullable=False),
    Column("disabled", sa.Text, nullable=False),  # JSON: disabled features per layer
    Column("detail", sa.LargeBinary, nullable=False),  # zlib of the whole event as JSON
    Index("snapshots_once", "run", "step", unique=True),
    Index("snapshots_cursor", "run", "id"),
    sqlite_autoincrement=True,
)

SPEEDS = Table(
    "speeds",
    METADATA,
    Column("id", Big, primary_key=True, autoincrement=True),
    _belongs_to_run(),
    Column("part", sa.Integer, nullable=False),  # which of the run's equally long parts it was measured in
    Column("step", sa.Integer, nullable=False),
    Column("images_per_s", sa.Double, nullable=False),
    Index("speeds_once", "run", "part", unique=True),
    Index("speeds_cursor", "run", "id"),
    sqlite_autoincrement=True,
)

LOG = Table(
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

FINDINGS = Table(
    "findings",
    METADATA,
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("detail", sa.LargeBinary, nullable=False),  # zlib of the JSON
)

CAPSULES = Table(
    "capsules",
    METADATA,
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("content", sa.LargeBinary, nullable=False),
)

EXAMPLES = Table("examples", METADATA, Column("name", sa.String(60), primary_key=True))
"""The names of all examples ever stored here, also of removed ones, which are not stored again."""

EVALUATIONS = Table(
    "evaluations",
    METADATA,
    Column("number", Big, primary_key=True, autoincrement=True),  # the order in which they are served
    Column("id", sa.String(32), nullable=False, unique=True),
    _belongs_to_run(),
    Column("digest", sa.String(64), nullable=False),  # of the request, to deduplicate it
    Column("request", sa.Text, nullable=False),
    Column("state", sa.String(16), nullable=False),
    Column("created_at", sa.Double, nullable=False),
    Column("started_at", sa.Double),
    Column("finished_at", sa.Double),
    Column("attempt", sa.Integer, nullable=False, default=0),  # the fencing token, as of runs
    Column("worker", sa.String(80)),
    Column("beat", Big, nullable=False, default=0),
    Column("share", sa.Double),
    Column("error", sa.Text),
    Column("result", sa.Text),
    Column("visitor", sa.String(64)),  # as of runs
    Column("address", sa.String(64)),
    Index("evaluations_queue", "state", "number"),
    Index("evaluations_same", "run", "digest"),
    Index("evaluations_created", "created_at"),
    sqlite_autoincrement=True,
)

STARTS = Table(
    "starts",
    METADATA,
    Column("digest", sa.String(64), primary_key=True),  # SHA-256 of the content
    Column("created_at", sa.Double, nullable=False),
    Column("size_bytes", sa.Integer, nullable=False),
    Column("content", sa.LargeBinary, nullable=False),
    Column("visitor", sa.String(64)),  # who uploaded it first
    Column("address", sa.String(64)),
)

STUDIES = Table(
    "studies",
    METADATA,
    Column("number", Big, primary_key=True, autoincrement=True),
    Column("id", sa.String(32), nullable=False, unique=True),
    Column("name", sa.String(40), nullable=False),
    Column("scale", sa.String(16), nullable=False),
    Column("spec", sa.Text, nullable=False),
    Column("owner", sa.String(64), nullable=False),  # SHA-256 of the owner's token
    Column("created_at", sa.Double, nullable=False),
    Column("cancelled", sa.Boolean, nullable=False, default=False),
    Column("visitor", sa.String(64)),
    Column("address", sa.String(64)),
    Column("label", sa.String(32)),  # of its runs
    Index("studies_name", "name", "scale", "number"),
    sqlite_autoincrement=True,
)

MEMBERS = Table(
    "study_members",
    METADATA,
    Column("study", Big, ForeignKey("studies.number", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("place", sa.Integer, primary_key=True, autoincrement=False),  # in the order of the study's members
    Column("run", Big, ForeignKey("runs.number", ondelete="CASCADE"), nullable=False),
    Index("members_run", "run"),
)

WORKERS = Table(
    "workers",
    METADATA,
    Column("name", sa.String(80), primary_key=True),
    # Who it is: enough to tell on the same host whether it still lives.
    Column("host", sa.String(255), nullable=False),
    Column("boot", sa.String(120)),
    Column("pid", Big, nullable=False),
    Column("born", sa.String(40)),
    Column("slots", sa.Integer, nullable=False),
    Column("started_at", sa.Double, nullable=False),
    Column("heard_at", sa.Double, nullable=False),  # by the database's clock
    Column("processor", sa.String(200)),
    Column("cores", sa.Integer),
    Column("load", sa.Double),
    Column("memory_bytes", Big),
    Column("disk_bytes", Big),
    Column("disk_free_bytes", Big),
    # What is wrong with it: why it takes no runs; what works worse than usual; the data sets that it lacks, as JSON.
    Column("trouble", sa.Text),
    Column("note", sa.Text),
    Column("lacks", sa.Text),
    Column("labels", sa.Text),  # with a space before and after each
)
