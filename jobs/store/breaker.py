"""A circuit breaker: when the database has just failed to answer one read, other reads do not wait for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from jobs.store.database import may_pass

OPEN_S = 1.0
"""How long all reads fail at once after one has failed. Then a single one tries."""

log = logging.getLogger("onlybn")


class DatabaseAway(Exception):
    """The database did not answer another read a moment ago."""


class Breaker:
    """Used by many threads. `now` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._failed_at: float | None = None
        self._tries = False

    def check(self) -> None:
        """Raise DatabaseAway if `reading` would."""
        failed_at = self._failed_at
        if failed_at is not None and (self._tries or self._now() - failed_at < OPEN_S):
            raise DatabaseAway

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Wraps a read. Raises DatabaseAway if the read would probably fail, and what the read raises."""
        with self._lock:
            self.check()
            tries = self._tries = self._failed_at is not None
        failed_at = None
        try:
            yield
        except DBAPIError as error:
            if may_pass(error):
                log.error("The database did not respond: %s", error)
                failed_at = self._now()
            raise
        finally:
            if tries and failed_at is None:
                log.info("The database responds again")
            self._failed_at = failed_at
            if tries:
                self._tries = False
