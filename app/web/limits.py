"""Work that takes the processor for long runs in a thread, few at a time, and only so much of it waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import anyio
import anyio.to_thread

Result = TypeVar("Result")


class Busy(Exception):
    """So much of this work waits already that more is refused."""


class Limiter:
    """At most `running` calls at once, and at most `waiting` that wait. For one event loop."""

    def __init__(self, running: int, waiting: int) -> None:
        self._running, self._most = running, running + waiting
        self._limiter: anyio.CapacityLimiter | None = None
        self._inside = 0

    async def run(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """The result of `work(*arguments)`, computed in a thread. Raises Busy."""
        if self._inside >= self._most:
            raise Busy
        if self._limiter is None:  # it belongs to the loop that is running
            self._limiter = anyio.CapacityLimiter(self._running)
        self._inside += 1
        try:
            return await anyio.to_thread.run_sync(work, *arguments, limiter=self._limiter)
        finally:
            self._inside -= 1
