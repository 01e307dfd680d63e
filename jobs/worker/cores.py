"""Which of a machine's cores and GPUs are free for trainings, and what a training gets of them.

A small training computes with two threads less than twice as fast as with one, and starts and tests with one core
busy. So a training that is alone gets all cores, and trainings that wait together share them
(tests/benchmarks/many.py). A training keeps its number of threads for life, because the next attempt must compute the
same bits. On GPUs each training has one for itself.
"""

from __future__ import annotations

import os
import re
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from core.machine.processor import available_cores
from jobs.settings import WorkerSettings

NODES = Path("/dev")
"""Where the driver shows the GPUs, as nvidia0, nvidia1 and so on."""
CHOSEN = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Share:
    """What a training gets: threads for each of its processes, and the name of its device."""

    threads: int
    device: str


class Cores:
    """The cores and GPUs of one worker.

    If its settings fix the number of trainings, processes or threads, each training gets the same. With several GPUs as
    many trainings run at once, each on the GPU that has the fewest. May be shared by threads.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._lock = threading.Lock()
        set_by_hand = settings.slots is not None or settings.threads is not None or settings.processes > 1
        self._devices = _devices(settings)
        on_gpu = settings.device.startswith("cuda") or (settings.device == "auto" and _gpus() > 0)
        alone = set_by_hand or on_gpu
        self.slots = settings.slots or (len(self._devices) if on_gpu else 1 if set_by_hand else available_cores())
        shared = max(1, available_cores() // (self.slots * settings.processes))
        self._fixed = (settings.threads or shared) if alone else None
        self._free = available_cores()
        self._running: Counter[str] = Counter()

    @property
    def idle(self) -> int:
        """How many more trainings could begin now."""
        with self._lock:
            return self._room()

    @property
    def busy(self) -> bool:
        """Whether a training has a share."""
        with self._lock:
            return self._running.total() > 0

    def take(self, waiting: int) -> Share | None:
        """What the next of `waiting` trainings gets; None where it must wait. `give` it back."""
        with self._lock:
            room = self._room()
            if room == 0:
                return None
            device = min(self._devices, key=lambda name: self._running[name])
            self._running[device] += 1
            threads = self._fixed or max(1, self._free // max(1, min(waiting, room)))
            self._free -= threads
            return Share(threads, device)

    def give(self, share: Share) -> None:
        """A training that took `share` has ended."""
        with self._lock:
            self._running[share.device] -= 1
            self._free += share.threads

    def _room(self) -> int:
        slots = self.slots - self._running.total()
        return slots if self._fixed is not None else max(0, min(slots, self._free))


def _devices(settings: WorkerSettings) -> list[str]:
    """The devices that trainings of their own may have. Several processes that train one run share the GPUs out
    themselves."""
    if settings.device not in ("auto", "cuda"):
        return [settings.device]
    gpus = _gpus()
    if gpus < 2 or settings.processes > 1:
        return [settings.device]
    return [f"{settings.device}:{index}" for index in range(gpus)]


def _gpus() -> int:
    """How many GPUs this process may use. Counted without torch, which the worker does not load."""
    chosen = os.environ.get(CHOSEN)
    if chosen is not None:
        return len([name for name in chosen.split(",") if name.strip() not in ("", "-1")])
    return sum(re.fullmatch(r"nvidia\d+", path.name) is not None for path in NODES.glob("nvidia*"))
