"""Statements about what a run leaves behind: its findings and its capsule."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.run.events import Analysed
from core.run.findings import Findings
from jobs.store.curves import COMPRESSION, number_of
from jobs.store.database import Database
from jobs.store.tables import CAPSULES, FINDINGS

MAX_CAPSULE = 2 << 20
"""Larger capsules stay in the folder of their run only: a database is no place for them."""


def insert_findings(connection: Connection, run: int, analysed: Analysed) -> None:
    """In place of those of an earlier attempt."""
    detail = zlib.compress(analysed.findings.model_dump_json().encode(), COMPRESSION)
    connection.execute(sa.delete(FINDINGS).where(FINDINGS.c.run == run))
    connection.execute(sa.insert(FINDINGS).values(run=run, detail=detail))


def insert_capsule(connection: Connection, run: int, content: bytes) -> None:
    """Once, with the end of the run."""
    connection.execute(sa.insert(CAPSULES).values(run=run, content=content))


@dataclass(eq=False)
class Results:
    """Reads what runs left behind."""

    database: Database

    def findings(self, run_id: str) -> Findings | None:
        """What the analyses of the run found; None where there are none (yet)."""
        with self.database.reading() as connection:
            detail = connection.scalar(sa.select(FINDINGS.c.detail).where(FINDINGS.c.run == number_of(run_id)))
        return Findings.model_validate_json(zlib.decompress(detail)) if detail else None

    def capsule(self, run_id: str) -> bytes | None:
        """The capsule of the run, if it has one that is small enough to be kept here."""
        with self.database.reading() as connection:
            return connection.scalar(sa.select(CAPSULES.c.content).where(CAPSULES.c.run == number_of(run_id)))
