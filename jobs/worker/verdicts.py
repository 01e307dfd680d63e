"""Writes how a training ended that failed or crashed, and whose fault that was: the run's or the machine's."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from core.run.events import Failed, FailureKind
from jobs.lease import MAX_CRASHES
from jobs.settings import WorkerSettings
from jobs.store.database import may_pass
from jobs.store.records import Run, State
from jobs.store.store import Store
from jobs.worker.ending import describe_end
from jobs.worker.fitness import REPOSITORY, Fitness
from jobs.worker.inbox import Inbox
from jobs.worker.limits import oom_kills
from jobs.worker.process import TrainerProcess

RETRY_S = 1.0
BAD_ARGUMENTS = 2
MAX_MACHINE_FAULTS = 3
"""Failures in a row that another machine, or a later time, may not have, after which a run is given up."""
MAX_OUT_OF_MEMORY = 2

logger = logging.getLogger("onlybn.supervisor")
Answer = TypeVar("Answer")


class Verdicts:
    """The verdicts of one worker, which is as fit as `fitness` says. `stopping` is set when it must end."""

    def __init__(self, store: Store, settings: WorkerSettings, stopping: threading.Event, fitness: Fitness) -> None:
        self.store, self.settings, self.stopping, self.fitness = store, settings, stopping, fitness

    def blame(
        self,
        run: Run,
        device: str,
        reason: str,
        kind: FailureKind = "crash_loop",
        max_crashes: int = MAX_CRASHES,
    ) -> State | None:
        """The trainer ended for `reason`, which may be the machine's fault. If it is, the run goes back to the queue
        untouched; otherwise it has crashed."""
        if not self.fitness.is_sick(device):
            return self.crash(run, reason, kind, max_crashes)
        sick = f"{reason} A trial training fails there, too, so the worker is at fault and another one takes the run."
        return self.release(run, sick)

    def crashed(
        self, run: Run, device: str, code: int, inbox: Inbox, process: TrainerProcess, oom_kills_before: int
    ) -> State | None:
        """The trainer ended by itself with exit code `code` and did not say why."""
        errors = self._last_words(process)
        if code == BAD_ARGUMENTS:
            message = errors[-1].removeprefix("error: ") if errors else "The trainer refused its arguments."
            if not self.fitness.is_sick(device):
                return self.fail(run, "error", message)
            return self.blame(run, device, message)
        if code == -signal.SIGKILL and oom_kills() > oom_kills_before:
            return self.crash(run, describe_end(code, errors, memory=True), "out_of_memory", MAX_OUT_OF_MEMORY)
        reason = describe_end(code, errors)
        if inbox.has_started and code < 0:  # somebody killed a training that was under way
            return self.crash(run, reason)
        return self.blame(run, device, reason)

    def failed(self, run: Run, device: str, last: Failed, has_started: bool) -> State | None:
        """The trainer said that it cannot go on; on another machine it may."""
        dataset, fitness = run.spec.dataset, self.fitness
        if last.kind == "storage":
            return self.blame(run, device, last.message, "storage", MAX_MACHINE_FAULTS)
        if last.kind != "data_unavailable" or has_started:
            return self.fail(run, last.kind, last.message)
        if dataset not in fitness.lacks:
            fitness.could_not_read(dataset)
        if self.insist(lambda: self.store.workers.others_have(run.worker or "", dataset, run.label)):
            return self.release(run, f"{last.message} Another worker may take it.")
        if dataset in fitness.lacks:
            return self.fail(run, last.kind, last.message)
        return self.crash(run, last.message, last.kind, MAX_MACHINE_FAULTS)

    def fail(self, run: Run, kind: FailureKind, message: str) -> State | None:
        """It cannot continue."""
        return "failed" if self.insist(lambda: self.store.claims.fail(run.id, run.attempt, kind, message)) else None

    def crash(self, run: Run, reason: str, kind: FailureKind = "crash_loop", most: int = MAX_CRASHES) -> State | None:
        """It ended without a result."""
        return self.insist(lambda: self.store.claims.crash(run.id, run.attempt, reason, kind, most))

    def release(self, run: Run, reason: str, wait_s: float = 0.0) -> State | None:
        """It goes back to its place in the queue, for after `wait_s`."""
        return self.insist(lambda: self.store.claims.release(run.id, run.attempt, reason, wait_s))

    def insist(self, write: Callable[[], Answer]) -> Answer | None:
        """Do a last write, and try again while the database is away. None if the worker had to stop before."""
        while True:
            try:
                return write()
            except DBAPIError as error:
                if not may_pass(error):
                    raise
                logger.warning("The database does not respond, will try again: %s", error.orig)
                if self.stopping.wait(RETRY_S):
                    return None  # the lease ends by itself, and the next attempt repeats the end

    def _last_words(self, process: TrainerProcess) -> list[str]:
        """What the trainer wrote last, without our folders: strangers read it."""
        folders = (f"{self.settings.data}/", f"{REPOSITORY}/", f"{sys.prefix}/", f"{Path.home()}/")
        lines = process.last_words()
        for folder in folders:
            lines = [line.replace(folder, "") for line in lines]
        return lines
