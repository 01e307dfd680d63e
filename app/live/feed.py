"""Answers the one question of all live panels: what is new since my cursors?

The feed keeps the rows of every watched run in memory (`watched.py`). A run is read once in FRESH_S at most, however
many panels watch it, and then only the rows that are new. Nothing is kept for a panel: its cursors say what it has, so
it goes on after a restart of the server. The route is in `app/api/feed.py`.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from app.live.messages import Answer, Question, RunDelta
from app.live.watched import Watched
from jobs.store.breaker import Breaker
from jobs.store.records import Health
from jobs.store.store import Store

FRESH_S = 0.8
"""For how long rows count as new. Panels ask once a second, so a single one always gets what was just read."""
HEALTH_S = 1.0
KEPT_RUNS, KEPT_POINTS = 48, 400_000
INTERVAL_MS, CATCH_UP_MS, LONGEST_MS = 1000, 100, 15_000
QUESTIONS_PER_S = 250
"""Where more questions come in a second, all panels are told to ask less often."""


class Feed:
    """May be used by many threads. `now` is a monotonic clock in seconds."""

    def __init__(self, store: Store, public_url: str | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._public_url = public_url
        self._now = now
        self._breaker = Breaker(now)
        self._lock = threading.Lock()
        """Never held during a read: `known` takes it on the event loop."""
        self._health_lock = threading.Lock()
        self._watched: OrderedDict[str, Watched] = OrderedDict()
        """The run that was asked for last is the last one."""
        self._health = Health(0, 0, 0, None)
        self._health_at = float("-inf")
        self._second, self._asked, self._asked_before = 0, 0, 0
        """The second of the last question, and the number of questions in it and in the second before."""

    def known(self, question: Question) -> Answer | None:
        """The answer if it needs no read, for which no thread is worth its time; None: ask `answer`."""
        now = self._now()
        if question.layer is not None or now - self._health_at >= HEALTH_S:
            return None
        watched: dict[str, Watched] = {}
        with self._lock:
            for run_id in question.runs:
                run = self._watched.get(run_id)
                if run is None or not run.is_fresh(now, FRESH_S):
                    return None
                self._watched.move_to_end(run_id)
                watched[run_id] = run
        return self._answer(question, watched, self._health)

    def answer(self, question: Question) -> Answer:
        """The answer. Blocks while it reads; raises DatabaseAway or DBAPIError where the database does not answer."""
        self._breaker.check()
        return self._answer(question, {run_id: self._read(run_id) for run_id in question.runs}, self.health())

    def health(self) -> Health:
        """The installation's state, at most a second old."""
        with self._health_lock:
            if self._now() - self._health_at >= HEALTH_S:
                with self._breaker.reading():
                    self._health = self._store.tallies.health()
                self._health_at = self._now()
            return self._health

    def forget(self, run_id: str) -> None:
        """Keep nothing of a run that was removed."""
        with self._lock:
            self._watched.pop(run_id, None)

    def _answer(self, question: Question, watched: Mapping[str, Watched], health: Health) -> Answer:
        interval_ms = self._interval_ms()
        deltas: dict[str, RunDelta | None] = {}
        for run_id, run in watched.items():
            deltas[run_id], more = run.since(question.runs[run_id], question.layer)
            if more:
                interval_ms = CATCH_UP_MS
        return {
            "runs": deltas,
            "interval_ms": interval_ms,
            "server": {
                "queued": health.queued,
                "running": health.running,
                "workers": health.workers,
                "mode": health.mode,
            },
        }

    def _read(self, run_id: str) -> Watched:
        """The run with all rows that are there now."""
        with self._lock:
            run = self._watched.get(run_id)
            if run is None:  # kept before the read, so that others who ask meanwhile wait for the same read
                run = self._watched[run_id] = Watched(self._store, run_id, self._breaker, self._public_url)
            self._watched.move_to_end(run_id)
        run.refresh(self._now, FRESH_S)
        with self._lock:
            if (run.resumed or run.summary is None) and self._watched.get(run_id) is run:
                del self._watched[run_id]
            self._make_room()
        return self._read(run_id) if run.resumed else run

    def _make_room(self) -> None:
        points = sum(len(run.points[0]) for run in self._watched.values())
        while len(self._watched) > KEPT_RUNS or (points > KEPT_POINTS and len(self._watched) > 1):
            _, oldest = self._watched.popitem(last=False)
            points -= len(oldest.points[0])

    def _interval_ms(self) -> int:
        """A second; more where so many asked within the last one that answering them would cost too much."""
        with self._lock:
            second = int(self._now())
            if second != self._second:
                self._asked_before = self._asked if second == self._second + 1 else 0
                self._second, self._asked = second, 0
            self._asked += 1
            return min(LONGEST_MS, INTERVAL_MS * max(1, math.ceil(self._asked_before / QUESTIONS_PER_S)))
