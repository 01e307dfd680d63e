"""How much of a work of several parts is done."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")


def scaled(steps: Generator[float, None, T], place: int, parts: int) -> Generator[float, None, T]:
    """`steps`, which yield how much of them is done, as part number `place` of `parts` equal ones."""
    while True:
        try:
            share = next(steps)
        except StopIteration as done:
            found: T = done.value
            return found
        yield (place + share) / parts
