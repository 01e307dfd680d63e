"""The cache that is bounded by bytes."""

from __future__ import annotations

import pytest

from core.catalog.cache import ENTRY_BYTES, cached


def test_the_oldest_make_room() -> None:
    asked: list[int] = []

    @cached(3 * (100 + ENTRY_BYTES), lambda text: len(text))
    def text(size: int) -> str:
        asked.append(size)
        return "x" * size

    for size in (100, 99, 98, 100):
        assert len(text(size)) == size
    assert asked == [100, 99, 98]
    text(97)  # 99 has waited longest
    text(100)
    text(99)
    assert asked == [100, 99, 98, 97, 99]
    assert len(text(10_000)) == 10_000 and len(text(10_000)) == 10_000
    assert asked.count(10_000) == 2  # too large to be kept
    text(97)
    assert asked.count(97) == 1


def test_errors_are_not_kept() -> None:
    @cached(1000, len)
    def wrong(name: str) -> str:
        raise ValueError(name)

    for _ in range(2):
        with pytest.raises(ValueError, match="x"):
            wrong("x")
