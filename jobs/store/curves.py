"""What belongs to a run: points, speeds, snapshots and log. `Curves` reads; the functions work on a connection."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from core.run.cost import keeps_snapshot
from core.run.events import Distribution, Point, Progress, Snapshot, Split
from core.run.spec import RunSpec
from jobs.store.database import Database
from jobs.store.mapping import read_run, select_run
from jobs.store.records import Delta, LogKind, LogRow, StoredSnapshot, StoredSpeed
from jobs.store.tables import LOG, POINTS, RUNS, SNAPSHOTS, SPEEDS

SPEED_PARTS = 500
"""Of the speeds that a run says every second one remains for each of so many parts of its steps."""
COMPRESSION = 3  # a third of the time of level 6 for a tenth more bytes


@dataclass(eq=False)
class Curves:
    """Reads what a run has measured so far."""

    database: Database

    def delta(self, run_id: str, points_after: int, snapshots_after: int, speeds_after: int) -> Delta | None:
        """The run with its rows behind three cursors. The run first: of one seen as ended, all rows are there.

        Raises UnreadableRun.
        """
        with self.database.reading() as connection:
            row = connection.execute(select_run(), {"id": run_id}).first()
            if row is None:
                return None
            return Delta(
                read_run(row),
                select_points(connection, run_id, points_after, None),
                select_snapshots(connection, run_id, snapshots_after),
                select_speeds(connection, run_id, speeds_after),
                select_log(connection, run_id, 0),
            )

    def points(self, run_id: str) -> list[Point]:
        """The points of the curves, in the order in which they came."""
        return [point for page in self.pages(run_id) for point in page]

    def pages(self, run_id: str, size: int = 5000) -> Iterator[list[Point]]:
        """The same, at most `size` at a time."""
        after = 0
        while True:
            with self.database.reading() as connection:
                rows = select_points(connection, run_id, after, size)
            if not rows:
                return
            yield [point for _, point in rows]
            after = rows[-1][0]

    def tests(self, run_id: str) -> list[Point]:
        """The points of the test set alone: of a long run a few beside tens of thousands of train points."""
        with self.database.reading() as connection:
            return select_split(connection, run_id, "test")

    def speeds(self, run_id: str, after: int = 0) -> list[StoredSpeed]:
        """How fast the run trained, stored after cursor `after`."""
        with self.database.reading() as connection:
            return select_speeds(connection, run_id, after)

    def snapshots(self, run_id: str, after: int = 0) -> list[StoredSnapshot]:
        """The snapshots stored after cursor `after`, without their layers."""
        with self.database.reading() as connection:
            return select_snapshots(connection, run_id, after)

    def newest_disabled(self, run_ids: Collection[str]) -> dict[str, list[int]]:
        """The disabled features of each norm layer in the newest snapshot, by run; without runs that have none."""
        if not run_ids:
            return {}
        with self.database.reading() as connection:
            rows = connection.execute(_NEWEST_DISABLED, {"ids": list(run_ids)})
            return {row.id: json.loads(row.disabled) for row in rows}

    def snapshot_at(self, run_id: str, step: int) -> Snapshot | None:
        """The newest whole snapshot at or before `step`."""
        with self.database.reading() as connection:
            return select_detail_at(connection, run_id, step)

    def details(self, run_id: str, steps: Collection[int] | None = None) -> list[Snapshot]:
        """Whole snapshots, all or those at `steps`."""
        with self.database.reading() as connection:
            return select_details(connection, run_id, steps)


def number_of(run_id: str) -> sa.ScalarSelect[int]:
    """The number of run `run_id`, as a part of a statement."""
    return sa.select(RUNS.c.number).where(RUNS.c.id == run_id).scalar_subquery()


def insert_points(connection: Connection, run: int, points: Sequence[Point]) -> None:
    """A point that is already there stays as it was: a resumed training says some of them again."""
    if not points:
        return
    rows = [{"run": run, **point._asdict()} for point in points]
    _insert_new(connection, POINTS, ("run", "split", "step"), rows)


def delete_beyond(connection: Connection, run: int, step: int | None) -> None:
    """Delete what was measured after `step`; None: all. The attempt that resumes at `step` measures it anew."""
    for table in (POINTS, SNAPSHOTS, SPEEDS):
        beyond = sa.true() if step is None else table.c.step > step
        connection.execute(sa.delete(table).where(table.c.run == run, beyond))


def insert_speed(connection: Connection, run: int, progress: Progress) -> None:
    """The first speed that is said in a part of the run stays."""
    if progress.images_per_s <= 0 or progress.step < 1:
        return
    part = min(SPEED_PARTS - 1, progress.step * SPEED_PARTS // max(1, progress.total_steps))
    row = {"run": run, "part": part, "step": progress.step, "images_per_s": progress.images_per_s}
    _insert_new(connection, SPEEDS, ("run", "part"), [row])


def insert_snapshots(connection: Connection, run: int, spec: RunSpec, snapshots: Iterable[Snapshot]) -> None:
    """Store those that are newer than what is there. Of the old ones only those that the run keeps remain.

    So the newest is always there to be watched, and a finished run has the same snapshots whether or not it was
    stopped in between.
    """
    newest = connection.scalar(sa.select(sa.func.max(SNAPSHOTS.c.step)).where(SNAPSHOTS.c.run == run))
    fresh: list[Snapshot] = []
    for snapshot in snapshots:
        if newest is None or snapshot.step > newest:
            fresh.append(snapshot)
            newest = snapshot.step
    if not fresh:
        return
    connection.execute(sa.delete(SNAPSHOTS).where(SNAPSHOTS.c.run == run, ~SNAPSHOTS.c.kept))
    marked = [(snapshot, keeps_snapshot(spec, snapshot.step)) for snapshot in fresh]
    rows = [
        {
            "run": run,
            "step": snapshot.step,
            "epoch": snapshot.epoch,
            "kept": keep,
            "gamma": _summed(snapshot.gamma),
            "beta": _summed(snapshot.beta),
            "disabled": json.dumps(snapshot.disabled),
            "detail": zlib.compress(snapshot.model_dump_json().encode(), COMPRESSION),
        }
        for snapshot, keep in marked
        if keep or snapshot is fresh[-1]
    ]
    connection.execute(sa.insert(SNAPSHOTS), rows)


def insert_log(connection: Connection, run: int, attempt: int, kind: LogKind, message: str) -> None:
    """Of checkpoints only the newest is told."""
    if kind == "checkpoint":
        connection.execute(sa.delete(LOG).where(LOG.c.run == run, LOG.c.kind == kind))
    row = {"run": run, "at": time.time(), "attempt": attempt, "kind": kind, "message": message}
    connection.execute(sa.insert(LOG), row)


def select_points(connection: Connection, run_id: str, after: int, limit: int | None) -> list[tuple[int, Point]]:
    """Points with their cursors, after which the next question starts."""
    statement = _POINTS if limit is None else _POINTS.limit(limit)
    rows = connection.execute(statement, {"of": run_id, "after": after})
    return [(cursor, Point(*point)) for cursor, *point in rows]


def select_split(connection: Connection, run_id: str, split: Split) -> list[Point]:
    return [Point(*row) for row in connection.execute(_SPLIT, {"of": run_id, "split": split})]


def select_speeds(connection: Connection, run_id: str, after: int) -> list[StoredSpeed]:
    return [StoredSpeed(*row) for row in connection.execute(_SPEEDS, {"of": run_id, "after": after})]


def select_snapshots(connection: Connection, run_id: str, after: int) -> list[StoredSnapshot]:
    return [
        StoredSnapshot(row.id, row.step, row.epoch, *map(json.loads, (row.gamma, row.beta, row.disabled)))
        for row in connection.execute(_SNAPSHOTS, {"of": run_id, "after": after})
    ]


def select_details(connection: Connection, run_id: str, steps: Collection[int] | None) -> list[Snapshot]:
    statement = _DETAILS if steps is None else _DETAILS.where(SNAPSHOTS.c.step.in_(steps))
    blobs = connection.scalars(statement, {"of": run_id, "after": 0})
    return [Snapshot.model_validate_json(zlib.decompress(blob)) for blob in blobs]


def select_detail_at(connection: Connection, run_id: str, step: int) -> Snapshot | None:
    """The newest whole snapshot at or before `step`."""
    c = SNAPSHOTS.c
    statement = sa.select(c.detail).where(c.run == number_of(run_id), c.step <= step).order_by(c.step.desc()).limit(1)
    blob = connection.scalar(statement)
    return None if blob is None else Snapshot.model_validate_json(zlib.decompress(blob))


def select_log(connection: Connection, run_id: str, after: int) -> list[LogRow]:
    return [LogRow(*row) for row in connection.execute(_LOG, {"of": run_id, "after": after})]


def _insert_new(connection: Connection, table: sa.Table, once: Sequence[str], rows: list[dict[str, Any]]) -> None:
    """Insert those of `rows` that differ from all that are there in the columns `once`."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(table).on_conflict_do_nothing(index_elements=list(once)), rows)


def _newer(table: sa.Table, *columns: str) -> sa.Select[Any]:
    """`columns` of the rows of run `of` behind cursor `after`. Made once, as the feed asks it all the time."""
    run = sa.select(RUNS.c.number).where(RUNS.c.id == sa.bindparam("of")).scalar_subquery()
    found = sa.select(*(table.c[name] for name in columns))
    return found.where(table.c.run == run, table.c.id > sa.bindparam("after")).order_by(table.c.id)


def _of_split() -> sa.Select[Any]:
    """The points of one split by their steps: with a cursor in it, SQLite would look at the other split's, too."""
    c = POINTS.c
    found = sa.select(*(c[name] for name in Point._fields))
    run = sa.select(RUNS.c.number).where(RUNS.c.id == sa.bindparam("of")).scalar_subquery()
    return found.where(c.run == run, c.split == sa.bindparam("split")).order_by(c.step)


def _newest_disabled() -> sa.Select[Any]:
    """Of each of the runs `ids`, by the index on run and step."""
    other = SNAPSHOTS.alias()
    newest = sa.select(sa.func.max(other.c.step)).where(other.c.run == RUNS.c.number).scalar_subquery()
    found = sa.select(RUNS.c.id, SNAPSHOTS.c.disabled).join(SNAPSHOTS, SNAPSHOTS.c.run == RUNS.c.number)
    return found.where(RUNS.c.id.in_(sa.bindparam("ids", expanding=True)), SNAPSHOTS.c.step == newest)


_POINTS = _newer(POINTS, "id", *Point._fields)
_SPLIT = _of_split()
_SNAPSHOTS = _newer(SNAPSHOTS, "id", "step", "epoch", "gamma", "beta", "disabled")
_DETAILS = _newer(SNAPSHOTS, "detail")
_NEWEST_DISABLED = _newest_disabled()
_LOG = _newer(LOG, "id", "at", "attempt", "kind", "message")
_SPEEDS = _newer(SPEEDS, "id", "step", "images_per_s")


def _summed(distribution: Distribution) -> str:
    """The counts of all layers together, as JSON."""
    return json.dumps([sum(column) for column in zip(*distribution.counts, strict=True)])
