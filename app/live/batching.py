"""Where many ask, they are answered in batches: the event loop sleeps between them.

A training on the same cores throws the server's code out of their caches, so a question that comes alone costs several
times what one of many in a row does (`tests/benchmarks/README.md`). A network card that raises one interrupt for many
packets does the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

REST_S = 0.05
"""How long the loop sleeps: nobody who asks once a second notices."""
AWAKE_S = 0.5
"""How long it does not after any other request has been answered: a page asks for many files, one after another."""


class Pace:
    """Of one event loop. `sleep` blocks it on purpose; `now`: a monotonic clock in seconds."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep, now: Callable[[], float] = time.monotonic) -> None:
        self._sleep, self._now = sleep, now
        self._is_to_rest = False
        self._others = 0
        self._awake_until = float("-inf")

    @contextmanager
    def awake(self) -> Iterator[None]:
        """While somebody is answered who should not wait, and a little longer."""
        self._others += 1
        try:
            yield
        finally:
            self._others -= 1
            self._awake_until = self._now() + AWAKE_S

    def rest(self) -> None:
        """Sleep once when what is here has been answered, unless somebody is here then who should not wait."""
        if not self._is_to_rest:
            self._is_to_rest = True
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._rest)  # behind what has arrived since it slept last

    def _rest(self) -> None:
        self._is_to_rest = False
        if not self._others and self._now() >= self._awake_until:
            self._sleep(REST_S)
