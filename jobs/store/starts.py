"""The files that runs start from: weights that somebody uploaded, kept under their SHA-256."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from jobs.quotas import UNKNOWN, UNLIMITED, Asker, Limits
from jobs.store.database import Database
from jobs.store.shares.admission import admit_upload, needed_start, one_at_a_time
from jobs.store.tables import STARTS

MAX_STARTS = 512 << 20
"""The most bytes that all files to start from may take together."""
UNUSED_FOR_S = 3600.0
"""A file that no run needs stays so long if it can: somebody may be filling in the form of its run."""


class StartsFull(RuntimeError):
    """No more files to start from can be kept; the message says what would help."""


@dataclass(eq=False)
class Starts:
    """Keeps the files that runs start from."""

    database: Database

    def keep(self, content: bytes, *, by: Asker = UNKNOWN, limits: Limits = UNLIMITED) -> str:
        """Keep a file that runs may start from, deduplicated by its SHA-256. Returns that.

        If there is no room, files that no queued or running run starts from are deleted. Raises StartsFull, and
        Refused if the share of `by` is full of files that such runs need.
        """
        digest = hashlib.sha256(content).hexdigest()
        row = {
            "digest": digest,
            "created_at": time.time(),
            "size_bytes": len(content),
            "content": content,
            "visitor": by.owner,
            "address": by.address,
        }
        with self.database.writing() as connection:
            one_at_a_time(connection)
            if connection.scalar(sa.select(STARTS.c.digest).where(STARTS.c.digest == digest)) is None:
                admit_upload(connection, limits, by, len(content))
                _make_room(connection, len(content), by)
                connection.execute(sa.insert(STARTS).values(row))
        return digest

    def get(self, digest: str) -> bytes | None:
        """The file with this SHA-256; None if there is none."""
        with self.database.reading() as connection:
            return connection.scalar(sa.select(STARTS.c.content).where(STARTS.c.digest == digest))

    def has(self, digest: str) -> bool:
        with self.database.reading() as connection:
            return connection.scalar(sa.select(STARTS.c.digest).where(STARTS.c.digest == digest)) is not None


def _make_room(connection: Connection, size_bytes: int, by: Asker) -> None:
    """Delete files that no pending run needs until one of `size_bytes` fits. Raises StartsFull.

    First those that are no longer fresh, the oldest first; then those of the asker with the most, as long as that is
    more than `by` has, or `by` itself.
    """
    c = STARTS.c
    sums = sa.select(c.visitor, sa.func.sum(c.size_bytes).label("bytes")).group_by(c.visitor)
    held = {row.visitor: int(row.bytes) for row in connection.execute(sums)}
    excess = sum(held.values()) + size_bytes - MAX_STARTS
    if excess <= 0:
        return
    fresh = c.created_at >= time.time() - UNUSED_FOR_S
    unused = sa.select(c.digest, c.size_bytes, c.visitor, fresh.label("fresh")).where(~needed_start())
    rows = connection.execute(unused.order_by(c.created_at)).all()
    mine = held.get(by.owner, 0) + size_bytes
    for row in sorted(rows, key=lambda row: (row.fresh, -held[row.visitor] if row.fresh else 0)):
        if excess <= 0:
            return
        if not row.fresh or row.visitor == by.owner or held[row.visitor] > mine:
            connection.execute(sa.delete(STARTS).where(c.digest == row.digest))
            excess -= row.size_bytes
            held[row.visitor] -= row.size_bytes
    if excess > 0:
        raise StartsFull(
            f"the server keeps no more than {MAX_STARTS >> 20} MB of files to start from; all of them are needed by "
            "runs or were just uploaded. Try again in an hour, or use --start on the command line"
        )
