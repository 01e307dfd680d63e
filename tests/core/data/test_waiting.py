"""How much of its time a training waits for its data, by a clock that the tests turn."""

from __future__ import annotations

import pytest
import torch

from core.data.waiting import WINDOW_S, Waiting


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def waiting(clock: Clock) -> Waiting:
    return Waiting(torch.device("cpu"), clock)


def steps(waiting: Waiting, clock: Clock, seconds: float, waited: float) -> None:
    """Steps of a second each, of which `waited` seconds are waiting, for `seconds` seconds."""
    for _ in range(round(seconds)):
        clock.now += 1 - waited
        with waiting:
            clock.now += waited


def test_a_third_of_the_window_is_too_long_and_said_once(waiting: Waiting, clock: Clock) -> None:
    steps(waiting, clock, WINDOW_S - 1, 0.5)
    assert waiting.too_long() is None, "a few slow seconds say nothing"
    steps(waiting, clock, 2, 0.5)
    assert waiting.too_long() == pytest.approx(0.5)
    steps(waiting, clock, 100, 0.9)
    assert waiting.too_long() is None


def test_less_is_not(waiting: Waiting, clock: Clock) -> None:
    steps(waiting, clock, 100, 0.25)
    assert waiting.too_long() is None


def test_only_the_last_seconds_count(waiting: Waiting, clock: Clock) -> None:
    steps(waiting, clock, 1000, 0.0)
    steps(waiting, clock, 8, 0.9)
    assert waiting.too_long() == pytest.approx(8 * 0.9 / WINDOW_S, abs=0.05)


def test_what_lies_between_epochs_does_not_count(waiting: Waiting, clock: Clock) -> None:
    for _ in range(10):
        steps(waiting, clock, 3, 0.4)
        clock.now += 60  # a test, an analysis, a checkpoint
        waiting.begin()
    assert waiting.too_long() == pytest.approx(0.4)


class Gpu:
    """Stands in for torch.cuda: work that is handed to it lasts on after the call, and events tell when it was done."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.idle_at = clock, clock.now

    def work(self, seconds: float) -> None:
        self.idle_at = max(self.idle_at, self.clock.now) + seconds

    def event(self, enable_timing: bool) -> GpuEvent:
        assert enable_timing
        return GpuEvent(self)


class GpuEvent:
    def __init__(self, gpu: Gpu) -> None:
        self.gpu, self.at = gpu, 0.0

    def record(self, _stream: object) -> None:
        self.at = max(self.gpu.idle_at, self.gpu.clock.now)

    def query(self) -> bool:
        return self.gpu.clock.now >= self.at

    def elapsed_time(self, later: GpuEvent) -> float:
        return (later.at - self.at) * 1000


@pytest.mark.parametrize(("work", "share"), [(1.0, None), (0.9, None), (0.5, 0.5)])
def test_on_a_gpu_only_its_idle_time_counts(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, work: float, share: float | None
) -> None:
    """Images come once a second; the program waits for them all the while, the GPU only what its work leaves."""
    gpu = Gpu(clock)
    monkeypatch.setattr(torch.cuda, "Event", gpu.event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _device: None)
    waiting = Waiting(torch.device("cuda"), clock)
    for _ in range(40):
        with waiting:
            clock.now += 1.0
        gpu.work(work)
    assert waiting.too_long() == (share if share is None else pytest.approx(share, abs=0.05))
