"""The events that a trainer reported and the store does not have yet. Reads lines, writes nothing."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from pydantic import ValidationError

from core.run.events import (
    EVENT,
    Analysed,
    Checkpointed,
    Event,
    Failed,
    Finished,
    Measured,
    Point,
    Progress,
    Snapshot,
    Started,
    Stopped,
    Warned,
)
from jobs.store.records import Batch

MAX_POINTS, MAX_SNAPSHOTS = 5000, 20
"""The most that is kept in memory while the database is away; beyond it the trainer waits."""

logger = logging.getLogger("onlybn.supervisor")
LastWord = Finished | Failed | Stopped


@dataclass
class Inbox:
    """The events since the last flush, and the trainer's last word."""

    points: list[Point] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    progress: Progress | None = None
    started: Started | None = None
    checkpointed: Checkpointed | None = None
    analysed: Analysed | None = None
    warned: list[Warned] = field(default_factory=list)
    last_word: LastWord | None = None
    has_started: bool = False
    advances: int = 0
    """How often the training got on: every event but a Progress that says what the last one said."""
    steps: int = 0
    """How often a Progress said another step than before, short of the last one."""
    elapsed_s: float = 0.0
    """How long the run has trained, as it last said."""
    _at: tuple[int, float | None, float | None] | None = None

    @property
    def worth_keeping(self) -> bool:
        """Whether it holds events of the run's history, which the trainer would not report again."""
        kept = self.points, self.snapshots, self.started, self.checkpointed, self.warned, self.analysed
        return any(kept)

    @property
    def full(self) -> bool:
        return len(self.points) >= MAX_POINTS or len(self.snapshots) >= MAX_SNAPSHOTS

    def take(self, line: bytes) -> None:
        """Read one line of the trainer's output."""
        try:
            event = EVENT.validate_json(line)
        except ValidationError:
            logger.warning("The trainer wrote a line that is not an event: %r", line[:200])
            return
        self._count(event)
        match event:
            case Measured():
                self.points.append(event.point)
            case Snapshot():
                self.snapshots.append(event)
            case Progress():
                self.progress = event
            case Started():
                self.started = event
            case Checkpointed():
                self.checkpointed = event
            case Analysed():
                self.analysed = event
            case Warned():
                self.warned.append(event)
            case _:
                self.last_word = event

    def _count(self, event: Event) -> None:
        self.has_started |= isinstance(event, Started)
        if not isinstance(event, Progress):
            self.advances += 1
            return
        self.elapsed_s = event.elapsed_s
        at = event.step, event.tested, event.analysed
        self.advances += at != self._at
        if event.step == event.total_steps:  # its analyses are slow in another way
            self.steps = 0
        elif self._at is not None and event.step != self._at[0]:
            self.steps += 1
        self._at = at

    def batch(self) -> Batch:
        curves = tuple(self.points), tuple(self.snapshots)
        return Batch(*curves, self.progress, self.started, self.checkpointed, tuple(self.warned), self.analysed)

    def clear(self) -> None:
        """Forget what the store has now."""
        self.points, self.snapshots, self.warned = [], [], []
        self.progress = self.started = self.checkpointed = self.analysed = None
