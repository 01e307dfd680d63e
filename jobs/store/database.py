"""The base of the store: its engine, reading and writing transactions, and the making of the tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from jobs.store.engine import WRITES
from jobs.store.tables import METADATA, SCHEMA, VERSION

TABLES_LOCK = 0x6F6E6C79626E  # "onlybn": PostgreSQL's advisory locks are numbers


class WrongSchema(RuntimeError):
    """The database was made by another version of OnlyBN; the message says what to do."""


class Database:
    """Transactions on `engine`. May be shared by threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{WRITES: True})

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

    def create_tables(self) -> None:
        """Create what is missing. Several processes may do so at once. Raises WrongSchema."""
        with self.writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TABLES_LOCK)))
            METADATA.create_all(connection)
            version = connection.scalar(sa.select(SCHEMA.c.version))
            if version is None:
                connection.execute(sa.insert(SCHEMA).values(only=1, version=VERSION))
            elif version != VERSION:
                raise WrongSchema(
                    f"The database {self.engine.url.render_as_string(hide_password=True)} has schema {version}, this "
                    f"program needs {VERSION}. Use the OnlyBN version that made it, or another ONLYBN_DATA folder."
                )

    def clock(self) -> sa.ColumnElement[float]:
        """The database's own time in Unix seconds, as a part of a statement: one clock for all machines."""
        if self.engine.dialect.name == "postgresql":
            return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)
        return (sa.func.julianday("now", type_=sa.Double) - 2440587.5) * 86400.0

    def close(self) -> None:
        """Close the connections of the pool."""
        self.engine.dispose()
