"""A circuit breaker: where the database has just not answered, nobody else waits for it in vain."""

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
    """The database did not answer somebody else a moment ago."""


class Breaker:
    """Used by many threads. `now` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._failed_at: float | None = None
        self._tries = False

    def check(self) -> None:
        """Raise DatabaseAway if a read would."""
        failed_at = self._failed_at
        if failed_at is not None and (self._tries or self._now() - failed_at < OPEN_S):
            raise DatabaseAway

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Around a read. Raises DatabaseAway where it would probably fail, too, and what the read raises."""
        with self._lock:
            self.check()
            tries = self._tries = self._failed_at is not None
        failed_at = None
        try:
            yield
        except DBAPIError as error:
            if may_pass(error):
                log.error("The database did not answer: %s", error)
                failed_at = self._now()
            raise
        finally:
            if tries and failed_at is None:
                log.info("The database answers again")
            self._failed_at = failed_at
            if tries:
                self._tries = False
