"""The one question that all live panels ask: "what is new since my cursors?"

A watched run is read twice a second, or once where a crowd asks, however many watch it: the rows since the newest one
known are added to what is kept here, and each watcher gets the part behind its own cursors. Whoever finds that one must
be read reads all that are watched, so most questions need nothing of the database. Nothing is kept for a watcher, so a
panel goes on after a restart of the server. Says nothing about requests; `api.py` asks.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from sqlalchemy.exc import DBAPIError

from app.live.messages import Answer, Question, RunNews
from app.live.watched import Watched
from jobs.store.breaker import Breaker, DatabaseAway
from jobs.store.records import Health
from jobs.store.store import Store

FRESH_S, FRESH_IN_A_CROWD_S = 0.5, 1.0
"""For how long what was read is new enough; the latter where MANY_PER_S ask, who get it as often as they ask."""
HEALTH_S = 1.0
AHEAD = 0.8
"""Part of that time after which all that is followed is read at once: before any of it is too old."""
KEPT_RUNS, KEPT_POINTS = 48, 400_000
INTERVAL_MS, CATCH_UP_MS, LONGEST_MS = 1000, 100, 15_000
MANY_PER_S = 20
"""Questions in a second from which on it is a crowd: some twenty visitors."""
QUESTIONS_PER_S = 250
"""More than this and everybody is asked to come less often."""


class Feed:
    """Answers questions. `now` is a monotonic clock in seconds."""

    def __init__(self, store: Store, public_url: str | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._public_url = public_url
        self._now = now
        self._breaker = Breaker(now)
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
                with self._breaker.reading():
                    self._health = self._store.tallies.health()
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
        """What is new. Blocks while it reads the database; raises DatabaseAway or DBAPIError where that is away."""
        self._breaker.check()
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
        except (DBAPIError, DatabaseAway):
            raise  # it does not answer: nobody need wait for the next one to fail, too
        except Exception:  # one is damaged: who asks for it is told
            return
        finally:
            self._reads_all = False

    def _watch(self, run_id: str) -> Watched:
        with self._lock:
            watched = self._watched.get(run_id)
            if watched is None:  # kept before it is read: who asks meanwhile waits for the same reading
                watched = self._watched[run_id] = Watched(self._store, run_id, self._breaker, self._public_url)
            self._watched.move_to_end(run_id)
        watched.refresh(self._now, self._fresh_s)
        with self._lock:
            if watched.resumed or watched.summary is None:  # of a run that does not exist nothing is kept
                if self._watched.get(run_id) is watched:
                    del self._watched[run_id]
            else:
                points = sum(len(kept.curve[0]) for kept in self._watched.values())
                while len(self._watched) > KEPT_RUNS or (points > KEPT_POINTS and len(self._watched) > 1):
                    points -= len(self._watched.popitem(last=False)[1].curve[0])
        return self._watch(run_id) if watched.resumed else watched

    def _interval_ms(self) -> int:
        """A second; more where so many asked within the last one that answering would cost too much."""
        with self._lock:
            second = int(self._now())
            if second != self._second:
                self._asked_before = self._asked if second == self._second + 1 else 0
                self._second, self._asked = second, 0
            self._asked += 1
            return min(LONGEST_MS, INTERVAL_MS * max(1, math.ceil(self._asked_before / QUESTIONS_PER_S)))
