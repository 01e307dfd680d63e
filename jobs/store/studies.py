"""Statements about studies: launch, read, cancel and resume the runs of a study together.

A study owns no results. Its members are runs like any other, found by the digest of their spec: it takes finished runs,
joins queued and running ones, and launches only the rest, behind the single runs of visitors.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy import Connection, Row

from core.run.spec import STORED
from core.studies.spec import StudySpec
from jobs.quotas import UNKNOWN, UNLIMITED, Asker, Limits
from jobs.store.database import Database
from jobs.store.labels.labels import RENAMED
from jobs.store.mapping import read_any, select_runs
from jobs.store.members import fill, usable
from jobs.store.records import TERMINAL, Run, State
from jobs.store.shares.admission import admit_launch, one_at_a_time
from jobs.store.shares.prices import check_price
from jobs.store.submission import IN_STUDY, hashed, new_id, new_token, row_of
from jobs.store.tables import LOG, MEMBERS, RUNS, STUDIES
from jobs.store.webhooks.endings import Wish, insert_webhook, rearm

OWN = "own"
"""The name of all studies that are in no file of the catalog: what their titles say stands in the spec alone."""

read_study = lru_cache(256)(partial(StudySpec.model_validate_json, context=STORED))


@dataclass(frozen=True)
class Study:
    """A study as the store knows it now; `runs` stand in the order of `spec.members`."""

    id: str
    spec: StudySpec
    created_at: float
    cancelled: bool
    runs: Sequence[Run]

    @property
    def state(self) -> State:
        """The state of all its runs together."""
        states = {run.state for run in self.runs}
        if states <= {"finished"}:
            return "finished"
        if self.cancelled:  # runs that other studies need may continue
            return "cancelled"
        if not states <= TERMINAL:
            return "running" if states & {"running", "finished"} else "queued"
        return "cancelled" if "cancelled" in states else "failed"


@dataclass(frozen=True)
class Launched:
    """What launching or resuming did: the study's id, its owner's token (of a new study), the runs that are new."""

    id: str
    token: str | None
    new_runs: tuple[str, ...]


@dataclass(eq=False)
class Studies:
    """Studies and their members."""

    database: Database

    def launch(
        self,
        spec: StudySpec,
        *,
        by: Asker = UNKNOWN,
        limits: Limits = UNLIMITED,
        webhook: Wish | None = None,
        label: str | None = None,
    ) -> Launched:
        """Queue the missing runs of a study; if the same study has finished before, return that one instead.

        `label`: the new runs are for workers that have it. Raises StudyUnavailable, Refused, and TooExpensive.
        """
        for member in spec.members:
            check_price(member.spec, limits.cap)
        token = new_token()
        owner = hashed(token)
        rows = [{**row_of(member.spec, owner, IN_STUDY[spec.scale], by), "label": label} for member in spec.members]
        study_id = new_id()
        values = {
            "id": study_id,
            "name": OWN if spec.asked else spec.study,
            "scale": spec.scale,
            "spec": spec.model_dump_json(),
            "owner": owner,
            "created_at": time.time(),
            "visitor": by.owner,
            "address": by.address,
            "label": label,
        }
        with self.database.writing() as connection:
            one_at_a_time(connection)
            if done := _finished(connection, values):
                return Launched(done, None, ())
            there = usable(connection, rows)
            admit_launch(connection, limits, by, sum(row["disk_bytes"] for row in rows if row["digest"] not in there))
            number = connection.scalars(sa.insert(STUDIES).values(values).returning(STUDIES.c.number)).one()
            insert_webhook(connection, webhook, values, limits, study=number)
            new = fill(connection, number, dict(enumerate(rows)), limits)
        return Launched(study_id, token, new)

    def resume(self, study_id: str, *, by: Asker = UNKNOWN, limits: Limits = UNLIMITED) -> Launched | None:
        """Queue again the runs that failed or were cancelled; None if there is no such study.

        Raises Refused, and TooExpensive.
        """
        with self.database.reading() as connection:
            found = _study_row(connection, study_id)
            if found is None:
                return None
            over = _places_over(connection, found.number)
        spec = read_study(found.spec)
        for place in over:
            check_price(spec.members[place].spec, limits.cap)
        priority = IN_STUDY[spec.scale]
        owned = {place: row_of(spec.members[place].spec, found.owner, priority, by) for place in over}
        rows = {place: {**row, "label": found.label} for place, row in owned.items()}
        with self.database.writing() as connection:
            admit_launch(connection, limits, by, sum(row["disk_bytes"] for row in rows.values()))
            rearm(connection, study=found.number)
            connection.execute(sa.update(STUDIES).where(STUDIES.c.number == found.number).values(cancelled=False))
            # Meanwhile somebody else may have resumed it, and another run may have ended, for which there is no row.
            again = [place for place in _places_over(connection, found.number) if place in rows]
            gone = sa.delete(MEMBERS).where(MEMBERS.c.study == found.number, MEMBERS.c.place.in_(again))
            connection.execute(gone)
            new = fill(connection, found.number, {place: rows[place] for place in again}, limits)
        return Launched(study_id, None, new)

    def cancel(self, study_id: str) -> list[str] | None:
        """Cancel the study. Returns the ids of its runs to cancel with it, or None if there is no such study.

        These are the runs that this study, or one cancelled earlier, has launched and that no other study needs; any
        other run that it joined is somebody else's.
        """
        with self.database.writing() as connection:
            found = _study_row(connection, study_id)
            if found is None:
                return None
            connection.execute(sa.update(STUDIES).where(STUDIES.c.number == found.number).values(cancelled=True))
            others = MEMBERS.alias("others")
            needed = (
                sa.select(others.c.run)
                .join(STUDIES, STUDIES.c.number == others.c.study)
                .where(others.c.run == RUNS.c.number, STUDIES.c.number != found.number, ~STUDIES.c.cancelled)
            )
            given_up = sa.select(STUDIES.c.owner).where(STUDIES.c.cancelled)  # by now, this study's is among them
            own = (
                sa.select(RUNS.c.id)
                .join(MEMBERS, MEMBERS.c.run == RUNS.c.number)
                .where(
                    MEMBERS.c.study == found.number,
                    RUNS.c.owner.in_(given_up),
                    RUNS.c.state.in_(("queued", "running")),
                    ~sa.exists(needed),
                )
                .order_by(RUNS.c.state, RUNS.c.number)  # those that wait first, so that none begins meanwhile
            )
            return list(connection.scalars(own))

    def get(self, study_id: str) -> Study | None:
        with self.database.reading() as connection:
            row = _study_row(connection, study_id)
            return next(iter(_read(connection, [row])), None) if row else None

    def latest(self) -> list[Study]:
        """The newest study of each of the catalog's names at each scale, the newest first; a cancelled one only where
        there is no other.

        So nobody's cancel hides a study that goes on. One of which single runs were cancelled comes between the two.
        """
        spoiled = sa.exists().where(
            MEMBERS.c.study == STUDIES.c.number,
            RUNS.c.number == MEMBERS.c.run,
            (RUNS.c.state == "cancelled") | RUNS.c.cancel_requested,
        )
        rank = sa.case((STUDIES.c.cancelled, 2), (spoiled, 1), else_=0)
        turn = sa.func.row_number().over(
            partition_by=(STUDIES.c.name, STUDIES.c.scale), order_by=(rank, STUDIES.c.number.desc())
        )
        ranked = sa.select(STUDIES.c.number, turn.label("turn")).where(STUDIES.c.name != OWN).subquery()
        newest = sa.select(ranked.c.number).where(ranked.c.turn == 1)
        statement = sa.select(STUDIES).where(STUDIES.c.number.in_(newest)).order_by(STUDIES.c.number.desc())
        with self.database.reading() as connection:
            return _read(connection, connection.execute(statement).all())

    def may_change(self, study_id: str, token: str) -> bool:
        """Whether `token` is the one that `launch` gave out for this study."""
        with self.database.reading() as connection:
            owner = connection.scalar(sa.select(STUDIES.c.owner).where(STUDIES.c.id == study_id))
        return hmac.compare_digest(hashed(token), owner or "")

    def label(self, study_id: str) -> tuple[str, str] | None:
        """Name and scale of a study, OWN and the title of somebody's own; None if there is none."""
        with self.database.reading() as connection:
            row = _study_row(connection, study_id)
            found = _read(connection, [row]) if row and row.name == OWN else []
        asked = found[0].spec.asked if found else None
        return (row.name, asked.title if asked else row.scale) if row else None


def _study_row(connection: Connection, study_id: str) -> Row[Any] | None:
    return connection.execute(sa.select(STUDIES).where(STUDIES.c.id == study_id)).first()


def _renamed(connection: Connection, study: int) -> bool:
    """Whether the operator has renamed a run that belongs to the study."""
    runs = sa.select(MEMBERS.c.run).where(MEMBERS.c.study == study)
    there = sa.select(LOG.c.id).where(LOG.c.run.in_(runs), LOG.c.message == RENAMED)
    return connection.scalar(there.limit(1)) is not None


def _finished(connection: Connection, values: Mapping[str, Any]) -> str | None:
    """The id of the newest study of the same grid all of whose runs have finished."""
    open_run = sa.exists().where(
        MEMBERS.c.study == STUDIES.c.number, RUNS.c.number == MEMBERS.c.run, RUNS.c.state != "finished"
    )
    same = [STUDIES.c[field] == values[field] for field in ("name", "scale", "spec")]
    statement = sa.select(STUDIES.c.id).where(*same, ~open_run).order_by(STUDIES.c.number.desc()).limit(1)
    found: str | None = connection.scalar(statement)
    return found


def _places_over(connection: Connection, study: int) -> list[int]:
    """The places of the study whose run has ended, or is about to end, without a result."""
    statement = (
        sa.select(MEMBERS.c.place)
        .join(RUNS, RUNS.c.number == MEMBERS.c.run)
        .where(
            MEMBERS.c.study == study,
            RUNS.c.state.in_(("failed", "cancelled")) | (RUNS.c.cancel_requested & (RUNS.c.state == "running")),
        )
    )
    return list(connection.scalars(statement.order_by(MEMBERS.c.place)))


def _read(connection: Connection, rows: Sequence[Row[Any]]) -> list[Study]:
    """The studies that this version can read, each with its readable runs."""
    numbers = [row.number for row in rows]
    places = connection.execute(
        sa.select(MEMBERS.c.study, MEMBERS.c.run)
        .where(MEMBERS.c.study.in_(numbers))
        .order_by(MEMBERS.c.study, MEMBERS.c.place)
    ).all()
    wanted = {place.run for place in places}
    there = {row.number: read_any(row) for row in connection.execute(select_runs().where(RUNS.c.number.in_(wanted)))}
    runs = {number: run for number, run in there.items() if isinstance(run, Run)}
    studies = []
    for row in rows:
        members = [runs[place.run] for place in places if place.study == row.number and place.run in runs]
        with suppress(ValidationError):
            spec = read_study(row.spec)
            if row.name == OWN and _renamed(connection, row.number):
                spec = spec.without_words
            if members:
                studies.append(Study(row.id, spec, row.created_at, row.cancelled, members))
    return studies
