"""Brings the files of one attempt to where other machines find them, in a thread beside its supervision."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from core.run.events import Checkpointed
from jobs.store.artefacts.artefacts import Artefacts, Kind
from jobs.store.records import Run

EVERY_S, TIMES = 10.0, 20.0
"""Between the beginnings of two checkpoints pass so many seconds, and so many times what the last one took."""
RETRY_S = 5.0
WITHIN_S = 1800.0
"""After so long a file is given up."""

logger = logging.getLogger("onlybn.mover")


@dataclass(frozen=True)
class _Load:
    kind: Kind
    path: Path
    sha256: str | None
    until: float


class Mover:
    """The files of one attempt. Of several checkpoints that wait, only the newest is moved. For one thread's calls."""

    def __init__(self, artefacts: Artefacts, run: Run, every_s: float = EVERY_S) -> None:
        self.artefacts, self.run, self.every_s = artefacts, run, every_s
        self.delivered = False
        """Whether the trained network has arrived."""
        self._changed = threading.Condition()
        self._next: _Load | None = None
        self._under_way = False
        self._not_before = 0.0
        self._last = self._given_up = False
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether a file waits or is under way."""
        return self._next is not None or self._under_way

    def offer(self, folder: Path, said: Checkpointed) -> None:
        """Move a checkpoint that the trainer has written, when it is time for the next one."""
        self._put(_Load("checkpoint", folder / "checkpoints" / said.file, said.sha256, time.monotonic() + WITHIN_S))

    def give(self, capsule: Path) -> None:
        """Move the trained network, before all else."""
        self._put(_Load("capsule", capsule, None, time.monotonic() + WITHIN_S))
        self.close()

    def close(self) -> None:
        """Nothing more comes: move all that is queued at once, then end."""
        with self._changed:
            self._last, self._not_before = True, 0.0
            self._changed.notify_all()

    def give_up(self) -> None:
        """Nothing is wanted any more."""
        with self._changed:
            self._next, self._given_up = None, True
        self.close()

    def wait(self, seconds: float) -> None:
        """Wait until nothing is under way, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: not self.busy, seconds)

    def _put(self, load: _Load) -> None:
        if not self.artefacts.moves:
            return
        with self._changed:
            self._next = load
            self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"mover-{self.run.id}", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while load := self._take():
            began = time.monotonic()
            again = not self._move(load)
            took = time.monotonic() - began
            with self._changed:
                self._under_way = False
                if again and self._next is None and not self._given_up and time.monotonic() + RETRY_S < load.until:
                    self._next, self._not_before = load, time.monotonic() + RETRY_S
                elif not self._last:
                    self._not_before = began + max(self.every_s, TIMES * took)
                self._changed.notify_all()

    def _take(self) -> _Load | None:
        """The next file, when it is time for it. None: there will be none."""
        with self._changed:
            while self._next is None or time.monotonic() < self._not_before:
                if self._next is None and self._last:
                    return None
                self._changed.wait(None if self._next is None else self._not_before - time.monotonic())
            load, self._next, self._under_way = self._next, None, True
            return load

    def _move(self, load: _Load) -> bool:
        """Move a file. Returns whether it need not be tried again."""
        try:
            kept = self.artefacts.keep(
                self.run.id,
                self.run.attempt,
                load.kind,
                load.path,
                sha256=load.sha256,
                wanted=lambda: not self._given_up and time.monotonic() < load.until,
            )
        except FileNotFoundError:  # a newer one has taken its place
            return True
        except Exception as error:  # of the database, the disk, or the driver of an address: a later try may succeed
            reason = error.orig if isinstance(error, DBAPIError) else error
            logger.warning("Run %s: its %s could not be moved: %s", self.run.id, load.kind, reason)
            return False
        self.delivered |= kept and load.kind == "capsule"
        return True
