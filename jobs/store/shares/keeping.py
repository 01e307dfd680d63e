"""Statements about what is kept: runs that are too old, and runs that make room. Pinned runs and examples always stay.

An evicted run keeps its row, result, findings and log, and loses its curves, snapshots and trained network.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from jobs.store import curves
from jobs.store.artefacts.tables import ARTEFACTS
from jobs.store.database import Database
from jobs.store.records import TERMINAL, State
from jobs.store.shares import flags
from jobs.store.shares.tables import ASKED
from jobs.store.tables import CAPSULES, LOG, MEMBERS, POINTS, RUNS, SNAPSHOTS, SPEEDS, STUDIES

HEAVY = (POINTS, SNAPSHOTS, SPEEDS, CAPSULES, ARTEFACTS)
EVICTED = "Its curves, snapshots and trained network were deleted to make room for newer runs."
DROPPED = "Its trained network was deleted: it was {size} MB, more than this server keeps by default."
LAST = "last eviction"
AT_ONCE = 500
"""How many runs a statement names."""
PAGES_AT_ONCE = 2000
"""How many pages of an SQLite file are given back at once: some milliseconds of its lock."""
FREE_SHARE = 0.25
"""From which share of free pages on an SQLite file of an older version is rewritten."""


@dataclass(frozen=True, slots=True)
class Eviction:
    """When runs last made room, and how many did then."""

    at: float
    runs: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What matters of a run for its folder. Times are Unix seconds."""

    state: State
    finished_at: float | None
    evicted_at: float | None
    disk_bytes: int


@dataclass(eq=False)
class Keeping:
    """What is kept, and what must go. `now` is in Unix seconds."""

    database: Database

    def expire(self, now: float, finished_s: float, failed_s: float) -> list[str]:
        """Delete the runs that ended more than so many seconds ago (0: never), with all that belongs to them.

        Those that an unfinished study needs stay. Returns their ids.
        """
        old = []
        if finished_s:
            old.append((RUNS.c.state == "finished") & (RUNS.c.finished_at < now - finished_s))
        if failed_s:
            old.append(RUNS.c.state.in_(("failed", "cancelled")) & (RUNS.c.finished_at < now - failed_s))
        if not old:
            return []
        gone = sa.select(RUNS.c.number).where(sa.or_(*old), *_mortal(), ~_needed())
        with self.database.reading() as connection:
            numbers = list(connection.scalars(gone))
        deleted: list[str] = []
        for first in range(0, len(numbers), AT_ONCE):
            some = RUNS.c.number.in_(numbers[first : first + AT_ONCE])
            with self.database.writing() as connection:  # it may have been resumed or pinned meanwhile
                statement = sa.delete(RUNS).where(some, sa.or_(*old), *_mortal()).returning(RUNS.c.id)
                deleted += connection.scalars(statement)
        with self.database.writing() as connection:
            connection.execute(sa.delete(STUDIES).where(~sa.exists().where(MEMBERS.c.study == STUDIES.c.number)))
            connection.execute(sa.delete(ASKED).where(ASKED.c.at < now - 86400))
        return deleted

    def oldest(self, limit: int) -> list[str]:
        """The ids of the runs that would make room first: those that ended first."""
        c = RUNS.c
        first = sa.select(c.id).where(c.state.in_(TERMINAL), c.evicted_at.is_(None), *_mortal(), ~_needed())
        with self.database.reading() as connection:
            return list(connection.scalars(first.order_by(c.finished_at, c.number).limit(limit)))

    def evict(self, run_ids: list[str], now: float) -> list[str]:
        """Delete what is large of these runs, as far as they have ended. Returns the ids of those."""
        c = RUNS.c
        chosen = sa.select(c.number, c.id, c.attempt).where(
            c.id.in_(run_ids), c.state.in_(TERMINAL), c.evicted_at.is_(None), *_mortal()
        )
        with self.database.writing() as connection:
            rows = connection.execute(chosen.order_by(c.number).with_for_update()).all()
            numbers = [row.number for row in rows]
            for table in HEAVY:
                connection.execute(sa.delete(table).where(table.c.run.in_(numbers)))
            gone = {"evicted_at": now, "disk_bytes": 0, "started": None, "checkpoint_step": None}
            connection.execute(sa.update(RUNS).where(c.number.in_(numbers)).values(gone))
            for row in rows:
                curves.insert_log(connection, row.number, row.attempt, "warning", EVICTED)
            if rows:
                flags.put(connection, LAST, json.dumps(asdict(Eviction(now, len(rows)))))
        return [row.id for row in rows]

    def forget(self, limit: int) -> list[str]:
        """Delete the oldest evicted runs for good. Returns their ids."""
        c = RUNS.c
        first = sa.select(c.number).where(c.evicted_at.is_not(None), c.state.in_(TERMINAL), *_mortal(), ~_needed())
        first = first.order_by(c.finished_at, c.number).limit(limit)
        with self.database.writing() as connection:
            return list(connection.scalars(sa.delete(RUNS).where(c.number.in_(first)).returning(c.id)))

    def standing(self, run_ids: Sequence[str]) -> dict[str, Standing]:
        """How those of `run_ids` stand that exist, also removed ones and such that cannot be read."""
        c = RUNS.c
        there: dict[str, Standing] = {}
        with self.database.reading() as connection:
            for first in range(0, len(run_ids), AT_ONCE):
                some = sa.select(c.id, c.state, c.finished_at, c.evicted_at, c.disk_bytes)
                for run_id, *row in connection.execute(some.where(c.id.in_(run_ids[first : first + AT_ONCE]))):
                    there[run_id] = Standing(*row)
        return there

    def last_eviction(self) -> Eviction | None:
        """When runs last made room; None: never."""
        with self.database.reading() as connection:
            said = flags.get(connection, LAST)
        return Eviction(**json.loads(said)) if said else None

    def unasked(self, run_ids: list[str]) -> set[str]:
        """Those of `run_ids` that have finished, and whose trained network nobody asked to keep."""
        if not run_ids:
            return set()
        c = RUNS.c
        there = sa.select(c.id).where(c.id.in_(run_ids), c.state == "finished", ~c.keeps, *_mortal())
        with self.database.reading() as connection:
            return set(connection.scalars(there))

    def say_dropped(self, run_id: str, size_bytes: int) -> None:
        """Record, and say in the log of the run once, that its trained network of `size_bytes` is gone."""
        words = DROPPED.format(size=f"{size_bytes / 1e6:,.1f}")
        said = sa.exists().where(LOG.c.run == RUNS.c.number, LOG.c.message == words)
        with self.database.writing() as connection:
            row = connection.execute(sa.select(RUNS.c.number, RUNS.c.attempt).where(RUNS.c.id == run_id, ~said)).first()
            if row:
                curves.insert_log(connection, row.number, row.attempt, "warning", words)
                dropped = sa.update(RUNS).where(RUNS.c.number == row.number)
                connection.execute(dropped.values(dropped_at=time.time()))

    def measure(self, sizes: dict[str, int]) -> None:
        """Record how many bytes the folders of runs have that have ended, in place of what was expected."""
        if not sizes:
            return
        with self.database.writing() as connection:
            for run_id, size in sizes.items():
                mine = sa.update(RUNS).where(RUNS.c.id == run_id, RUNS.c.state.in_(TERMINAL))
                connection.execute(mine.values(disk_bytes=size))

    def give_back(self) -> None:
        """Let an SQLite file shrink by what was deleted. PostgreSQL does so by itself."""
        if self.database.file is None:
            return
        with self.database.engine.connect() as connection:
            lite = connection.connection.driver_connection
            assert isinstance(lite, sqlite3.Connection)
            if _pragma(lite, "auto_vacuum") == 2:
                while (free := _pragma(lite, "freelist_count")) > 0:
                    lite.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
                    if _pragma(lite, "freelist_count") >= free:
                        break
            elif _pragma(lite, "freelist_count") > FREE_SHARE * _pragma(lite, "page_count"):
                lite.execute("PRAGMA auto_vacuum = INCREMENTAL")
                lite.execute("VACUUM")
            lite.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _pragma(lite: sqlite3.Connection, name: str) -> int:
    return int(lite.execute(f"PRAGMA {name}").fetchone()[0])


def _mortal() -> list[ColumnElement[bool]]:
    """The conditions under which something of a run may be deleted."""
    return [~RUNS.c.pinned, RUNS.c.example.is_(None)]


def _needed() -> ColumnElement[bool]:
    """The condition that an unfinished study needs the run."""
    others, pending = MEMBERS.alias("others"), RUNS.alias("pending")
    return sa.exists().where(
        MEMBERS.c.run == RUNS.c.number,
        STUDIES.c.number == MEMBERS.c.study,
        ~STUDIES.c.cancelled,
        others.c.study == MEMBERS.c.study,
        pending.c.number == others.c.run,
        pending.c.state.in_(("queued", "running")),
    )
