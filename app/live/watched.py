"""One watched run: its rows that were read so far, in the form in which panels get them."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import TypeVar

from app.live.layers import LayerHistograms
from app.live.messages import Cursors, DisabledRow, LogLine, PointRow, RunDelta, SnapshotRow, SpeedRow
from app.views.cleaned import cleaned
from app.views.points import Thinning
from app.views.runs import LayerView, RunSummary, layers, lost, short, summary
from app.views.summaries import disabled_share
from core.run.cost import keeps_snapshot
from jobs.store.breaker import Breaker
from jobs.store.mapping import UnreadableRun
from jobs.store.records import RESUMABLE, TERMINAL, Delta, LogRow, Run, StoredSnapshot
from jobs.store.store import Store

ENDED_S = 30.0
"""How often a finished run is read again: it may lose its curves, its name, or be removed."""
T = TypeVar("T")
_first, _id = itemgetter(0), itemgetter("id")
"""Where a row has its cursor: a tuple at its first place, an object under its name."""


class Watched:
    """May be used by many threads. `refresh` replaces whole lists, so `since` may read them meanwhile."""

    def __init__(self, store: Store, run_id: str, breaker: Breaker, public_url: str | None = None) -> None:
        self._store, self._id, self._breaker, self._public_url = store, run_id, breaker, public_url
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._complete = False
        """It has finished and everything was read."""
        self._thinning: Thinning | None = None
        self._histograms = LayerHistograms(store, run_id, breaker)
        self._attempt: int | None = None
        self.resumed = False
        """It had failed or was cancelled and was queued again, or another attempt started: the rows here end where the
        earlier one ended."""
        self.summary: RunSummary | None = None
        self.layers: list[LayerView] | None = None
        self.points: tuple[list[PointRow], PointRow | None] = ([], None)
        """The rows, and the newest point of a thinned run, which belong together."""
        self.snapshots: list[SnapshotRow] = []
        self.log: list[LogLine] = []
        self.speeds: list[SpeedRow] = []

    def is_fresh(self, now: float, age_s: float) -> bool:
        """Whether everything was read less than `age_s` ago; ENDED_S if no new rows can come any more."""
        return now - self._read_at < (max(age_s, ENDED_S) if self._complete else age_s) and not self.resumed

    def refresh(self, now: Callable[[], float], age_s: float) -> None:
        """Read what is new, unless this was done less than `age_s` ago."""
        if self.is_fresh(now(), age_s):
            return
        with self._lock:
            if self.is_fresh(now(), age_s):  # another thread has read while this one waited for the lock
                return
            self._read()
            self._read_at = now()

    def _read(self) -> None:
        point = self._thinning.newest if self._thinning else 0
        snapshot = self.snapshots[-1]["id"] if self.snapshots else 0
        speed = self.speeds[-1][0] if self.speeds else 0
        try:
            with self._breaker.reading():
                delta = self._store.curves.delta(self._id, point, snapshot, speed)
        except UnreadableRun:  # GET /api/runs/{id} says why
            delta = None
        if self.summary is not None and (delta is None or lost(delta.run) != self.summary["lost"]):
            self.resumed = True
        elif self.summary is not None and self.summary["state"] in RESUMABLE:
            self.resumed = delta is None or delta.run.finished_at != self.summary["finished_at"]
        elif delta is not None and self._begins_anew(delta.run):
            self.resumed = True
        elif delta is not None:
            self.layers = layers(delta.run)  # before the snapshots: the first answer with some has the layers
            self._add_points(delta)
            self._add_snapshots(delta)
            self._add_speeds(delta)
            self.log = [_log_line(row) for row in delta.log]
            # Last: a panel that sees the run ended stops asking, so all rows must be there before.
            newest = self.snapshots[-1]["disabled"] if self.snapshots else None
            self.summary = summary(delta.run, self._public_url, disabled_share(delta.run, newest))
            self._complete = delta.run.state in TERMINAL - RESUMABLE

    def _begins_anew(self, run: Run) -> bool:
        """Whether another attempt has started, which measures anew what came after its checkpoint."""
        before, self._attempt = self._attempt, run.started.attempt if run.started else None
        return before is not None and before != self._attempt

    def _add_points(self, delta: Delta) -> None:
        if self._thinning is None:
            self._thinning = Thinning(delta.run.spec)
        rows = self._thinning.add(delta.points)
        if delta.run.state in TERMINAL:
            rows += self._thinning.end()
        latest = self._thinning.latest
        known, _ = self.points
        new = [(cursor, *point) for cursor, point in rows]
        self.points = ([*known, *new], (latest[0], *latest[1]) if latest else None)

    def _add_snapshots(self, delta: Delta) -> None:
        rows = [*self.snapshots, *(_snapshot_row(delta.run, snapshot) for snapshot in delta.snapshots)]
        self.snapshots = [row for row in rows[:-1] if row["kept"]] + rows[-1:]

    def _add_speeds(self, delta: Delta) -> None:
        epochs = delta.run.spec.epochs / delta.run.spec.total_steps
        rows = ((row.id, short(row.step * epochs), short(row.images_per_s)) for row in delta.speeds)
        self.speeds = [*self.speeds, *rows]

    def since(self, cursors: Cursors, layer: int | None) -> tuple[RunDelta | None, bool]:
        """The rows behind `cursors`, and whether more are left than fit into one answer; None: there is no such run.

        Of `layer`, the histograms of one layer only; these may have to be read.
        """
        run = self.summary  # first: it is written last
        if run is None:
            return None, False
        known, latest = self.points
        points = _behind(known, cursors.points, _first)
        snapshots = _behind(self.snapshots, cursors.snapshots, _id)
        log = _behind(self.log, cursors.log, _id)
        disabled = self._disabled(_behind(self.snapshots, cursors.disabled, _id))
        speeds = _behind(self.speeds, cursors.speeds, _first)
        some = snapshots if layer is None else self._histograms.fitting(layer, snapshots)
        delta: RunDelta = {
            "run": {**run, "layers": self.layers} if cursors.snapshots == 0 else run,
            "points": points,
            "latest": None if cursors.points is None else latest,
            "thinned": self._thinning is not None and self._thinning.thins,
            "snapshots": some if layer is None else self._histograms.of(layer, some, self.snapshots),
            "log": log,
            "disabled": disabled,
            "speeds": speeds,
            "cursor": {
                "points": _first(points[-1]) if points else cursors.points,
                "snapshots": _id(some[-1]) if some else cursors.snapshots,
                "log": _id(log[-1]) if log else cursors.log,
                "disabled": _first(disabled[-1]) if disabled else cursors.disabled,
                "speeds": _first(speeds[-1]) if speeds else cursors.speeds,
            },
        }
        return delta, 0 < len(some) < len(snapshots)

    def _disabled(self, rows: Sequence[SnapshotRow]) -> list[DisabledRow]:
        features = sum(layer["channels"] for layer in self.layers or ())
        if not features:
            return []
        return [(row["id"], row["step"], row["epoch"], short(sum(row["disabled"]) / features)) for row in rows]


def _behind(rows: list[T], cursor: int | None, cursor_of: Callable[[T], int]) -> list[T]:
    """The rows behind `cursor`; none if the panel does not want them."""
    return [] if cursor is None else rows[bisect.bisect_right(rows, cursor, key=cursor_of) :]


def _snapshot_row(run: Run, snapshot: StoredSnapshot) -> SnapshotRow:
    return {
        "id": snapshot.id,
        "step": snapshot.step,
        "epoch": short(snapshot.epoch),
        "gamma": snapshot.gamma,
        "beta": snapshot.beta,
        "gamma_quantiles": None,
        "beta_quantiles": None,
        "disabled": snapshot.disabled,
        "kept": keeps_snapshot(run.spec, snapshot.step),
    }


def _log_line(row: LogRow) -> LogLine:
    return {"id": row.id, "at": row.at, "attempt": row.attempt, "kind": row.kind, "message": cleaned(row.message)}
