"""Runs: submit, look up, list, cancel, resume and remove. What only the holder of a run may do is in `claims.py`."""

from __future__ import annotations

import hmac
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.run.spec import RunSpec
from jobs.quotas import UNKNOWN, UNLIMITED, Asker, Limits
from jobs.store import curves
from jobs.store.database import Database
from jobs.store.mapping import kept, newest_study, read_any, read_run, readable, select_run, select_runs
from jobs.store.records import RESUMABLE, TERMINAL, Group, LogRow, Run, State, Unreadable
from jobs.store.shares.admission import ALONE, admit_launch
from jobs.store.shares.prices import check_again, check_price
from jobs.store.shares.tables import BURIED
from jobs.store.shares.turns import next_turn
from jobs.store.submission import IN_STUDY, hashed, id_of, insert_run, launched, new_token, row_of, token_of
from jobs.store.tables import MEMBERS, RUNS, STARTS, STUDIES
from jobs.store.tallies import Filters
from jobs.store.webhooks.endings import Wish, rearm

REMOVED_FOR_S = 3600.0
"""How long a removed run can be brought back."""

SORTS: dict[str, sa.Column[Any]] = {
    name: RUNS.c[name]
    for name in (
        "created_at",
        "started_at",
        "finished_at",
        "name",
        "state",
        "policy",
        "architecture",
        "dataset",
        "epochs",
        "replicate",
        "top1",
    )
}
"""What a list of runs can be sorted by."""


class MissingStart(LookupError):
    """The file that a run would start from is not here (any more)."""


@dataclass(eq=False)
class Runs:
    """What anybody may do with runs."""

    database: Database

    def submit(
        self,
        spec: RunSpec,
        *,
        owner_token: str | None = None,
        by: Asker = UNKNOWN,
        limits: Limits = UNLIMITED,
        keeps: bool = False,
        key: str | None = None,
        question: str | None = None,
        room: str | None = None,
        label: str | None = None,
        webhook: Wish | None = None,
    ) -> tuple[Run, str]:
        """Queue a run that `by` asks for, to answer a `question`, in `room`; `keeps`: keep its network, however large;
        `label`: only for workers that have it.

        Returns it with the token that proves who may change it; the database keeps only its hash. With a `key`, which
        nobody else knows, a repeated call returns the run of the first one. Raises Refused, and MissingStart, and
        TooExpensive, and KeyTaken.
        """
        check_price(spec, limits.cap)
        token = owner_token or (token_of(key) if key else new_token())
        row = {**row_of(spec, hashed(token), by=by), "keeps": keeps, "question": question, "room": room}
        row |= {"label": label} | ({"id": id_of(key)} if key else {})
        try:
            return self._submit(row, spec, by, limits, webhook), token
        except IntegrityError:  # the same call came twice at once
            if key is None:
                raise
            return self._submit(row, spec, by, limits, webhook), token

    def _submit(self, row: dict[str, Any], spec: RunSpec, by: Asker, limits: Limits, webhook: Wish | None) -> Run:
        with self.database.writing() as connection:
            if not launched(connection, row):
                admit_launch(connection, limits, by, row["disk_bytes"])
                _insist_on_start(connection, spec.start)
                insert_run(connection, row, limits, webhook=webhook)
            return read_run(connection.execute(select_runs().where(RUNS.c.id == row["id"])).one())

    def may_change(self, run_id: str, token: str) -> bool:
        """Whether `token` is the one that `submit` gave out for this run."""
        with self.database.reading() as connection:
            owner = connection.scalar(sa.select(RUNS.c.owner).where(RUNS.c.id == run_id))
        return hmac.compare_digest(hashed(token), owner or "")

    def state(self, run_id: str) -> State | None:
        """Where the run stands, also where it cannot be read; None if there is none."""
        with self.database.reading() as connection:
            state: State | None = connection.scalar(sa.select(RUNS.c.state).where(RUNS.c.id == run_id, kept()))
        return state

    def get(self, run_id: str) -> Run | None:
        """The run; None if there is none. Raises UnreadableRun."""
        with self.database.reading() as connection:
            row = connection.execute(select_run(), {"id": run_id}).first()
        return read_run(row) if row else None

    def many(self, run_ids: Collection[str]) -> dict[str, Run]:
        """Those of `run_ids` that exist and can be read, in one query."""
        with self.database.reading() as connection:
            rows = connection.execute(select_runs().where(RUNS.c.id.in_(run_ids))).all()
        return {run.id: run for run in readable(rows)}

    def known(self, run_ids: Collection[str]) -> set[str]:
        """Those of `run_ids` that exist, also removed ones and such that cannot be read."""
        with self.database.reading() as connection:
            return set(connection.scalars(sa.select(RUNS.c.id).where(RUNS.c.id.in_(run_ids))))

    def find(self, **wanted: Any) -> tuple[list[Run], int]:
        """Those of `listed` that can be read, and how many pass in all."""
        found, total = self.listed(**wanted)
        return [run for run in found if isinstance(run, Run)], total

    def listed(
        self,
        filters: Filters | None = None,
        *,
        group: Group | None = None,
        sort: str = "created_at",
        descending: bool = True,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[list[Run | Unreadable], int]:
        """A page of the runs that pass `filters`, and how many pass in all.

        `group`: the runs of one study, or of one question, stand together; those of none come last. Runs without a
        value in the sorted column come last. Raises ValueError for a column that is not in SORTS.
        """
        if sort not in SORTS:
            raise ValueError(f"sort must be one of {', '.join(SORTS)}; got {sort!r}")
        conditions = (filters or Filters()).conditions()
        column = SORTS[sort]
        together = {
            None: (),
            "study": (newest_study().desc().nulls_last(),),
            "question": (RUNS.c.question.nulls_last(),),
        }
        # At equal values the newest first, so that pages never overlap.
        order = (*together[group], (column.desc() if descending else column.asc()).nulls_last(), RUNS.c.number.desc())
        page = select_runs().where(*conditions).order_by(*order).limit(limit).offset(offset)
        with self.database.reading() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(RUNS).where(*conditions)) or 0
            rows = connection.execute(page).all()
        return [read_any(row) for row in rows], total

    def like(self, run: Run, limit: int = 100) -> list[Run]:
        """Runs of other policies with the same architecture, data set, length and replicate, the newest first."""
        c, spec = RUNS.c, run.spec
        alike = (
            c.architecture == spec.architecture,
            c.dataset == spec.dataset,
            c.epochs == spec.epochs,
            c.replicate == spec.replicate,
            c.policy != spec.policy,
        )
        page = select_runs().where(*alike).order_by(c.number.desc()).limit(limit)
        with self.database.reading() as connection:
            return readable(connection.execute(page))

    def log(self, run_id: str, after: int = 0) -> list[LogRow]:
        """What happened to the run after cursor `after`."""
        with self.database.reading() as connection:
            return curves.select_log(connection, run_id, after)

    def cancel(self, run_id: str) -> Run | None:
        """Cancel a queued run at once; ask the holder of a running one to stop it; leave an ended one as it is.

        A run that an open study of another owner needs goes over to that study instead, and goes on. Raises
        UnreadableRun, once it is done.
        """
        with self.database.writing() as connection:
            row = connection.execute(sa.select(RUNS).where(RUNS.c.id == run_id).with_for_update()).first()
            if row is None:
                return None
            heir = _heir(connection, row) if row.state in ("queued", "running") and not row.cancel_requested else None
            if heir is not None:
                values = {field: heir._mapping[field] for field in ("owner", "visitor", "address")}
                if row.priority == ALONE and row.state == "queued":
                    values["priority"] = IN_STUDY[heir.scale]
                curves.insert_log(connection, row.number, row.attempt, "warning", HANDED_OVER)
            elif row.state == "queued":
                values = {"state": "cancelled", "cancel_requested": True, "finished_at": time.time()}
                curves.insert_log(connection, row.number, row.attempt, "cancelled", "Cancelled while queued.")
            elif row.state == "running" and not row.cancel_requested:
                values = {"cancel_requested": True}
                curves.insert_log(connection, row.number, row.attempt, "cancelling", "Asked to stop.")
            else:
                values = {}
            if values:
                connection.execute(sa.update(RUNS).where(RUNS.c.number == row.number).values(values))
            row = connection.execute(select_runs().where(RUNS.c.number == row.number)).one()
        return read_run(row)

    def resume(self, run_id: str, *, by: Asker = UNKNOWN, limits: Limits = UNLIMITED) -> Run | None:
        """Queue a failed or cancelled run again, with its troubles forgotten, to resume from its checkpoint. None: it
        is in another state, or was removed. It counts as asked for by `by`. Raises Refused, and TooExpensive."""
        values = {
            **dict.fromkeys(("finished_at", "error_kind", "error_message", "trouble_step", "not_before", "shunned")),
            **dict.fromkeys(("evicted_at", "dropped_at")),
            **dict.fromkeys(("crashes", "losses"), 0),
            "state": "queued",
            "cancel_requested": False,
            "place": None,
        }
        ended = (RUNS.c.id == run_id, RUNS.c.state.in_(RESUMABLE), kept())
        with self.database.writing() as connection:
            if connection.scalar(sa.select(RUNS.c.number).where(*ended)) is None:
                return None
            admit_launch(connection, limits, by)
            row = connection.execute(sa.select(RUNS).where(*ended).with_for_update()).first()
            if row is None:
                return None
            check_again(connection, row, limits.cap)
            rearm(connection, run=row.number)
            if by.owner is not None:
                values |= {"visitor": by.owner, "address": by.address}
            values["turn"] = next_turn(connection, by, row.price_s, row.priority, limits.address_owners)
            connection.execute(sa.update(RUNS).where(RUNS.c.number == row.number).values(values))
            curves.insert_log(connection, row.number, row.attempt, "requeued", "Queued again by its owner.")
            return read_run(connection.execute(select_runs().where(RUNS.c.number == row.number)).one())

    def remove(self, run_id: str) -> str | None:
        """Remove the run from all lists. Returns the reason if that is not allowed, else None."""
        with self.database.writing() as connection:
            row = connection.execute(
                sa.select(RUNS.c.number, RUNS.c.state).where(RUNS.c.id == run_id).with_for_update()
            ).first()
            if row is None:
                return f"there is no run {run_id}"
            if row.state not in TERMINAL:
                return f"the run is {row.state}; cancel it first"
            if connection.scalar(sa.select(MEMBERS.c.study).where(MEMBERS.c.run == row.number).limit(1)) is not None:
                return "a study needs this run, so it cannot be deleted"
            out = sa.update(RUNS).where(RUNS.c.number == row.number, kept())
            connection.execute(out.values(removed_at=self.database.clock()))
        return None

    def restore(self, run_id: str) -> Run | None:
        """Bring the run back; None if there is none, or it has been deleted. Raises UnreadableRun, once it is back."""
        with self.database.writing() as connection:
            connection.execute(sa.update(RUNS).where(RUNS.c.id == run_id).values(removed_at=None))
            row = connection.execute(select_run(), {"id": run_id}).first()
        return read_run(row) if row else None

    def bury(self, after_s: float) -> list[str]:
        """Delete the runs that were removed `after_s` ago, with all that belongs to them. Returns their ids."""
        old = RUNS.c.removed_at <= self.database.clock() - after_s
        with self.database.reading() as connection:
            if connection.execute(sa.select(RUNS.c.number).where(old).limit(1)).first() is None:
                return []  # the usual case, which writes nothing
        with self.database.writing() as connection:
            gone = list(connection.scalars(sa.delete(RUNS).where(old).returning(RUNS.c.id)))
            if gone:
                connection.execute(sa.insert(BURIED).values(at=self.database.clock()), [{"id": name} for name in gone])
        return gone

    def buried(self, run_ids: Collection[str]) -> set[str]:
        """Those of `run_ids` that were deleted for good, on whichever machine."""
        with self.database.reading() as connection:
            return set(connection.scalars(sa.select(BURIED.c.id).where(BURIED.c.id.in_(run_ids))))


HANDED_OVER = "Given up by its owner. Somebody else's study needs it, so it continues as a run of that study."


def _heir(connection: sa.Connection, run: sa.Row[Any]) -> sa.Row[Any] | None:
    """The oldest open study of another owner that needs the run."""
    needs = (
        sa.select(STUDIES)
        .join(MEMBERS, MEMBERS.c.study == STUDIES.c.number)
        .where(MEMBERS.c.run == run.number, ~STUDIES.c.cancelled, STUDIES.c.owner != run.owner)
    )
    return connection.execute(needs.order_by(STUDIES.c.number).limit(1)).first()


def _insist_on_start(connection: sa.Connection, digest: str | None) -> None:
    here = sa.select(STARTS.c.digest).where(STARTS.c.digest == digest)
    if digest is not None and connection.scalar(here) is None:
        raise MissingStart(digest)
