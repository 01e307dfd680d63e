"""What a trainer said and the store does not know yet. Reads lines, writes nothing."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from pydantic import ValidationError

from core.run.events import (
    EVENT,
    Analysed,
    Checkpointed,
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
"""What is kept in memory while the database is away; beyond it the trainer waits."""

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

    @property
    def worth_keeping(self) -> bool:
        """Whether it holds what belongs to the run's history, and nobody would say again."""
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

    def batch(self) -> Batch:
        curves = tuple(self.points), tuple(self.snapshots)
        return Batch(*curves, self.progress, self.started, self.checkpointed, tuple(self.warned), self.analysed)

    def clear(self) -> None:
        """The store has it."""
        self.points, self.snapshots, self.warned = [], [], []
        self.progress = self.started = self.checkpointed = self.analysed = None
