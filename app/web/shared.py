"""Answers that many ask for at the same time: one of them has it made, and for a moment all others get the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from app.web.limits import Limiter

KEEP_S = 1.0
Value = TypeVar("Value")
Key = tuple[str, str]
"""About what, such as the id of a room; and what of it."""


class Shared(Generic[Value]):
    """Values by key, each made in a thread and kept for `keep_s`. For one event loop; `forget` is for any thread."""

    def __init__(self, keep_s: float = KEEP_S, now: Callable[[], float] = time.monotonic) -> None:
        self._keep_s, self._now = keep_s, now
        self._kept: dict[Key, tuple[float, Value]] = {}
        self._making: dict[Key, asyncio.Task[Value]] = {}

    async def get(self, key: Key, make: Callable[[], Value], limiter: Limiter) -> Value:
        """The value of `key`, which `make()` makes as a call of `limiter`. Raises Busy, and what `make` does."""
        kept = self._kept.get(key)
        if kept is not None and self._now() - kept[0] < self._keep_s:
            return kept[1]
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(self._make(key, make, limiter))
            task.add_done_callback(_heard)
        return await asyncio.shield(task)  # who asked first may hang up, and the others still wait

    def forget(self, about: str) -> None:
        """What was made before this call, or is being made, is out of date."""
        for values in (self._kept, self._making):
            for key in [key for key in list(values) if key[0] == about]:
                values.pop(key, None)

    async def _make(self, key: Key, make: Callable[[], Value], limiter: Limiter) -> Value:
        task = asyncio.current_task()
        try:
            value = await limiter.run(make)
            now = self._now()
            if self._making.get(key) is task:
                self._kept = {key: kept for key, kept in self._kept.items() if now - kept[0] < self._keep_s}
                self._kept[key] = now, value
            return value
        finally:
            if self._making.get(key) is task:
                del self._making[key]


def _heard(task: asyncio.Task[Value]) -> None:
    """Everybody may have hung up; then nobody else looks at what went wrong."""
    if not task.cancelled():
        task.exception()
