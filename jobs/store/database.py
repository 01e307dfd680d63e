"""The database: SQLite set up to survive power loss and many threads, or PostgreSQL; its transactions and its clock.

Its tables are in `tables.py`, the statements in the parts of the store.
"""

from __future__ import annotations

import itertools
import logging
import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

BUSY_TIMEOUT_S = 10.0
WRITES = "onlybn_writes"
"""Execution option of connections whose transactions write; see `_begin`."""
SCHEMA_LOCK = 0x6F6E6C79626E  # "onlybn": PostgreSQL's advisory locks are numbers
SCHEMA_TIMEOUT_S = 600.0
CHECKPOINT_EVERY, CHECKPOINT_BYTES = 64, 4 << 20
"""After so many writes of a process, a write-ahead log of more than so many bytes is copied into the database."""
CONNECT_S, ANSWER_S = 5, 15.0
"""How long PostgreSQL may take to accept a connection, and to answer a statement."""
PING_S = 3.0
"""How long a connection that was idle may take to show that it still stands."""
IDLE_S = 5.0
"""How long it waits for the next statement of a transaction."""
KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""A connection that was cut silently is noticed within seconds, not after the two hours that systems wait."""

logger = logging.getLogger("onlybn.store")


class Database:
    """Transactions on `engine`. May be shared by threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{WRITES: True})
        self.file = Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None
        self._writes = itertools.count(1)

    @property
    def address(self) -> str:
        """Its URL for a log or a message, without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end, or rolled back by an exception."""
        with self._writer.begin() as connection:
            yield connection
        if self.file and next(self._writes) % CHECKPOINT_EVERY == 0:
            self._checkpoint(self.file)

    def _checkpoint(self, file: Path) -> None:
        """Copy the write-ahead log into the database, while nobody can write.

        SQLite 3.7 to 3.51.2 may damage a database where one connection copies the log while another one begins it anew
        (sqlite.org/wal.html#walresetbug). So no connection copies by itself, and who does it holds the lock of writers.
        """
        try:
            if file.with_name(f"{file.name}-wal").stat().st_size < CHECKPOINT_BYTES:
                return
            with self._writer.begin(), closing(self.engine.raw_connection()) as other:
                assert other.driver_connection is not None
                other.driver_connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except (DBAPIError, sqlite3.Error, OSError) as error:  # the log grows until the next time
            logger.warning("The write-ahead log could not be copied: %s", error)

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A transaction that changes the schema. All writers wait for its end, and it for theirs, for minutes."""
        with self._writer.connect() as connection:
            lite = connection.connection.driver_connection if self.file else None
            if lite is not None:
                _wait_at_most(lite, SCHEMA_TIMEOUT_S)
            try:
                with connection.begin():
                    if lite is None:
                        _be_patient(connection, SCHEMA_TIMEOUT_S)
                        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SCHEMA_LOCK)))
                    yield connection
            finally:
                if lite is not None:
                    _wait_at_most(lite, BUSY_TIMEOUT_S)
                else:
                    connection.invalidate()  # the next one is as impatient as all others

    def clock(self) -> sa.ColumnElement[float]:
        """The database's own time in Unix seconds, as a part of a statement: one clock for all machines."""
        return Clock()

    def close(self) -> None:
        """Close the connections of the pool."""
        self.engine.dispose()


class Clock(FunctionElement[float]):
    """The database's own time in Unix seconds."""

    type = sa.Double()
    inherit_cache = True


@compiles(Clock, "postgresql")
def _clock_of_postgresql(*_: Any, **__: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


@compiles(Clock, "sqlite")
def _clock_of_sqlite(*_: Any, **__: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


def open_database(url: str) -> Database:
    """The database at `url`: sqlite:///FILE, postgresql://... or postgres://...

    It may be used by many threads and survives a fork. Raises ValueError for a URL that cannot be used.
    """
    try:
        target = _with_driver(make_url(url))
        if target.get_backend_name() == "sqlite":
            return Database(_safe_to_fork(_open_sqlite(target)))
        options = {"pool_pre_ping": True, "connect_args": {"connect_timeout": CONNECT_S, **KEEPALIVE}}
        engine = create_engine(target, pool_size=10, max_overflow=20, pool_timeout=ANSWER_S, **options)
        event.listen(engine, "do_connect", _connect_impatiently)
        setattr(engine.dialect, "do_ping", partial(_ping, engine.dialect.do_ping))  # noqa: B010 - mypy
        return Database(_safe_to_fork(engine))
    except (ArgumentError, NoSuchModuleError) as error:
        raise ValueError(
            f"ONLYBN_DATABASE_URL must be sqlite:///FILE or postgresql://USER@HOST/DATABASE: {error}"
        ) from error
    except ModuleNotFoundError as error:
        raise ValueError(
            f"PostgreSQL needs a package that is missing ({error.name}): pip install 'psycopg[binary]'"
        ) from error


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
    _wait_at_most(connection, BUSY_TIMEOUT_S)
    if _insist(cursor, "PRAGMA page_count") == 0:  # a new file, which can then give back the room of what was deleted
        _insist(cursor, "PRAGMA auto_vacuum = INCREMENTAL")  # of any other file, this takes the lock of writers
    _insist(cursor, "PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA wal_autocheckpoint = 0")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _connect_impatiently(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
    """A connection to PostgreSQL that waits at most ANSWER_S for an answer, even when the server or the line hangs."""
    from jobs.impatience import Impatient  # noqa: PLC0415 - psycopg is an optional package

    connection = Impatient.connect(*arguments, **options)
    _set_timeout(connection, ANSWER_S)
    return connection


def _ping(ping: Callable[[Any], bool], connection: Any) -> bool:
    """`ping`, which waits PING_S: then a cut line costs a visitor that and CONNECT_S, less than 10 s."""
    patience_s, connection.patience_s = connection.patience_s, PING_S
    try:
        return ping(connection)
    finally:
        connection.patience_s = patience_s


def _be_patient(connection: Connection, seconds: float) -> None:
    driver: Any = connection.connection.driver_connection
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
    connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {int(seconds * 1000)}")
    driver.patience_s = seconds


def _set_timeout(connection: Any, seconds: float) -> None:
    """The server ends a statement a little earlier than we give up, so that its answer says why. It ends a transaction
    that does nothing, too: that of a process that was stopped keeps rows locked that others need."""
    connection.patience_s = seconds
    connection.execute(f"SET statement_timeout = {int(seconds * 900)}")
    connection.execute(f"SET idle_in_transaction_session_timeout = {int(IDLE_S * 1000)}")
    connection.commit()


def _wait_at_most(connection: Any, seconds: float) -> None:
    """Set how long `connection` waits for the lock of another one."""
    connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def _insist(cursor: sqlite3.Cursor, pragma: str) -> object:
    """The value of one of the first statements of a connection. While another process opens or closes the file, they
    fail at once instead of waiting."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            row = cursor.execute(pragma).fetchone()
            return row and row[0]
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
