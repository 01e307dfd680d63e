"""Notices a training that stands still: its steps take many times as long as they usually do, or never end."""

from __future__ import annotations

import time
from collections.abc import Callable

TIMES = 20.0
"""A training stands still after so many times the longest time that it lately took to get on."""
FORGETS = 0.98
"""The share of that longest time that remains each time it gets on."""
START_TIMES, BEGIN_TIMES = 15.0, 5.0
"""Before it starts it may load libraries, images and compilers, and its first steps and its analyses may be slow: so
many times `patience_s` then."""
LOOK_S = 5.0
"""More than this between two looks means that this process itself was stopped."""


class Watchdog:
    """Watches one training. `patience_s`: it never stands still before so many seconds. `clock` is monotonic."""

    def __init__(self, patience_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.patience_s, self.clock = patience_s, clock
        self.still_s = 0.0
        """For how long it has not got on."""
        self.usual_s = 0.0
        self._looked = clock()
        self._seen = 0
        self._steady = 0

    def look(self, advances: int, *, started: bool, steps: int, waits: bool = False) -> bool:
        """Whether the training stands still. Called several times a second.

        `advances`: how often it got on so far; `steps`: how often that was a step in the middle of the training;
        `waits`: it cannot get on because nobody takes what it says.
        """
        now = self.clock()
        passed, self._looked = min(now - self._looked, LOOK_S), now
        if advances != self._seen:
            if self._steady > 0:
                self.usual_s = max(self.still_s, FORGETS * self.usual_s)
            self.still_s, self._seen, self._steady = 0.0, advances, steps
        elif not waits:
            self.still_s += passed
        return self.still_s > self._limit_s(started, steps)

    def _limit_s(self, started: bool, steps: int) -> float:
        if not started:
            return START_TIMES * self.patience_s
        least = self.patience_s if steps > 1 else BEGIN_TIMES * self.patience_s
        return max(least, TIMES * self.usual_s)
