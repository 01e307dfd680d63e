"""Filters on runs, and how many pass them and how good they are. The database counts; no run is read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy import ColumnElement

from core.run.cost import step_macs
from jobs.store.database import Database
from jobs.store.mapping import kept, read_spec
from jobs.store.records import Health, State
from jobs.store.shares import flags
from jobs.store.tables import EVALUATIONS, MEMBERS, RUNS, STUDIES, WORKERS
from jobs.store.workers import able, alive

SPEED_OF_LAST = 10
"""The speed of this installation is the median over this many of its last runs."""


@dataclass(frozen=True)
class Filters:
    """Conditions on runs; None means no condition. `text` is looked for in names, ids and tags; `visitor`: who launched
    it."""

    text: str | None = None
    states: Collection[State] | None = None
    policies: Collection[str] | None = None
    architectures: Collection[str] | None = None
    datasets: Collection[str] | None = None
    tag: str | None = None
    question: str | None = None
    visitor: str | None = None
    room: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """That nobody has removed the run, and that it passes this filter."""
        wanted = (
            (RUNS.c.state, self.states),
            (RUNS.c.policy, self.policies),
            (RUNS.c.architecture, self.architectures),
            (RUNS.c.dataset, self.datasets),
        )
        found = [kept(), *(column.in_(names) for column, names in wanted if names is not None)]
        if self.text:
            found.append(contains(self.text) | RUNS.c.tags.icontains(self.text, autoescape=True))
        if self.tag:
            found.append(RUNS.c.tags.contains(f" {self.tag} ", autoescape=True))
        if self.question:
            found.append(RUNS.c.question == self.question)
        if self.room:
            found.append(RUNS.c.room == self.room)
        if self.visitor:
            found.append(RUNS.c.visitor == self.visitor)
        return found


@dataclass(frozen=True)
class Tally:
    """How the runs of one kind stand: how many, how many of them finished, and the accuracies (0..1) of those."""

    policy: str
    architecture: str
    dataset: str
    runs: int
    finished: int
    mean: float | None
    best: float | None


@dataclass(eq=False)
class Tallies:
    """Counts runs."""

    database: Database

    def count(
        self,
        filters: Filters | None = None,
        *,
        ids: Collection[str] | None = None,
        study: str | None = None,
        without: Collection[str] = (),
    ) -> list[Tally]:
        """Tallies of the runs that pass `filters`, have one of `ids`, are not in `without` and belong to the study with
        the id `study`; the best mean first."""
        c = RUNS.c
        conditions = (filters or Filters()).conditions()
        if ids is not None:
            conditions.append(c.id.in_(ids))
        if without:
            conditions.append(c.id.not_in(without))
        if study is not None:
            of_study = sa.select(MEMBERS.c.run).join(STUDIES, STUDIES.c.number == MEMBERS.c.study)
            conditions.append(c.number.in_(of_study.where(STUDIES.c.id == study)))
        top1 = sa.case((c.state == "finished", c.top1))
        kinds = (c.policy, c.architecture, c.dataset)
        mean = sa.func.avg(top1)
        statement = (
            sa.select(*kinds, sa.func.count(), sa.func.count(top1), mean, sa.func.max(top1))
            .where(*conditions)
            .group_by(*kinds)
            .order_by(mean.desc().nulls_last(), *kinds)
        )
        with self.database.reading() as connection:
            return [Tally(*row) for row in connection.execute(statement)]

    def health(self) -> Health:
        """How many workers live, how many runs wait and run, and how fast the last ones went."""
        of_state = sa.select(RUNS.c.state, sa.func.count()).where(RUNS.c.state.in_(("queued", "running")))
        finished = (
            sa.select(RUNS.c.macs_per_s)
            .where(RUNS.c.state == "finished", RUNS.c.macs_per_s.is_not(None))
            .order_by(RUNS.c.finished_at.desc())
            .limit(SPEED_OF_LAST)
        )
        running = sa.select(RUNS.c.spec, RUNS.c.images_per_s).where(RUNS.c.state == "running", RUNS.c.images_per_s > 0)
        living = sa.select(sa.func.count()).select_from(WORKERS).where(able(self.database.clock()))
        wrong = sa.select(WORKERS.c.trouble, WORKERS.c.note).where(alive(self.database.clock()))
        with self.database.reading() as connection:
            said = {words for row in connection.execute(wrong) for words in row if words}
            numbers = {row[0]: row[1] for row in connection.execute(of_state.group_by(RUNS.c.state))}
            workers = connection.scalar(living)
            mode = flags.mode(connection)
            speeds = list(connection.scalars(finished))
            if not speeds:
                known = [(_macs_per_image(row.spec), row.images_per_s) for row in connection.execute(running)]
                speeds = [macs * images_per_s for macs, images_per_s in known if macs is not None]
        return Health(
            workers=workers or 0,
            queued=numbers.get("queued", 0),
            running=numbers.get("running", 0),
            macs_per_s=median(speeds) if speeds else None,
            troubles=tuple(sorted(f"A worker: {words}" for words in said)),
            mode=mode,
        )

    def numbers(self) -> dict[str, dict[str, float]]:
        """How many runs, evaluations and studies there are by state, and how many workers and slots live."""
        living = alive(self.database.clock())
        count = sa.func.count()
        with self.database.reading() as connection:
            kinds = {
                name: {state: float(number) for state, number in connection.execute(statement)}
                for name, statement in (
                    ("runs", sa.select(RUNS.c.state, count).where(kept()).group_by(RUNS.c.state)),
                    ("evaluations", sa.select(EVALUATIONS.c.state, count).group_by(EVALUATIONS.c.state)),
                )
            }
            row = connection.execute(sa.select(count, sa.func.sum(WORKERS.c.slots)).where(living)).one()
        return {**kinds, "workers": {"": float(row[0])}, "slots": {"": float(row[1] or 0)}}


def contains(text: str) -> ColumnElement[bool]:
    """The condition that a name or an id has `text` in it."""
    return RUNS.c.name.icontains(text, autoescape=True) | RUNS.c.id.icontains(text, autoescape=True)


@lru_cache(256)
def _macs_per_image(spec: str) -> int | None:
    """None for a spec that cannot be read."""
    try:
        parsed = read_spec(spec)
    except ValidationError:
        return None
    return step_macs(parsed.plan, parsed.trains)
