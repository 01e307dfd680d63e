"""Statements about workers: who is there, and which runs they hold."""

from __future__ import annotations

import time
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from jobs.database import Database
from jobs.lease import Identity
from jobs.ordering import QUEUE
from jobs.rows import Running
from jobs.tables import RUNS, WORKERS

SILENT_AFTER_S = 10.0
"""A worker that has not been heard of for this long does not count as one that is there."""
FORGOTTEN_AFTER_S = 24 * 3600.0


class Staff(Database):
    """The table of workers. A lost row does no harm: the lease of each run decides, not this table."""

    def hello(self, worker: Identity, slots: int) -> None:
        """`worker` is there. Called every few seconds. Those not heard of for a day are forgotten on the way."""
        known = sa.update(WORKERS).where(WORKERS.c.name == worker.name).values(heard_at=self.clock())
        row = {
            "name": worker.name,
            "host": worker.host,
            "boot": worker.boot,
            "pid": worker.pid,
            "born": worker.born,
            "slots": slots,
            "started_at": time.time(),
            "heard_at": self.clock(),
        }
        forgotten = sa.delete(WORKERS).where(WORKERS.c.heard_at < self.clock() - FORGOTTEN_AFTER_S)
        with self.writing() as connection:
            connection.execute(forgotten)
            if connection.execute(known).rowcount == 0:
                connection.execute(sa.insert(WORKERS).values(row))

    def bye(self, names: Collection[str]) -> None:
        """These workers are gone."""
        with self.writing() as connection:
            connection.execute(sa.delete(WORKERS).where(WORKERS.c.name.in_(names)))

    def workers(self) -> list[Identity]:
        """All that came and did not leave, whether they live or not."""
        c = WORKERS.c
        with self.reading() as connection:
            return [Identity(*row) for row in connection.execute(sa.select(c.name, c.host, c.boot, c.pid, c.born))]

    def slots(self) -> int:
        """How many runs the workers that live can hold at once."""
        statement = sa.select(sa.func.sum(WORKERS.c.slots)).where(alive(self.clock()))
        with self.reading() as connection:
            return int(connection.scalar(statement) or 0)

    def running(self) -> list[Running]:
        """Every run that somebody holds."""
        c = RUNS.c
        statement = sa.select(c.id, c.attempt, c.worker, c.beat).where(c.state == "running").order_by(c.number)
        with self.reading() as connection:
            return [Running(*row) for row in connection.execute(statement)]

    def waiting(self) -> list[str]:
        """The ids of the queued runs, the next one first."""
        statement = sa.select(RUNS.c.id).where(RUNS.c.state == "queued").order_by(*QUEUE)
        with self.reading() as connection:
            return list(connection.scalars(statement))


def alive(now: ColumnElement[float]) -> ColumnElement[bool]:
    """The condition that a worker was heard of lately."""
    return WORKERS.c.heard_at > now - SILENT_AFTER_S
