"""Whether the server can do its work now, for a load balancer: asked of the database, at most once in KEPT_S."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from jobs.store.schema import is_current, is_writable
from jobs.store.store import Store

KEPT_S = 2.0


@dataclass(frozen=True)
class Readiness:
    """`answers`: the database can be read; `writable`, `current`: it takes writes, and has this program's schema;
    `workers`: how many live."""

    answers: bool = False
    writable: bool = False
    current: bool = False
    workers: int = 0

    @property
    def is_ready(self) -> bool:
        """Whether requests can be served. Without a worker they can: a run waits."""
        return self.answers and self.writable and self.current


class Probe:
    """May be used by many threads; one of them asks. `now` is a monotonic clock in seconds."""

    def __init__(self, store: Store, now: Callable[[], float] = time.monotonic) -> None:
        self._store, self._now = store, now
        self._lock = threading.Lock()
        self._kept, self._at = Readiness(), float("-inf")

    def readiness(self) -> Readiness:
        """The state, at most KEPT_S old. Blocks while it asks."""
        with self._lock:
            if self._now() - self._at >= KEPT_S:
                self._kept = self._ask()
                self._at = self._now()
            return self._kept

    def _ask(self) -> Readiness:
        try:
            current = is_current(self._store.database)
            workers = self._store.tallies.health().workers if current else 0
        except DBAPIError:
            return Readiness()
        return Readiness(True, is_writable(self._store.database), current, workers)
