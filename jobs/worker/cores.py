"""Which of a machine's cores are free for trainings, and how many a training gets.

A small training computes with two threads less than twice as fast as with one, and starts and tests with one core
busy. So a training that is alone gets all cores, and trainings that wait together share them
(tests/benchmarks/many.py). A training keeps its number of threads for life, because the next attempt must compute the
same bits.
"""

from __future__ import annotations

import threading
from pathlib import Path

from core.machine.processor import available_cores
from jobs.settings import WorkerSettings

GPU = Path("/dev/nvidiactl")


class Cores:
    """The cores of one worker. If its settings fix the number of trainings, processes or threads, each training gets
    the same; on a GPU trainings run one by one. May be shared by threads."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._lock = threading.Lock()
        set_by_hand = settings.slots is not None or settings.threads is not None or settings.processes > 1
        self._fixed = settings.trainer_threads if set_by_hand else None
        self.slots = settings.slots or (1 if set_by_hand or _has_gpu(settings) else available_cores())
        self._free = available_cores()
        self._running = 0

    @property
    def idle(self) -> int:
        """How many more trainings could begin now."""
        with self._lock:
            return self._room()

    def take(self, waiting: int) -> int:
        """Threads for the next of `waiting` trainings; 0 where it must wait. `give` them back."""
        with self._lock:
            room = self._room()
            if room == 0:
                return 0
            self._running += 1
            threads = self._fixed or max(1, self._free // max(1, min(waiting, room)))
            self._free -= threads
            return threads

    def give(self, threads: int) -> None:
        """A training that took `threads` has ended."""
        with self._lock:
            self._running -= 1
            self._free += threads

    def _room(self) -> int:
        slots = self.slots - self._running
        return slots if self._fixed is not None else max(0, min(slots, self._free))


def _has_gpu(settings: WorkerSettings) -> bool:
    return settings.device == "cuda" or (settings.device == "auto" and GPU.exists())
