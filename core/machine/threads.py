"""How the threads of torch's operators wait for each other, and where they run. Imports no torch."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

SPIN = "5000"
"""How often a waiting thread spins; read when torch loads OpenMP. Threads that spin long (libgomp's default) make a
training that shares its cores with a browser or a second training ten times slower; threads that never spin make one
that is alone half as fast. A short spin is good for both (tests/benchmarks/waiting.py)."""


def spin_briefly() -> None:
    """Let them spin this long, unless the environment says otherwise. Call it before torch is imported."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN)


BIND = "OMP_PROC_BIND"


@contextmanager
def one_thread_a_core(threads: int | None) -> Iterator[Callable[[Callable[[], object]], None]]:
    """While torch is loaded within it, OpenMP binds each of its threads to a core of its own.

    Without it, two threads that wait for each other may share a core while another program keeps the others busy. The
    weight gradients of oneDNN wait without sleeping, so that such a training became a hundred times slower (tests/
    benchmarks/waiting.py). `threads`: None: as many as OpenMP takes. Only where a training has a thread for every core
    that the system lets it use: two with fewer threads would be bound to the same cores.

    Call what it yields with something that takes all threads, once torch is loaded and knows their number: from then
    on the main thread is free again, and so is what it starts, such as processes that decode images.
    """
    mask = os.sched_getaffinity(0) if sys.platform == "linux" else set()
    all_of_them = str(threads or os.environ.get("OMP_NUM_THREADS", len(mask))) == str(len(mask))
    binds = len(mask) > 1 and all_of_them and BIND not in os.environ
    if binds:
        os.environ[BIND] = "true"

    def let_main_go(work: Callable[[], object]) -> None:
        if binds:
            work()
            with suppress(OSError):
                os.sched_setaffinity(0, mask)

    try:
        yield let_main_go
    finally:
        if binds:
            del os.environ[BIND]
