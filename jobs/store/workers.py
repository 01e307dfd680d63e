"""Statements about workers: who is there, and which runs they hold."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from jobs.lease import Identity
from jobs.store.database import Database
from jobs.store.records import Machine, WorkerNow
from jobs.store.tables import RUNS, WORKERS

SILENT_AFTER_S = 10.0
"""A worker that has not been heard of for this long does not count as one that is there."""
FORGOTTEN_AFTER_S = 24 * 3600.0


@dataclass(eq=False)
class Workers:
    """The table of workers. A lost row does no harm: the lease of each run decides, not this table."""

    database: Database

    def hello(self, worker: Identity, slots: int, machine: Machine | None = None) -> None:
        """`worker` is there, on `machine`. Called every few seconds; forgets those not heard of for a day."""
        said = {"heard_at": self.database.clock(), **(asdict(machine) if machine else {})}
        known = sa.update(WORKERS).where(WORKERS.c.name == worker.name).values(said)
        row = {
            "name": worker.name,
            "host": worker.host,
            "boot": worker.boot,
            "pid": worker.pid,
            "born": worker.born,
            "slots": slots,
            "started_at": time.time(),
            **said,
        }
        forgotten = sa.delete(WORKERS).where(WORKERS.c.heard_at < self.database.clock() - FORGOTTEN_AFTER_S)
        with self.database.writing() as connection:
            connection.execute(forgotten)
            if connection.execute(known).rowcount == 0:
                connection.execute(sa.insert(WORKERS).values(row))

    def bye(self, names: Collection[str]) -> None:
        """These workers are gone."""
        with self.database.writing() as connection:
            connection.execute(sa.delete(WORKERS).where(WORKERS.c.name.in_(names)))

    def all(self) -> list[Identity]:
        """All that came and did not leave, whether they live or not."""
        c = WORKERS.c
        with self.database.reading() as connection:
            return [Identity(*row) for row in connection.execute(sa.select(c.name, c.host, c.boot, c.pid, c.born))]

    def alive(self) -> list[WorkerNow]:
        """Those that live, the one that has been there longest first."""
        held = (
            sa.select(sa.func.count())
            .where(RUNS.c.state == "running", RUNS.c.worker == WORKERS.c.name)
            .correlate(WORKERS)
            .scalar_subquery()
        )
        machine = [WORKERS.c[field.name] for field in fields(Machine)]
        statement = (
            sa.select(WORKERS.c.host, WORKERS.c.slots, held.label("held"), *machine)
            .where(alive(self.database.clock()))
            .order_by(WORKERS.c.started_at, WORKERS.c.name)
        )
        with self.database.reading() as connection:
            rows = connection.execute(statement).all()
        return [
            WorkerNow(host, slots, running, Machine(*said) if said[0] is not None else None)
            for host, slots, running, *said in rows
        ]

    def slots(self) -> int:
        """How many runs the workers that live can hold at once."""
        statement = sa.select(sa.func.sum(WORKERS.c.slots)).where(alive(self.database.clock()))
        with self.database.reading() as connection:
            return int(connection.scalar(statement) or 0)


def alive(now: ColumnElement[float]) -> ColumnElement[bool]:
    """The condition that a worker was heard of lately."""
    return WORKERS.c.heard_at > now - SILENT_AFTER_S
