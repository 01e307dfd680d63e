"""The one question that all live panels ask: "what is new since my cursors?"

A watched run is read twice a second, or once where a crowd asks, however many watch it: the rows since the newest one
known are added to what is kept here, and each watcher gets the part behind its own cursors. Whoever finds that one must
be read reads all that are watched, so most questions need nothing of the database. Nothing is kept for a watcher, so a
panel goes on after a restart of the server. Says nothing about requests; `api.py` asks.
"""

from __future__ import annotations

import bisect
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from typing_extensions import TypedDict

from app.news import Answer, Cursors, DisabledRow, LogLine, Question, RunNews, SnapshotRow, SpeedRow
from app.thinning import PointRow, Thinning
from app.views import LayerView, RunSummary, layers, short, summary
from core.cost import keeps_snapshot
from core.events import BINS, Snapshot
from jobs.reading import UnreadableRun
from jobs.rows import RESUMABLE, TERMINAL, Health, LogRow, Run, StoredSnapshot, Watch
from jobs.store import Store

FRESH_S, FRESH_IN_A_CROWD_S = 0.5, 1.0
"""For how long what was read is new enough; the latter where MANY_PER_S ask, who get it as often as they ask."""
HEALTH_S = 1.0
AHEAD = 0.8
"""Part of that time after which all that is followed is read at once: before any of it is too old."""
FOLLOWED_S = 2.5
"""A run that nobody has asked for in this time is followed no more: it is read when somebody asks."""
KEPT_RUNS, KEPT_POINTS, KEPT_LAYERS = 48, 400_000, 4
MAX_CELLS = 8_000_000
"""Numbers of histograms that one answer may take apart: a layer's share of all the layers' details."""
INTERVAL_MS, CATCH_UP_MS, LONGEST_MS = 1000, 100, 15_000
MANY_PER_S = 20
"""Questions in a second from which on it is a crowd: some twenty visitors."""
QUESTIONS_PER_S = 250
"""More than this and everybody is asked to come less often."""


class _OfLayer(TypedDict):
    """What a snapshot's row says of one layer only."""

    gamma: list[int]
    beta: list[int]
    gamma_quantiles: list[float]
    beta_quantiles: list[float]


class Watched:
    """One run and all its rows that were read so far, ready to be sent. `refresh` may be called by many threads."""

    def __init__(self, store: Store, run_id: str, public_url: str | None = None) -> None:
        self._store = store
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
                watch = self._store.watch(self._id, point, snapshot, speed)
            except UnreadableRun:  # GET /api/runs/{id} says why
                watch = None
            if self.summary is not None and self.summary["state"] in RESUMABLE:
                self.resumed = watch is None or watch.run.finished_at != self.summary["finished_at"]
            elif watch is not None:
                self._add_points(watch)
                self._add_snapshots(watch)
                self.log = [_log_line(row) for row in watch.log]
                self._add_speeds(watch)
                self.layers = layers(watch.run.started)
                # Last, because who sees a run as ended asks no more: the rows must be there before.
                self.summary = summary(watch.run, self._public_url)
                self._complete = watch.run.state in TERMINAL - RESUMABLE
            self._read_at = now()

    def _add_points(self, watch: Watch) -> None:
        if self._thinning is None:
            self._thinning = Thinning(watch.run.spec)
        rows = self._thinning.add(watch.points)
        if watch.run.state in TERMINAL:
            rows += self._thinning.end()
        self.curve = ([*self.curve[0], *rows], self._thinning.latest)

    def _add_snapshots(self, watch: Watch) -> None:
        rows = [*self.snapshots, *(_snapshot_row(watch.run, snapshot) for snapshot in watch.snapshots)]
        self.snapshots = [row for row in rows[:-1] if row["kept"]] + rows[-1:]

    def _add_speeds(self, watch: Watch) -> None:
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
                for detail in self._store.snapshot_detail(self._id, steps=missing):
                    known[detail.step] = _of_layer(detail, layer)
            # A snapshot that was only there to be watched may be gone by now: the next one is in its place.
            found: list[SnapshotRow] = [{**row, **known[row["step"]]} for row in rows if row["step"] in known]
            for step in known.keys() - {row["step"] for row in self.snapshots}:
                del known[step]
            return found


class Feed:
    """Answers questions. `now` is a monotonic clock in seconds."""

    def __init__(self, store: Store, public_url: str | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._public_url = public_url
        self._now = now
        self._lock = threading.Lock()
        """Never held while anything is read: `known` takes it on the event loop."""
        self._health_lock = threading.Lock()
        self._watched: OrderedDict[str, Watched] = OrderedDict()
        self._health = Health(0, 0, 0, None)
        self._health_at = self._all_read_at = float("-inf")
        self._reads_all = False
        self._second, self._asked, self._asked_before = 0, 0, 0

    def health(self) -> Health:
        """The installation's state, at most a second old."""
        with self._health_lock:
            if self._now() - self._health_at >= HEALTH_S:
                self._health = self._store.health()
                self._health_at = self._now()
            return self._health

    @property
    def is_crowded(self) -> bool:
        """Whether many asked in the second before the last question's, and that is not long ago."""
        return self._asked_before >= MANY_PER_S and self._now() - self._second < 2

    @property
    def _fresh_s(self) -> float:
        return FRESH_IN_A_CROWD_S if self.is_crowded else FRESH_S

    def known(self, question: Question) -> Answer | None:
        """What is new, where nothing must be read for it: nearly always where many watch. None: `answer` knows."""
        now, age_s = self._now(), self._fresh_s
        # While another thread reads everything, what was fresh until now is good enough.
        more_s = age_s if self._reads_all else 0.0
        if question.layer is not None or now - self._health_at >= HEALTH_S + more_s:
            return None
        with self._lock:
            runs = {run_id: self._watched.get(run_id) for run_id in question.runs}
            fresh = {
                run_id: run for run_id, run in runs.items() if run is not None and run.is_fresh(now, age_s + more_s)
            }
            for run_id in fresh:
                self._watched.move_to_end(run_id)
        return self._told(question, fresh, self._health) if len(fresh) == len(runs) else None

    def forget(self, run_id: str) -> None:
        """Keep nothing of a run that is not to be seen any more."""
        with self._lock:
            self._watched.pop(run_id, None)

    def answer(self, question: Question) -> Answer:
        """What is new. Blocks while it reads the database."""
        self._read_all()
        return self._told(question, {run_id: self._watch(run_id) for run_id in question.runs}, self.health())

    def _told(self, question: Question, watched: Mapping[str, Watched], health: Health) -> Answer:
        interval_ms = self._interval_ms()
        news: dict[str, RunNews | None] = {}
        for run_id, run in watched.items():
            run.asked_at = self._now()
            news[run_id], more = run.news(question.runs[run_id], question.layer)
            interval_ms = CATCH_UP_MS if more else interval_ms
        return {
            "runs": news,
            "interval_ms": interval_ms,
            "server": {"queued": health.queued, "running": health.running, "workers": health.workers},
        }

    def _read_all(self) -> None:
        """Read every run that is followed, if that was not just done: one after another they cost much less than each
        when its watchers ask, whose reading would also wait for a thread."""
        now = self._now()
        with self._lock:
            if self._reads_all or now - self._all_read_at < AHEAD * self._fresh_s:
                return
            self._all_read_at, self._reads_all = now, True
            followed = [run for run in self._watched.values() if run.is_followed(now)]
        try:
            for run in followed:
                run.refresh(self._now, (1 - AHEAD) * self._fresh_s)
        except DBAPIError:
            raise  # it does not answer: nobody need wait for the next one to fail, too
        except Exception:  # one is damaged: who asks for it is told
            return
        finally:
            self._reads_all = False

    def _watch(self, run_id: str) -> Watched:
        with self._lock:
            watched = self._watched.get(run_id)
        if watched is None:
            watched = Watched(self._store, run_id, self._public_url)
        watched.refresh(self._now, self._fresh_s)
        if watched.resumed:
            with self._lock:
                self._watched.pop(run_id, None)
            return self._watch(run_id)
        if watched.summary is None:  # of a run that does not exist nothing is kept
            return watched
        with self._lock:
            watched = self._watched.setdefault(run_id, watched)
            self._watched.move_to_end(run_id)
            points = sum(len(kept.curve[0]) for kept in self._watched.values())
            while len(self._watched) > KEPT_RUNS or (points > KEPT_POINTS and len(self._watched) > 1):
                points -= len(self._watched.popitem(last=False)[1].curve[0])
        return watched

    def _interval_ms(self) -> int:
        """A second; more where so many asked within the last one that answering would cost too much."""
        with self._lock:
            second = int(self._now())
            if second != self._second:
                self._asked_before = self._asked if second == self._second + 1 else 0
                self._second, self._asked = second, 0
            self._asked += 1
            return min(LONGEST_MS, INTERVAL_MS * max(1, math.ceil(self._asked_before / QUESTIONS_PER_S)))


T = TypeVar("T")


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
