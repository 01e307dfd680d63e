"""Statements about workers: which ones live, and how many runs they hold."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from jobs.label import stored
from jobs.lease import SHUN_S, Identity
from jobs.store.database import Database
from jobs.store.records import Machine, WorkerNow
from jobs.store.tables import RUNS, WORKERS

SILENT_AFTER_S = 10.0
"""A worker that has been silent for this long does not count as alive."""
FORGOTTEN_AFTER_S = 24 * 3600.0


@dataclass(frozen=True)
class Fit:
    """What a worker is fit for, and what is wrong with it, in words.

    `trouble`: why it takes no runs; `note`: what works worse than it should; None: nothing. It does not have the data
    sets `lacks`. Those of `failed` it could not read a moment ago. It takes runs that ask for one of its `labels`.
    """

    trouble: str | None = None
    note: str | None = None
    lacks: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


WELL = Fit()


@dataclass(eq=False)
class Workers:
    """The table of workers. A lost row does no harm: the lease of each run decides, not this table."""

    database: Database

    def hello(self, worker: Identity, slots: int, machine: Machine | None = None, fit: Fit = WELL) -> None:
        """Record that `worker` lives, on `machine`. Called every few seconds; forgets workers silent for a day."""
        lacks = json.dumps(sorted({*fit.lacks, *fit.failed})) if fit.lacks or fit.failed else None
        said = {"heard_at": self.database.clock(), **(asdict(machine) if machine else {})}
        said |= {"trouble": fit.trouble, "note": fit.note, "lacks": lacks, "labels": stored(fit.labels)}
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
        """Forget these workers, which are gone."""
        with self.database.writing() as connection:
            connection.execute(sa.delete(WORKERS).where(WORKERS.c.name.in_(names)))

    def all(self) -> list[Identity]:
        """All workers that have not been forgotten, whether they live or not."""
        c = WORKERS.c
        with self.database.reading() as connection:
            return [Identity(*row) for row in connection.execute(sa.select(c.name, c.host, c.boot, c.pid, c.born))]

    def alive(self) -> list[WorkerNow]:
        """The workers that live, in the order in which they started."""
        held = (
            sa.select(sa.func.count())
            .where(RUNS.c.state == "running", RUNS.c.worker == WORKERS.c.name)
            .correlate(WORKERS)
            .scalar_subquery()
        )
        machine = [WORKERS.c[field.name] for field in fields(Machine)]
        c = WORKERS.c
        statement = (
            sa.select(c.host, c.slots, held.label("held"), c.trouble, c.note, c.labels, *machine)
            .where(alive(self.database.clock()))
            .order_by(WORKERS.c.started_at, WORKERS.c.name)
        )
        with self.database.reading() as connection:
            rows = connection.execute(statement).all()
        return [
            WorkerNow(
                *(host, slots, running, Machine(*said) if said[0] is not None else None, trouble, note),
                labels=tuple((labels or "").split()),
            )
            for host, slots, running, trouble, note, labels, *said in rows
        ]

    def slots(self) -> int:
        """How many runs the workers that live and are well can hold at once."""
        statement = sa.select(sa.func.sum(WORKERS.c.slots)).where(able(self.database.clock()))
        with self.database.reading() as connection:
            return int(connection.scalar(statement) or 0)

    def others_have(self, worker: str, dataset: str, label: str | None = None) -> bool:
        """Whether a worker beside `worker` may have the data set, and has the label."""
        named = sa.literal(label, sa.String) if label else None
        labelled = () if named is None else (_labelled(named),)
        there = sa.exists().where(_another(worker, self.database.clock()), _has(sa.literal(dataset)), *labelled)
        with self.database.reading() as connection:
            return bool(connection.scalar(sa.select(there)))


def alive(now: ColumnElement[float]) -> ColumnElement[bool]:
    """The condition that a worker was heard from lately."""
    return WORKERS.c.heard_at > now - SILENT_AFTER_S


def able(now: ColumnElement[float]) -> ColumnElement[bool]:
    """The condition that a worker lives and takes runs."""
    return sa.and_(alive(now), WORKERS.c.trouble.is_(None))


def served(now: ColumnElement[float]) -> ColumnElement[bool]:
    """The condition that a worker takes runs and has the label that a run asks for, if it asks for one."""
    return sa.exists().where(able(now), _may(RUNS.c.label)).correlate(RUNS)


def fits(worker: str, fit: Fit, now: ColumnElement[float]) -> ColumnElement[bool]:
    """The condition that `worker`, which is `fit`, may take a run now.

    A run that crashed waits for a while, and longer for the worker on which it crashed if there is another one.
    """
    c = RUNS.c
    another = sa.exists().where(_another(worker, now), _may(c.label)).correlate(RUNS)
    longer = sa.case((sa.and_(c.shunned == worker, another), SHUN_S), else_=0.0)
    return sa.and_(sa.or_(c.not_before.is_(None), c.not_before + longer <= now), suits(worker, fit, now))


def suits(worker: str, fit: Fit, now: ColumnElement[float]) -> ColumnElement[bool]:
    """The condition that `worker`, which is `fit`, may take a run now or, after a crash of the run, in a moment.

    A run that asks for a label is left to workers that have it. A run on images that the worker lacks is left to one
    that has them; if there is none, it is taken, to say what is missing.
    """
    c = RUNS.c
    conditions = [sa.or_(c.label.is_(None), c.label.in_(fit.labels))]
    if fit.failed:
        conditions.append(c.dataset.not_in(fit.failed))
    if fit.lacks:
        better = sa.exists().where(_another(worker, now), _has(c.dataset), _may(c.label)).correlate(RUNS)
        conditions.append(sa.or_(c.dataset.not_in(fit.lacks), ~better))
    return sa.and_(*conditions)


def _another(worker: str, now: ColumnElement[float]) -> ColumnElement[bool]:
    return sa.and_(able(now), WORKERS.c.name != worker)


def _has(dataset: ColumnElement[str]) -> ColumnElement[bool]:
    quoted = sa.literal('"') + dataset + '"'
    return sa.or_(WORKERS.c.lacks.is_(None), WORKERS.c.lacks.not_like("%" + quoted + "%"))


def _may(label: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that a worker may take a run that asks for `label`, or for none."""
    return sa.or_(label.is_(None), _labelled(label))


def _labelled(label: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that a worker has `label`, whose letters are compared as they are: _ means no other one."""
    one = sa.literal(" ") + label + sa.literal(" ")
    return sa.func.replace(WORKERS.c.labels, one, "") != WORKERS.c.labels
