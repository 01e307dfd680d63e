"""Measures how much of its time a training waits for its data."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import torch

WINDOW_S = 20.0
TOO_LONG = 0.3

Marks = tuple[torch.cuda.Event, torch.cuda.Event]


class Waiting:
    """`with waiting: images = next(...)` measures a wait; `too_long` tells once that the waits were too long.

    A GPU keeps working while the program waits for images, so on a GPU only the time counts in which it was idle.
    """

    def __init__(self, device: torch.device, clock: Callable[[], float] = time.monotonic) -> None:
        self._device, self._clock = device, clock
        self._steps: deque[tuple[float, float]] = deque()
        """Seconds of each step, and seconds of them that were waited; only the steps that make up the window."""
        self._running: deque[tuple[float, Marks]] = deque()
        """Steps whose times the GPU has not reported yet."""
        self._seconds = self._waited = 0.0
        self._left = self._entered = clock()
        self._said = False

    def begin(self) -> None:
        """Do not count the time since the last images."""
        self._left = self._clock()

    def __enter__(self) -> None:
        self._entered = self._clock()
        if self._device.type == "cuda":
            self._marks = (torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True))
            self._marks[0].record(torch.cuda.current_stream(self._device))

    def __exit__(self, *_: object) -> None:
        now = self._clock()
        seconds, self._left = now - self._left, now
        if self._device.type == "cuda":
            self._marks[1].record(torch.cuda.current_stream(self._device))
            self._running.append((seconds, self._marks))
            self._collect()
        else:
            self._add(seconds, now - self._entered)

    def too_long(self) -> float | None:
        """The share of the last WINDOW_S seconds that was waited, if it is above TOO_LONG; only once."""
        if self._said or self._seconds < WINDOW_S or self._waited <= TOO_LONG * self._seconds:
            return None
        self._said = True
        return self._waited / self._seconds

    def _collect(self) -> None:
        while self._running and self._running[0][1][1].query():
            seconds, (before, after) = self._running.popleft()
            self._add(seconds, min(seconds, before.elapsed_time(after) / 1000))

    def _add(self, seconds: float, waited: float) -> None:
        self._steps.append((seconds, waited))
        self._seconds, self._waited = self._seconds + seconds, self._waited + waited
        while self._steps and self._seconds - self._steps[0][0] >= WINDOW_S:
            old, old_waited = self._steps.popleft()
            self._seconds, self._waited = self._seconds - old, self._waited - old_waited
