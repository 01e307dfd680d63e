"""Opens the database: SQLite set up to survive power loss and many threads, or PostgreSQL. No tables, no statements."""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

BUSY_TIMEOUT_S = 10.0
WRITES = "onlybn_writes"
"""Execution option of an engine whose transactions write; see `_begin`."""


def open_engine(url: str) -> Engine:
    """An engine for `url`: sqlite:///FILE, postgresql://... or postgres://...

    It may be used by many threads and survives a fork. Raises ValueError for a URL that cannot be used.
    """
    try:
        target = _with_driver(make_url(url))
        if target.get_backend_name() == "sqlite":
            return _safe_to_fork(_open_sqlite(target))
        return _safe_to_fork(
            create_engine(
                target, pool_pre_ping=True, pool_size=10, max_overflow=20, connect_args={"connect_timeout": 10}
            )
        )
    except (ArgumentError, NoSuchModuleError) as error:
        raise ValueError(
            f"ONLYBN_DATABASE_URL must be sqlite:///FILE or postgresql://USER@HOST/DATABASE: {error}"
        ) from error
    except ModuleNotFoundError as error:
        raise ValueError(
            f"PostgreSQL needs a package that is missing ({error.name}): pip install 'psycopg[binary]'"
        ) from error


def describe(engine: Engine) -> str:
    """The database in words for a log, without its password."""
    return engine.url.render_as_string(hide_password=True)


def may_pass(error: DBAPIError) -> bool:
    """Whether trying again can help: server away, file locked, disk full; but not if the statement is at fault."""
    return error.connection_invalidated or type(error).__name__ in ("OperationalError", "InterfaceError")


def _with_driver(url: URL) -> URL:
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise ArgumentError(f"{url.drivername} is not supported")
    return url


def _open_sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ArgumentError("SQLite needs a file, because several processes share it")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=10, max_overflow=20, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so, not where the driver guesses
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
    _use_wal(cursor)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _use_wal(cursor: sqlite3.Cursor) -> None:
    """Several processes may open a new file at once; the switch to WAL then fails at once instead of waiting."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin(connection: Connection) -> None:
    """A transaction that writes takes the lock at its start: one that reads first could not upgrade under WAL."""
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _safe_to_fork(engine: Engine) -> Engine:
    if hasattr(os, "register_at_fork"):
        reference = weakref.ref(engine)

        def forget_connections() -> None:
            if (inherited := reference()) is not None:
                inherited.dispose(close=False)

        os.register_at_fork(after_in_child=forget_connections)
    return engine
