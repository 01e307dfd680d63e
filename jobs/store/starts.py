"""The files that runs start from: weights that somebody uploaded, kept under their SHA-256."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from jobs.store.database import Database
from jobs.store.tables import RUNS, STARTS

MAX_STARTS = 512 << 20
"""Of all files to start from together."""
UNUSED_FOR_S = 3600.0
"""How long a file that no run starts from is kept at least: its run may just be filled in."""


class StartsFull(RuntimeError):
    """No more files to start from can be kept; the message says what would help."""


@dataclass(eq=False)
class Starts:
    """Keeps the files that runs start from."""

    database: Database

    def keep(self, content: bytes) -> str:
        """Keep a file that runs may start from, once however often it comes. Returns its SHA-256.

        Where there is no room, files that no run starts from make it, the oldest first. Raises StartsFull.
        """
        digest = hashlib.sha256(content).hexdigest()
        row = {"digest": digest, "created_at": time.time(), "size_bytes": len(content), "content": content}
        with self.database.writing() as connection:
            if connection.scalar(sa.select(STARTS.c.digest).where(STARTS.c.digest == digest)) is None:
                _make_room(connection, len(content))
                connection.execute(sa.insert(STARTS).values(row))
        return digest

    def get(self, digest: str) -> bytes | None:
        """The file with this SHA-256."""
        with self.database.reading() as connection:
            return connection.scalar(sa.select(STARTS.c.content).where(STARTS.c.digest == digest))

    def has(self, digest: str) -> bool:
        with self.database.reading() as connection:
            return connection.scalar(sa.select(STARTS.c.digest).where(STARTS.c.digest == digest)) is not None


def _make_room(connection: Connection, size_bytes: int) -> None:
    c = STARTS.c
    used = connection.scalar(sa.select(sa.func.coalesce(sa.func.sum(c.size_bytes), 0))) or 0
    old = sa.select(c.digest, c.size_bytes).where(c.created_at < time.time() - UNUSED_FOR_S).order_by(c.created_at)
    candidates = connection.execute(old).all() if used + size_bytes > MAX_STARTS else []
    for row in candidates:
        if used + size_bytes <= MAX_STARTS:
            return
        if connection.scalar(sa.select(RUNS.c.number).where(RUNS.c.spec.contains(row.digest)).limit(1)) is None:
            connection.execute(sa.delete(STARTS).where(c.digest == row.digest))
            used -= row.size_bytes
    if used + size_bytes > MAX_STARTS:
        raise StartsFull(
            f"the server keeps no more than {MAX_STARTS >> 20} MB of files to start from, and runs need all of them; "
            "use --start on the command line"
        )
