"""The store: submit, look up, list, cancel, and read curves. The worker's side is in `holding.py`.

Every statement of the program is here, in `holding.py`, `ordering.py`, `staff.py`, `studies.py`, `evaluations.py`,
`examples.py`, `matching.py`, `curves.py` and `results.py`. It knows no web and no queue.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Collection, Iterator
from functools import lru_cache
from statistics import median
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from core.run.cost import step_macs
from core.run.events import Point, Snapshot
from core.run.spec import RunSpec
from jobs.store import curves
from jobs.store.claims import Holding
from jobs.store.evaluations import Evaluations
from jobs.store.examples import Examples
from jobs.store.mapping import UnreadableRun, kept, read_any, read_run, read_spec, readable, select_run, select_runs
from jobs.store.order import QUEUE, Ordering
from jobs.store.records import (
    RESUMABLE,
    Health,
    LogRow,
    Run,
    State,
    StoredSnapshot,
    StoredSpeed,
    Unreadable,
    Watch,
)
from jobs.store.removal import Removing
from jobs.store.results import Results
from jobs.store.studies import Studies
from jobs.store.submission import hashed, insert_run, new_token, row_of
from jobs.store.tables import RUNS, WORKERS
from jobs.store.tallies import Filters, Tallies
from jobs.store.workers import Staff, alive

SPEED_OF_LAST = 10

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


class Store(Holding, Ordering, Removing, Results, Staff, Studies, Evaluations, Examples, Tallies):
    """Runs and all that belongs to them, in one database. May be shared by threads."""

    def submit(self, spec: RunSpec, *, owner_token: str | None = None) -> tuple[Run, str]:
        """Queue a run. Returns it with the token that proves who may change it; the database keeps only its hash."""
        token = owner_token or new_token()
        row = row_of(spec, hashed(token))
        with self.writing() as connection:
            number = insert_run(connection, row)
            run = read_run(connection.execute(select_runs().where(RUNS.c.number == number)).one())
        return run, token

    def owns(self, run_id: str, token: str) -> bool:
        """Whether `token` is the one that `submit` gave out for this run."""
        with self.reading() as connection:
            owner = connection.scalar(sa.select(RUNS.c.owner).where(RUNS.c.id == run_id))
        return hmac.compare_digest(hashed(token), owner or "")

    def state(self, run_id: str) -> State | None:
        """Where the run stands, also where it cannot be read; None if there is none."""
        with self.reading() as connection:
            state: State | None = connection.scalar(sa.select(RUNS.c.state).where(RUNS.c.id == run_id, kept()))
        return state

    def run(self, run_id: str) -> Run | None:
        """The run; None if there is none. Raises UnreadableRun."""
        with self.reading() as connection:
            row = connection.execute(select_run(), {"id": run_id}).first()
        return read_run(row) if row else None

    def watch(self, run_id: str, points_after: int, snapshots_after: int, speeds_after: int) -> Watch | None:
        """The run with its rows behind three cursors. The run first: of one seen as ended, all rows are there.

        Raises UnreadableRun.
        """
        with self.reading() as connection:
            row = connection.execute(select_run(), {"id": run_id}).first()
            if row is None:
                return None
            return Watch(
                read_run(row),
                curves.select_points(connection, run_id, points_after, None),
                curves.select_snapshots(connection, run_id, snapshots_after),
                curves.select_speeds(connection, run_id, speeds_after),
                curves.select_log(connection, run_id, 0),
            )

    def many(self, run_ids: Collection[str]) -> dict[str, Run]:
        """Those of `run_ids` that exist and can be read, in one question."""
        with self.reading() as connection:
            rows = connection.execute(select_runs().where(RUNS.c.id.in_(run_ids))).all()
        return {run.id: run for run in readable(rows)}

    def runs(self, **wanted: Any) -> tuple[list[Run], int]:
        """Those of `listed` that can be read, and how many match in all."""
        found, total = self.listed(**wanted)
        return [run for run in found if isinstance(run, Run)], total

    def listed(
        self,
        *,
        states: Collection[State] | None = None,
        policies: Collection[str] | None = None,
        architectures: Collection[str] | None = None,
        datasets: Collection[str] | None = None,
        text: str | None = None,
        sort: str = "created_at",
        descending: bool = True,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[list[Run | Unreadable], int]:
        """A page of the runs that match, and how many match in all. None means no condition.

        `text` is looked for in names and ids. Runs without a value in the sorted column come last. Raises
        ValueError for a column that is not in SORTS.
        """
        if sort not in SORTS:
            raise ValueError(f"sort must be one of {', '.join(SORTS)}; got {sort!r}")
        conditions = Filters(text, states, policies, architectures, datasets).conditions()
        column = SORTS[sort]
        # At equal values the newest first, so that pages never overlap.
        order = ((column.desc() if descending else column.asc()).nulls_last(), RUNS.c.number.desc())
        page = select_runs().where(*conditions).order_by(*order).limit(limit).offset(offset)
        with self.reading() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(RUNS).where(*conditions)) or 0
            rows = connection.execute(page).all()
        return [read_any(row) for row in rows], total

    def request_cancel(self, run_id: str) -> Run | None:
        """Cancel a queued run at once; ask the holder of a running one to stop it; leave an ended one as it is.

        Raises UnreadableRun, once it is done.
        """
        with self.writing() as connection:
            row = connection.execute(sa.select(RUNS).where(RUNS.c.id == run_id).with_for_update()).first()
            if row is None:
                return None
            if row.state == "queued":
                values = {"state": "cancelled", "cancel_requested": True, "finished_at": time.time()}
                curves.insert_log(connection, row.number, row.attempt, "cancelled", "Cancelled while it was waiting.")
            elif row.state == "running" and not row.cancel_requested:
                values = {"cancel_requested": True}
                curves.insert_log(connection, row.number, row.attempt, "cancelling", "Asked to stop.")
            else:
                values = {}
            if values:
                connection.execute(sa.update(RUNS).where(RUNS.c.number == row.number).values(values))
            row = connection.execute(select_runs().where(RUNS.c.number == row.number)).one()
        return read_run(row)

    def resume(self, run_id: str) -> Run | None:
        """Queue a failed or cancelled run again, its troubles forgotten, to go on from its checkpoint. None: it is in
        another state, or was removed."""
        values = {
            **dict.fromkeys(("finished_at", "error_kind", "error_message", "trouble_step")),
            **dict.fromkeys(("crashes", "losses"), 0),
            "state": "queued",
            "cancel_requested": False,
        }
        ended = sa.update(RUNS).where(RUNS.c.id == run_id, RUNS.c.state.in_(RESUMABLE), kept())
        with self.writing() as connection:
            row = connection.execute(ended.values(values).returning(RUNS.c.number, RUNS.c.attempt)).first()
            if row is None:
                return None
            curves.insert_log(connection, row.number, row.attempt, "requeued", "Queued again by who launched it.")
            return read_run(connection.execute(select_runs().where(RUNS.c.number == row.number)).one())

    def like(self, run: Run, limit: int = 100) -> list[Run]:
        """Other runs of the same architecture, data set, length and replicate, the newest first."""
        c, spec = RUNS.c, run.spec
        alike = (
            c.architecture == spec.architecture,
            c.dataset == spec.dataset,
            c.epochs == spec.epochs,
            c.replicate == spec.replicate,
            c.policy != spec.policy,
        )
        page = select_runs().where(*alike).order_by(c.number.desc()).limit(limit)
        with self.reading() as connection:
            return readable(connection.execute(page))

    def line(self, limit: int) -> list[Run]:
        """The first `limit` queued runs, the next one first."""
        page = select_runs().where(RUNS.c.state == "queued").order_by(*QUEUE).limit(limit)
        with self.reading() as connection:
            return readable(connection.execute(page))

    def speeds(self, run_id: str, after: int = 0) -> list[StoredSpeed]:
        """How fast the run trained, stored after cursor `after`."""
        with self.reading() as connection:
            return curves.select_speeds(connection, run_id, after)

    def snapshot_at(self, run_id: str, step: int) -> Snapshot | None:
        """The newest whole snapshot at or before `step`."""
        with self.reading() as connection:
            return curves.select_detail_at(connection, run_id, step)

    def points(self, run_id: str) -> list[Point]:
        """The points of the curves, in the order in which they came."""
        return [point for page in self.pages(run_id) for point in page]

    def pages(self, run_id: str, size: int = 5000) -> Iterator[list[Point]]:
        """The same, at most `size` at a time."""
        after = 0
        while True:
            with self.reading() as connection:
                rows = curves.select_points(connection, run_id, after, size)
            if not rows:
                return
            yield [point for _, point in rows]
            after = rows[-1][0]

    def tests(self, run_id: str) -> list[Point]:
        """The points of the test set alone: of a long run a few beside tens of thousands of train points."""
        with self.reading() as connection:
            return curves.select_split(connection, run_id, "test")

    def snapshots(self, run_id: str, after: int = 0) -> list[StoredSnapshot]:
        """The snapshots stored after cursor `after`, without their layers."""
        with self.reading() as connection:
            return curves.select_snapshots(connection, run_id, after)

    def snapshot_detail(self, run_id: str, steps: Collection[int] | None = None) -> list[Snapshot]:
        """Whole snapshots, all or those at `steps`."""
        with self.reading() as connection:
            return curves.select_details(connection, run_id, steps)

    def log(self, run_id: str, after: int = 0) -> list[LogRow]:
        """What happened to the run after cursor `after`."""
        with self.reading() as connection:
            return curves.select_log(connection, run_id, after)

    def claim(self, worker: str) -> Run | None:
        """The run that waits longest, now held by `worker`; None if none waits. One that nobody can read fails."""
        while run_id := self.claim_next(worker):
            try:
                return self.run(run_id)
            except UnreadableRun as error:
                self.fail(run_id, error.run.attempt, "error", f"It cannot be trained: {error}.")
        return None

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
        with self.reading() as connection:
            numbers = {row[0]: row[1] for row in connection.execute(of_state.group_by(RUNS.c.state))}
            workers = connection.scalar(sa.select(sa.func.count()).select_from(WORKERS).where(alive(self.clock())))
            speeds = list(connection.scalars(finished))
            if not speeds:
                known = [(_macs_per_image(row.spec), row.images_per_s) for row in connection.execute(running)]
                speeds = [macs * images_per_s for macs, images_per_s in known if macs is not None]
        return Health(
            workers=workers or 0,
            queued=numbers.get("queued", 0),
            running=numbers.get("running", 0),
            macs_per_s=median(speeds) if speeds else None,
        )


@lru_cache(256)
def _macs_per_image(spec: str) -> int | None:
    """None of a spec that cannot be read."""
    try:
        parsed = read_spec(spec)
    except ValidationError:
        return None
    return step_macs(parsed.plan, parsed.trains)
