"""Work that takes the processor for long runs in a thread, few at a time, and only so much of it waits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
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
        with self._counted():
            return await anyio.to_thread.run_sync(work, *arguments, limiter=self._tokens())

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """One of the running calls, for the time of the block. Raises Busy."""
        with self._counted():
            async with self._tokens():
                yield

    async def each(self, pieces: Iterable[Result]) -> AsyncIterator[Result]:
        """The `pieces`, each made in a thread as one of the running calls. Many streams so take turns."""
        iterator, end = iter(pieces), object()
        while (piece := await anyio.to_thread.run_sync(next, iterator, end, limiter=self._tokens())) is not end:
            yield piece  # type: ignore[misc]

    @contextmanager
    def _counted(self) -> Iterator[None]:
        if self._inside >= self._most:
            raise Busy
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def _tokens(self) -> anyio.CapacityLimiter:
        if self._limiter is None:  # it belongs to the loop that is running
            self._limiter = anyio.CapacityLimiter(self._running)
        return self._limiter
