"""A consistent copy of a database as one SQLite file, and the way back. The file is the same for SQLite and PostgreSQL,
so a backup of one can be restored into the other."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from jobs.store.database import Database, open_database
from jobs.store.schema import HEAD, NOTHING, WrongSchema, make, migrate, revision
from jobs.store.tables import METADATA, RUNS, SCHEMA, WORKERS

AT_ONCE, LARGE_AT_ONCE = 200, 8
"""Rows that are in memory at once; rows of tables with large content."""


class Damaged(ValueError):
    """A copy is not what it should be; the message says why."""


def copy_out(database: Database, file: Path) -> None:
    """Write all rows as of one moment to a new SQLite `file`, while others go on writing. No worker lives in it.

    Raises OSError, DBAPIError, and WrongSchema for PostgreSQL with the tables of another version.
    """
    try:
        if database.file is None:
            _rows_out(database, file)
        else:
            with closing(sqlite3.connect(database.file)) as source, closing(sqlite3.connect(file)) as target:
                source.backup(target)
        with closing(sqlite3.connect(file, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without another one beside it
            copy.execute("PRAGMA secure_delete = ON")
            copy.execute(f"DELETE FROM {WORKERS.name}")
    except sqlite3.Error as error:
        raise OSError(f"cannot copy the database to {file}: {error}") from error


def check(file: Path) -> None:
    """Raise Damaged if `file` is not a whole SQLite database."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            said = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise Damaged(f"the database in it is damaged: {said}")


def copy_in(file: Path, target: Database) -> None:
    """Put the rows of `file`, which copy_out wrote, into the empty database `target`. Changes `file`: an older schema
    is brought up to date first. Raises Damaged, WrongSchema, OSError and DBAPIError."""
    check(file)
    source = open_database(f"sqlite:///{file}")
    try:
        migrate(source)
        if target.file is None:
            _rows_in(source, target)
    finally:
        source.close()
    if target.file is not None:
        with closing(sqlite3.connect(file)) as copy:
            copy.execute("PRAGMA journal_mode = DELETE")
        file.replace(target.file)


def refuse_full(database: Database) -> str | None:
    """Why nothing can be restored into `database`; None if it is empty."""
    if database.file is not None:
        return f"{database.file} already exists" if database.file.exists() else None
    with database.reading() as connection:
        found = revision(connection)
        if found == NOTHING:
            return None
        if found == HEAD and not connection.scalar(sa.select(sa.func.count()).select_from(RUNS)):
            return None
    return f"the database {database.address} is not empty"


def _rows_out(database: Database, file: Path) -> None:
    reading = database.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    copy = open_database(f"sqlite:///{file}")
    try:
        with reading.connect() as source, copy.alone() as target:
            if (found := revision(source)) != HEAD:
                raise WrongSchema(
                    f"the database has schema {found}, this program {HEAD}; back it up with the version that made it"
                )
            make(target)
            _copy(source, target)
    finally:
        copy.close()


def _rows_in(source: Database, target: Database) -> None:
    with source.reading() as rows, target.alone() as connection:
        if revision(connection) == NOTHING:
            make(connection)
        for table in reversed(METADATA.sorted_tables):
            if table is not SCHEMA:
                connection.execute(sa.delete(table))
        _copy(rows, connection)
        for table in METADATA.sorted_tables:
            for column in table.primary_key:
                if column.autoincrement is True:
                    _count_on(connection, table, column.name)


def _copy(source: Connection, target: Connection) -> None:
    for table in METADATA.sorted_tables:
        if table is SCHEMA:
            continue
        large = any(isinstance(column.type, sa.LargeBinary) and column.name == "content" for column in table.columns)
        at_once = LARGE_AT_ONCE if large else AT_ONCE
        rows = source.execution_options(yield_per=at_once).execute(sa.select(table)).mappings()
        for part in rows.partitions(at_once):
            target.execute(sa.insert(table), [dict(row) for row in part])


def _count_on(connection: Connection, table: sa.Table, column: str) -> None:
    """Let the next row get a number after the largest one."""
    largest = sa.select(sa.func.max(table.c[column])).scalar_subquery()
    sequence = sa.func.pg_get_serial_sequence(table.name, column)
    if connection.scalar(sa.select(largest)) is not None and connection.scalar(sa.select(sequence)):
        connection.execute(sa.select(sa.func.setval(sequence, largest)))


def remove(file: Path) -> None:
    """Remove a copy, and what SQLite may have left beside it."""
    for end in ("", "-wal", "-shm", "-journal"):
        with suppress(OSError):
            Path(f"{file}{end}").unlink()
