"""A cache that is bounded by bytes, for what strangers can make large and many. Imports nothing of ours."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
ENTRY_BYTES = 500
"""About what an entry takes beside its result."""


def cached(most_bytes: int, weigh: Callable[..., int]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator that keeps the last results of a function within `most_bytes`, as `weigh(result)` estimates bytes.

    The function takes hashable arguments by position. Errors are not kept. Threads may compute a result twice.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        kept: OrderedDict[object, tuple[R, int]] = OrderedDict()
        lock = threading.Lock()
        total = 0

        @functools.wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            nonlocal total
            key = (args, tuple(sorted(kwargs.items())))
            with lock:
                if key in kept:
                    kept.move_to_end(key)
                    return kept[key][0]
            result = function(*args, **kwargs)
            size = weigh(result) + ENTRY_BYTES
            with lock:
                if key not in kept and size <= most_bytes:
                    kept[key] = result, size
                    total += size
                    while total > most_bytes:
                        total -= kept.popitem(last=False)[1][1]
            return result

        return wrapped

    return decorate
