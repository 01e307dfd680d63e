"""Single values of the installation, by name. They read and write on a connection."""

from __future__ import annotations

from typing import get_args

import sqlalchemy as sa
from sqlalchemy import Connection

from jobs.store.records import Mode
from jobs.store.shares.tables import FLAGS

MODE = "mode"
"""Whether the queue is open, paused or drained: see `Mode`."""


def get(connection: Connection, name: str) -> str | None:
    """The value of `name`; None if it was never set."""
    return connection.scalar(sa.select(FLAGS.c.value).where(FLAGS.c.name == name))


def mode(connection: Connection) -> Mode:
    """Whether the queue is open, paused or drained; open if nobody has said."""
    said = get(connection, MODE)
    return next((known for known in get_args(Mode) if known == said), "open")


def put(connection: Connection, name: str, value: str) -> None:
    """Set the value of `name`. Two transactions that set a new name at once must exclude each other."""
    known = sa.update(FLAGS).where(FLAGS.c.name == name).values(value=value)
    if connection.execute(known).rowcount == 0:
        connection.execute(sa.insert(FLAGS).values(name=name, value=value))


def is_set(name: str, value: str) -> sa.ColumnElement[bool]:
    """The condition that `name` has this value, as a part of a statement."""
    return sa.exists().where(FLAGS.c.name == name, FLAGS.c.value == value)
