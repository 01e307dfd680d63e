"""When a training stands still: by how long it usually takes to get on."""

from __future__ import annotations

from jobs.worker.watchdog import Watchdog


class Training:
    """A training on a clock of its own that is looked at each second."""

    def __init__(self, patience_s: float = 10.0) -> None:
        self.now, self.advances, self.steps = 0.0, 0, 0
        self.started = False
        self.dog = Watchdog(patience_s, lambda: self.now)

    def step(self, seconds: float) -> None:
        assert not self.still(seconds)
        self.started, self.advances, self.steps = True, self.advances + 1, self.steps + 1

    def still(self, seconds: float, **how: bool) -> bool:
        """Whether it counts as standing still within so many seconds without a step."""
        found = False
        for _ in range(int(seconds)):
            self.now += 1.0
            found |= self.dog.look(self.advances, started=self.started, steps=self.steps, **how)
        return found


def test_a_start_may_take_long() -> None:
    training = Training()
    assert not training.still(149)
    assert training.still(3)


def test_quick_steps_have_the_patience() -> None:
    training = Training()
    for _ in range(30):
        training.step(0)
        training.step(1)
    assert not training.still(9)
    assert training.still(30)


def test_slow_steps_may_take_as_long_as_they_do() -> None:
    training = Training()
    for _ in range(5):
        training.step(8)
    assert not training.still(140), "20 times 8 seconds"
    assert training.still(40)


def test_time_in_which_nobody_listens_does_not_count() -> None:
    training = Training()
    training.step(1)
    training.step(1)
    assert not training.still(500, waits=True)
    training.now += 5000.0  # this process was stopped itself
    assert not training.still(1)
