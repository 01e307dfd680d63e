"""How much the data folder holds, measured now and then: many files take a while to look at."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from jobs.worker.keeper import size_of

KEPT_S = 15.0


class DataFolder:
    """May be used by many threads. `now` is a monotonic clock in seconds."""

    def __init__(self, path: Path, now: Callable[[], float] = time.monotonic) -> None:
        self._path, self._now = path, now
        self._lock = threading.Lock()
        self._bytes, self._at = 0, float("-inf")

    def used_bytes(self) -> int:
        """The bytes of all its files, at most KEPT_S old."""
        with self._lock:
            if self._now() - self._at >= KEPT_S:
                self._bytes, self._at = size_of(self._path), self._now()
            return self._bytes
