"""Which runs a list or a comparison means, and how many and how good they are. The database counts; no run is read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from jobs.store.database import Database
from jobs.store.mapping import kept
from jobs.store.records import State
from jobs.store.tables import MEMBERS, RUNS, STUDIES


@dataclass(frozen=True)
class Filters:
    """Conditions on runs; None means no condition. `text` is looked for in names and ids."""

    text: str | None = None
    states: Collection[State] | None = None
    policies: Collection[str] | None = None
    architectures: Collection[str] | None = None
    datasets: Collection[str] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """That nobody has removed the run, and what else is asked for."""
        wanted = (
            (RUNS.c.state, self.states),
            (RUNS.c.policy, self.policies),
            (RUNS.c.architecture, self.architectures),
            (RUNS.c.dataset, self.datasets),
        )
        found = [kept(), *(column.in_(names) for column, names in wanted if names is not None)]
        if self.text:
            found.append(_contains(self.text))
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


class Tallies(Database):
    """Counts of runs by what trains in which network on which data."""

    def tally(
        self,
        filters: Filters | None = None,
        *,
        ids: Collection[str] | None = None,
        study: str | None = None,
        without: Collection[str] = (),
    ) -> list[Tally]:
        """The runs that pass `filters`, have one of `ids`, belong to the study of this id; the best mean first."""
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
        with self.reading() as connection:
            return [Tally(*row) for row in connection.execute(statement)]

    def study_label(self, study_id: str) -> tuple[str, str] | None:
        """Name and scale of a study; None if there is none."""
        statement = sa.select(STUDIES.c.name, STUDIES.c.scale).where(STUDIES.c.id == study_id)
        with self.reading() as connection:
            row = connection.execute(statement).first()
        return (row.name, row.scale) if row else None


def _contains(text: str) -> ColumnElement[bool]:
    return RUNS.c.name.icontains(text, autoescape=True) | RUNS.c.id.icontains(text, autoescape=True)
