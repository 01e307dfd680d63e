"""One run and all its rows that were read so far: what `feed.py` keeps of each that is watched."""

from __future__ import annotations

import bisect
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

from typing_extensions import TypedDict

from app.live.messages import Cursors, DisabledRow, LogLine, RunNews, SnapshotRow, SpeedRow
from app.views.points import PointRow, Thinning
from app.views.runs import LayerView, RunSummary, layers, short, summary
from core.run.cost import keeps_snapshot
from core.run.events import BINS, Snapshot
from jobs.store.breaker import Breaker
from jobs.store.mapping import UnreadableRun
from jobs.store.records import RESUMABLE, TERMINAL, Delta, LogRow, Run, StoredSnapshot
from jobs.store.store import Store

FOLLOWED_S = 2.5
"""A run that nobody has asked for in this time is followed no more: it is read when somebody asks."""
KEPT_LAYERS = 4
MAX_CELLS = 8_000_000
"""Numbers of histograms that one answer may take apart: a layer's share of all the layers' details."""

T = TypeVar("T")


class _OfLayer(TypedDict):
    """What a snapshot's row says of one layer only."""

    gamma: list[int]
    beta: list[int]
    gamma_quantiles: list[float]
    beta_quantiles: list[float]


class Watched:
    """One run and all its rows that were read so far, ready to be sent. `refresh` may be called by many threads."""

    def __init__(self, store: Store, run_id: str, breaker: Breaker, public_url: str | None = None) -> None:
        self._store = store
        self._breaker = breaker
        self._id = run_id
        self._public_url = public_url
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self.asked_at = float("-inf")
        self._histograms: OrderedDict[int, dict[int, _OfLayer]] = OrderedDict()
        self._complete = False
        self.resumed = False
        """It had failed or was cancelled, and was queued again: what is known here ends where it ended."""
        self._thinning: Thinning | None = None
        self.summary: RunSummary | None = None
        self.layers: list[LayerView] | None = None
        self.curve: tuple[list[PointRow], PointRow | None] = ([], None)
        self.snapshots: list[SnapshotRow] = []
        self.log: list[LogLine] = []
        self.speeds: list[SpeedRow] = []

    def is_fresh(self, now: float, age_s: float) -> bool:
        """Whether everything was read less than `age_s` ago, or nothing can be new any more."""
        return self._complete or (now - self._read_at < age_s and not self.resumed)

    def is_followed(self, now: float) -> bool:
        """Whether somebody asked lately, and something can be new."""
        return not self._complete and now - self.asked_at < FOLLOWED_S

    def refresh(self, now: Callable[[], float], age_s: float) -> None:
        """Read what is new, unless that was done less than `age_s` ago."""
        if self.is_fresh(now(), age_s):
            return
        with self._lock:
            if self.is_fresh(now(), age_s):  # another thread was quicker
                return
            point = self._thinning.newest if self._thinning else 0
            snapshot = self.snapshots[-1]["id"] if self.snapshots else 0
            speed = self.speeds[-1][0] if self.speeds else 0
            try:
                with self._breaker.reading():
                    watch = self._store.curves.delta(self._id, point, snapshot, speed)
            except UnreadableRun:  # GET /api/runs/{id} says why
                watch = None
            if self.summary is not None and self.summary["state"] in RESUMABLE:
                self.resumed = watch is None or watch.run.finished_at != self.summary["finished_at"]
            elif watch is not None:
                self.layers = layers(watch.run.started)  # before the snapshots, whose first asker gets them
                self._add_points(watch)
                self._add_snapshots(watch)
                self.log = [_log_line(row) for row in watch.log]
                self._add_speeds(watch)
                # Last, because who sees a run as ended asks no more: the rows must be there before.
                self.summary = summary(watch.run, self._public_url)
                self._complete = watch.run.state in TERMINAL - RESUMABLE
            self._read_at = now()

    def _add_points(self, watch: Delta) -> None:
        if self._thinning is None:
            self._thinning = Thinning(watch.run.spec)
        rows = self._thinning.add(watch.points)
        if watch.run.state in TERMINAL:
            rows += self._thinning.end()
        self.curve = ([*self.curve[0], *rows], self._thinning.latest)

    def _add_snapshots(self, watch: Delta) -> None:
        rows = [*self.snapshots, *(_snapshot_row(watch.run, snapshot) for snapshot in watch.snapshots)]
        self.snapshots = [row for row in rows[:-1] if row["kept"]] + rows[-1:]

    def _add_speeds(self, watch: Delta) -> None:
        epochs = watch.run.spec.epochs / watch.run.spec.total_steps
        rows = ((row.id, short(row.step * epochs), short(row.images_per_s)) for row in watch.speeds)
        self.speeds = [*self.speeds, *rows]

    def news(self, cursors: Cursors, layer: int | None) -> tuple[RunNews | None, bool]:
        """What is new, and whether there is more than fits into one answer; None: there is no such run."""
        run = self.summary  # before the rows, as it was written after them
        if run is None:
            return None, False
        known, latest = self.curve  # one of the other: another thread may be adding to it
        points = _behind(known, cursors.points, lambda row: row[0])
        snapshots = _behind(self.snapshots, cursors.snapshots, lambda row: row["id"])
        log = _behind(self.log, cursors.log, lambda row: row["id"])
        disabled = self._disabled(_behind(self.snapshots, cursors.disabled, lambda row: row["id"]))
        speeds = _behind(self.speeds, cursors.speeds, lambda row: row[0])
        fitting = len(snapshots)
        if snapshots and layer is not None:
            layer_count = len(snapshots[0]["disabled"])
            fitting = max(1, MAX_CELLS // (2 * (BINS + 2) * layer_count)) if layer < layer_count else 0
        more = 0 < fitting < len(snapshots)
        snapshots = snapshots[:fitting]
        news: RunNews = {
            "run": {**run, "layers": self.layers} if cursors.snapshots == 0 else run,
            "points": points,
            "latest": None if cursors.points is None else latest,
            "thinned": self._thinning is not None and self._thinning.thins,
            "snapshots": snapshots if layer is None else self._of_layer(layer, snapshots),
            "log": log,
            "disabled": disabled,
            "speeds": speeds,
            "cursor": {
                "points": points[-1][0] if points else cursors.points,
                "snapshots": snapshots[-1]["id"] if snapshots else cursors.snapshots,
                "log": log[-1]["id"] if log else cursors.log,
                "disabled": disabled[-1][0] if disabled else cursors.disabled,
                "speeds": speeds[-1][0] if speeds else cursors.speeds,
            },
        }
        return news, more

    def _disabled(self, rows: Sequence[SnapshotRow]) -> list[DisabledRow]:
        features = sum(layer["channels"] for layer in self.layers or ())
        if not features:
            return []
        return [(row["id"], row["step"], row["epoch"], short(sum(row["disabled"]) / features)) for row in rows]

    def _of_layer(self, layer: int, rows: Sequence[SnapshotRow]) -> list[SnapshotRow]:
        """`rows` with the counts of one layer in place of the sums over all."""
        with self._lock:
            known = self._histograms.setdefault(layer, {})
            self._histograms.move_to_end(layer)
            while len(self._histograms) > KEPT_LAYERS:
                self._histograms.popitem(last=False)
            if missing := [row["step"] for row in rows if row["step"] not in known]:
                with self._breaker.reading():
                    for detail in self._store.curves.details(self._id, steps=missing):
                        known[detail.step] = _of_layer(detail, layer)
            # A snapshot that was only there to be watched may be gone by now: the next one is in its place.
            found: list[SnapshotRow] = [{**row, **known[row["step"]]} for row in rows if row["step"] in known]
            for step in known.keys() - {row["step"] for row in self.snapshots}:
                del known[step]
            return found


def _behind(rows: list[T], cursor: int | None, id_of: Callable[[T], int]) -> list[T]:
    """The rows with an id above `cursor`; none where the asker does not want them."""
    return [] if cursor is None else rows[bisect.bisect_right(rows, cursor, key=id_of) :]


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


def _of_layer(detail: Snapshot, layer: int) -> _OfLayer:
    return {
        "gamma": list(detail.gamma.counts[layer]),
        "beta": list(detail.beta.counts[layer]),
        "gamma_quantiles": [short(value) for value in detail.gamma.quantiles[layer]],
        "beta_quantiles": [short(value) for value in detail.beta.quantiles[layer]],
    }


def _log_line(row: LogRow) -> LogLine:
    return {"id": row.id, "at": row.at, "attempt": row.attempt, "kind": row.kind, "message": row.message}
