"""Statements about what a run leaves behind: its findings and its capsule; and the files that runs start from."""

from __future__ import annotations

import hashlib
import time
import zlib

import sqlalchemy as sa
from sqlalchemy import Connection

from core.run.events import Analysed
from core.run.findings import Findings
from jobs.store.curves import COMPRESSION, number_of
from jobs.store.database import Database
from jobs.store.tables import CAPSULES, FINDINGS, RUNS, STARTS

MAX_CAPSULE = 2 << 20
"""Larger capsules stay in the folder of their run only: a database is no place for them."""
MAX_STARTS = 512 << 20
"""Of all files to start from together."""
UNUSED_FOR_S = 3600.0
"""How long a file that no run starts from is kept at least: its run may just be filled in."""


def insert_findings(connection: Connection, run: int, analysed: Analysed) -> None:
    """In place of those of an earlier attempt."""
    detail = zlib.compress(analysed.findings.model_dump_json().encode(), COMPRESSION)
    connection.execute(sa.delete(FINDINGS).where(FINDINGS.c.run == run))
    connection.execute(sa.insert(FINDINGS).values(run=run, detail=detail))


def insert_capsule(connection: Connection, run: int, content: bytes) -> None:
    """Once, with the end of the run."""
    connection.execute(sa.insert(CAPSULES).values(run=run, content=content))


class StartsFull(RuntimeError):
    """No more files to start from can be kept; the message says what would help."""


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


class Results(Database):
    """Reads what runs left behind; keeps the files that runs start from."""

    def findings(self, run_id: str) -> Findings | None:
        """What the analyses of the run found; None where there are none (yet)."""
        with self.reading() as connection:
            detail = connection.scalar(sa.select(FINDINGS.c.detail).where(FINDINGS.c.run == number_of(run_id)))
        return Findings.model_validate_json(zlib.decompress(detail)) if detail else None

    def capsule(self, run_id: str) -> bytes | None:
        """The capsule of the run, if it has one that is small enough to be kept here."""
        with self.reading() as connection:
            return connection.scalar(sa.select(CAPSULES.c.content).where(CAPSULES.c.run == number_of(run_id)))

    def keep_start(self, content: bytes) -> str:
        """Keep a file that runs may start from, once however often it comes. Returns its SHA-256.

        Where there is no room, files that no run starts from make it, the oldest first. Raises StartsFull.
        """
        digest = hashlib.sha256(content).hexdigest()
        row = {"digest": digest, "created_at": time.time(), "size_bytes": len(content), "content": content}
        with self.writing() as connection:
            if connection.scalar(sa.select(STARTS.c.digest).where(STARTS.c.digest == digest)) is None:
                _make_room(connection, len(content))
                connection.execute(sa.insert(STARTS).values(row))
        return digest

    def start(self, digest: str) -> bytes | None:
        """The file with this SHA-256."""
        with self.reading() as connection:
            return connection.scalar(sa.select(STARTS.c.content).where(STARTS.c.digest == digest))

    def has_start(self, digest: str) -> bool:
        with self.reading() as connection:
            return connection.scalar(sa.select(STARTS.c.digest).where(STARTS.c.digest == digest)) is not None
