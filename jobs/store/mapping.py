"""Turns rows of the database into records. The models of a run do not change, so they are read once.

A database may hold runs of another version, or be damaged: a run that the models refuse is `Unreadable`, and a list
with such a run still shows the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, lru_cache, partial
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy import Row

from core.catalog.cache import cached
from core.catalog.model import first_fault
from core.run.events import Counts, Finished, Started
from core.run.problems import explain
from core.run.spec import STORED, RunSpec
from jobs.store.database import Clock
from jobs.store.records import ExampleMark, Run, Unreadable, Usage
from jobs.store.tables import FINDINGS, MEMBERS, RUNS, STUDIES, WORKERS, place_of
from jobs.store.tabs.tables import TABS
from jobs.store.workers import alive, served

# Read once for many polls. A Started of the deepest network is some 100 KB, hence the smaller cache.
read_spec = lru_cache(2048)(partial(RunSpec.model_validate_json, context=STORED))
read_counts = lru_cache(2048)(Counts.model_validate_json)
read_started = cached(48 << 20, lambda started: 600 * len(started.layers))(Started.model_validate_json)
read_result = lru_cache(1024)(Finished.model_validate_json)


@cache
def select_runs() -> sa.Select[Any]:
    """All columns that `read_run` needs, with the place of a queued run in the queue and the study that launched a run.

    Removed runs are left out.
    """
    earlier = RUNS.alias("earlier")
    place = (
        sa.select(sa.func.count())
        .where(
            earlier.c.state == "queued",
            sa.tuple_(earlier.c.priority, earlier.c.turn, place_of(earlier))
            <= sa.tuple_(RUNS.c.priority, RUNS.c.turn, place_of()),
        )
        .correlate(RUNS)
        .scalar_subquery()
    )
    found = sa.exists().where(FINDINGS.c.run == RUNS.c.number).correlate(RUNS)
    study = (
        sa.select(STUDIES.c.id + ":" + STUDIES.c.name)
        .join(MEMBERS, MEMBERS.c.study == STUDIES.c.number)
        .where(MEMBERS.c.run == RUNS.c.number, STUDIES.c.owner == RUNS.c.owner)
        .limit(1)
        .correlate(RUNS)
        .scalar_subquery()
    )
    position = sa.case((RUNS.c.state == "queued", place))
    silent = sa.exists().where(WORKERS.c.name == RUNS.c.worker, ~alive(Clock())).correlate(RUNS)
    in_study = sa.exists().where(MEMBERS.c.run == RUNS.c.number).correlate(RUNS)
    unattended = sa.case((RUNS.c.state == "running", silent), else_=sa.false())
    asks = (RUNS.c.state == "queued") & RUNS.c.label.is_not(None)
    no_worker = sa.case((asks, ~served(Clock())), else_=sa.false())
    claimed = sa.select(TABS.c.claimed).where(TABS.c.run == RUNS.c.number).correlate(RUNS).scalar_subquery()
    columns = sa.select(
        RUNS,
        position.label("position"),
        found.label("has_findings"),
        study.label("study"),
        unattended.label("unattended"),
        in_study.label("in_study"),
        no_worker.label("no_worker"),
        claimed.label("claimed"),
    )
    return columns.where(kept())


def newest_study() -> sa.ColumnElement[Any]:
    """The number of the newest study that needs the run."""
    of_run = sa.select(sa.func.max(MEMBERS.c.study)).where(MEMBERS.c.run == RUNS.c.number)
    return of_run.correlate(RUNS).scalar_subquery()


def kept() -> sa.ColumnElement[bool]:
    """The condition that nobody has removed the run."""
    return RUNS.c.removed_at.is_(None)


@cache
def select_run() -> sa.Select[Any]:
    """`select_runs` for one run, with its id as parameter `id`. Made once, because the feed uses it all the time."""
    return select_runs().where(RUNS.c.id == sa.bindparam("id"))


class UnreadableRun(ValueError):
    """A run that exists but cannot be read; the message says why."""

    def __init__(self, run: Unreadable) -> None:
        super().__init__(f"this version of OnlyBN cannot read the run {run.id}: {run.reason}")
        self.run = run


def read_any(row: Row[Any]) -> Run | Unreadable:
    try:
        return read_run(row)
    except UnreadableRun as error:
        return error.run


def readable(rows: Iterable[Row[Any]]) -> list[Run]:
    """The runs of `rows` that can be read."""
    return [run for row in rows if isinstance(run := read_any(row), Run)]


Part = TypeVar("Part")


def _part(row: Row[Any], name: str, read: Callable[[str], Part]) -> Part:
    """Column `name`, which holds JSON, as `read` reads it. Raises UnreadableRun."""
    try:
        return read(getattr(row, name))
    except ValidationError as error:
        reason = explain(error) if name == "spec" else first_fault(error, name)
    copied = (
        "id",
        "name",
        "state",
        "attempt",
        "created_at",
        "architecture",
        "policy",
        "dataset",
        "epochs",
        "replicate",
    )
    raise UnreadableRun(Unreadable(**{field: getattr(row, field) for field in copied}, reason=reason))


def read_run(row: Row[Any]) -> Run:
    """The run of a row. Raises UnreadableRun."""
    silent = bool(row.unattended)  # what it said last is no longer so
    study, _, name = (row.study or "").partition(":")
    return Run(
        id=row.id,
        spec=_part(row, "spec", read_spec),
        state=row.state,
        attempt=row.attempt,
        worker=row.worker,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_requested=row.cancel_requested,
        step=row.step,
        total_steps=row.total_steps,
        tested=row.tested,
        analysed=row.analysed,
        images_per_s=None if silent else row.images_per_s,
        elapsed_s=row.elapsed_s,
        eta_s=None if silent else row.eta_s,
        checkpoint_step=row.checkpoint_step,
        counts=_part(row, "counts", read_counts),
        started=_part(row, "started", read_started) if row.started else None,
        result=_part(row, "result", read_result) if row.result else None,
        error_kind=row.error_kind,
        error_message=row.error_message,
        top1=row.top1,
        has_findings=bool(row.has_findings),
        position=row.position,
        study=study or None,
        study_name=name or None,
        usage=_usage(row),
        unattended=silent,
        pinned=row.pinned,
        evicted_at=row.evicted_at,
        dropped_at=row.dropped_at,
        in_study=bool(row.in_study),
        note=row.note,
        tags=tuple((row.tags or "").split()),
        question=row.question,
        label=row.label,
        no_worker=bool(row.no_worker),
        claimed=_part(row, "claimed", read_result) if row.claimed else None,
        example=ExampleMark(row.example, row.example_shows, row.example_machine) if row.example else None,
    )


def _usage(row: Row[Any]) -> Usage | None:
    if row.memory_bytes is None:
        return None
    return Usage(row.memory_bytes, row.peak_bytes, row.gpu_bytes, row.gpu_peak_bytes)
