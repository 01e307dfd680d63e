"""Brings a database to the schema of this program, when the program starts.

An empty database gets the current tables. Alembic takes an older schema from revision to revision, with the scripts in
`migrations/versions`; it is imported only then, because the import would slow every other start.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from jobs.store.artefacts import tables as _artefacts  # noqa: F401  # they belong to METADATA
from jobs.store.complaints import tables as _complaints  # noqa: F401  # they belong to METADATA
from jobs.store.database import Database
from jobs.store.rooms import tables as _rooms  # noqa: F401  # they belong to METADATA
from jobs.store.shares import tables as _shares  # noqa: F401  # they belong to METADATA
from jobs.store.tables import METADATA, SCHEMA
from jobs.store.tabs import tables as _tabs  # noqa: F401  # they belong to METADATA
from jobs.store.webhooks import tables as _webhooks  # noqa: F401  # they belong to METADATA

HEAD = "0013"
"""The newest revision in `migrations/versions`."""
BEFORE = "3"
"""The schema of the last programs without migrations."""
NOTHING = ""
"""The revision of an empty database."""
REVISIONS = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""The same table that Alembic makes."""

logger = logging.getLogger("onlybn.store")


class WrongSchema(RuntimeError):
    """The database was made by another version of OnlyBN; the message says what to do."""


def migrate(database: Database) -> None:
    """Bring `database` to revision HEAD, all or nothing. If several processes start at once, the first one does so.

    The others wait. Before an upgrade, an SQLite file is copied to a file beside it. Raises WrongSchema.
    """
    with database.reading() as connection:
        if revision(connection) == HEAD:
            return
    with database.alone() as connection:
        found = revision(connection)
        if found == HEAD:  # another process was faster
            return
        if found == NOTHING:
            make(connection)
            return
        copy = _upgrade(database, connection, found)
    kept = f" A copy of the old database is in {copy}." if copy else ""
    logger.info("The database %s was migrated from schema %s to %s.%s", database.address, found, HEAD, kept)


def is_current(database: Database) -> bool:
    """Whether `database` has this program's schema. Raises DBAPIError if it does not answer."""
    with database.reading() as connection:
        return revision(connection) == HEAD


def is_writable(database: Database) -> bool:
    """Whether `database` takes a write: it is no read-only copy, has room, and no lock stands in the way."""
    try:
        with database.writing() as connection:
            connection.execute(sa.update(SCHEMA).values(version=SCHEMA.c.version))
    except DBAPIError:
        return False
    return True


def make(connection: Connection) -> None:
    """Create the current tables in an empty database."""
    METADATA.create_all(connection)
    REVISIONS.create(connection)
    connection.execute(sa.insert(REVISIONS).values(version_num=HEAD))
    connection.execute(sa.insert(SCHEMA).values(only=1, version=4))


def revision(connection: Connection) -> str:
    """The revision of the database, the number of its schema from before there were revisions, or NOTHING."""
    there = sa.inspect(connection)
    if there.has_table(REVISIONS.name):
        return connection.scalar(sa.select(REVISIONS.c.version_num)) or NOTHING
    version = connection.scalar(sa.select(SCHEMA.c.version)) if there.has_table(SCHEMA.name) else None
    return NOTHING if version is None else str(version)


def _upgrade(database: Database, connection: Connection, found: str) -> Path | None:
    """Go from schema `found` to revision HEAD. Returns the copy that was made before. Raises WrongSchema."""
    from alembic import command  # noqa: PLC0415  # takes a moment, and most starts need none of it
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    logging.getLogger("alembic").setLevel(logging.WARNING)  # what it tells of each step is for its developers
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "jobs.store:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found not in {BEFORE, *known}:
        made_by = "an older" if len(found) == 1 and found < BEFORE else "a newer"
        raise WrongSchema(
            f"The database {database.address} has schema {found}, which this program cannot use: it is from {made_by} "
            "OnlyBN. Use that version, or another ONLYBN_DATA folder."
        )
    copy = _copy(database)
    command.upgrade(config, HEAD)
    return copy


def _copy(database: Database) -> Path | None:
    """A copy of an SQLite file beside it, with all that is committed by now. Raises OSError."""
    if database.file is None:
        return None
    copy = database.file.with_name(f"{database.file.name}.before-{HEAD}")
    draft = copy.with_name(f".{copy.name}")
    try:
        with closing(sqlite3.connect(database.file)) as source, closing(sqlite3.connect(draft)) as target:
            shutil.copymode(database.file, draft)
            source.backup(target)
        return draft.replace(copy)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            draft.unlink()
        raise OSError(f"cannot copy {database.file} to {copy} before its schema changes: {error}") from error
