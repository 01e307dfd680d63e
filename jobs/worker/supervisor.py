"""Supervises one run: starts its trainer, writes what the trainer says, stops it, says how it ended.

The supervisor is the only writer of a run's events; the trainer never sees the database. The store's answers tell the
supervisor that somebody cancelled the run, or that another worker has it.
"""

from __future__ import annotations

import hashlib
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from sqlalchemy.exc import DBAPIError

from core.machine.files import CAPSULE, START, write_atomically
from core.run.events import Failed, FailureKind, Finished
from jobs.lease import MAX_CRASHES
from jobs.settings import WorkerSettings
from jobs.store.database import may_pass
from jobs.store.records import Run, State
from jobs.store.store import Store
from jobs.worker.ending import UNSURE, describe_end, describe_error
from jobs.worker.fitness import REPOSITORY, Fitness
from jobs.worker.folder import prepare, small_file, tidy
from jobs.worker.inbox import Inbox
from jobs.worker.limits import child_environment, oom_kills, restrain
from jobs.worker.process import TrainerProcess
from jobs.worker.watchdog import Watchdog

FLUSH_EVERY_S = 0.4
CANCEL_GRACE_S = 1.5
"""Enough for most trainers to save their work, so that the run can be resumed; others resume from an earlier
checkpoint. A cancel ends within 2 s."""
STOP_GRACE_S = 6.0
"""How long a trainer may take to save its work when the worker stops."""
RETRY_S = 1.0
IN_DOUBT = 0.5
"""After this share of a lease without an answer of the database, the end of a trainer is that of its lease."""
BAD_ARGUMENTS = 2
MAX_MACHINE_FAULTS = 3
"""Failures in a row that another machine, or a later time, may not have, after which a run is given up."""
MAX_OUT_OF_MEMORY = 2
TRAINER = (sys.executable, "-m", "core", "train")
LAUNCHER = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node")
"""torchrun. What it starts dies with it: the trainers see to that themselves."""

logger = logging.getLogger("onlybn.supervisor")
Answer = TypeVar("Answer")
Asked = Literal["cancel", "lost", "stop", "still", "deadline"]


class Supervisor:
    """Runs trainers for one worker. `stopping` is set when the worker must end."""

    def __init__(
        self, store: Store, settings: WorkerSettings, stopping: threading.Event, trainer: Sequence[str] = TRAINER
    ) -> None:
        self.store, self.settings, self.stopping, self.trainer = store, settings, stopping, trainer
        self.fitness = Fitness(settings, stopping, trainer)

    def supervise(self, run: Run, threads: int, device: str) -> None:
        """Supervise a claimed run until it ends or returns to the queue. Each of its processes has `threads`."""
        folder = self.settings.runs_folder / run.id
        try:
            process = self._start(run, folder, threads, device)
        except OSError as error:
            logger.warning("Run %s: the trainer could not be started: %s", run.id, error)
            reason = f"The trainer could not be started: {describe_error(error)}."
            self.blame(run, device, reason)
            return
        try:
            with process:
                state = _Supervision(self, run, process, device).to_the_end()
        except Exception as error:  # a fault of ours must leave neither a trainer nor a run behind
            logger.exception("Run %s: the supervisor failed", run.id)
            reason = f"The supervisor failed: {describe_error(error)}."
            state = self.insist(lambda: self.store.claims.crash(run.id, run.attempt, reason))
        logger.info("Run %s, attempt %d: %s", run.id, run.attempt, state or "no longer ours")
        if state == "finished":  # a run in any other state may be resumed
            tidy(folder)

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
        claims = self.store.claims
        if not self.fitness.is_sick(device):
            return self.insist(lambda: claims.crash(run.id, run.attempt, reason, kind, max_crashes))
        sick = (
            f"{reason} A trial training fails there, too, so the fault is the worker's and another one takes the run."
        )
        return self.insist(lambda: claims.release(run.id, run.attempt, sick))

    def _start(self, run: Run, folder: Path, threads: int, device: str) -> TrainerProcess:
        spec = prepare(folder, run.spec)
        processes = self.settings.processes
        trainer = self.trainer if processes == 1 else (*LAUNCHER, str(processes), *self.trainer[1:])
        self._bring_start(run, folder)
        command = [*trainer, "--spec", str(spec), "--out", str(folder), "--events", "-", "--lifeline"]
        command += ["--lease", str(self.settings.lease_s), "--attempt", str(run.attempt)]
        command += ["--threads", str(threads), "--device", device]
        environment = child_environment(self.settings)
        if processes > 1:
            environment["OMP_NUM_THREADS"] = str(threads)  # torchrun warns if it is unset
        process = TrainerProcess(command, folder=REPOSITORY, environment=environment, log=folder / "trainer.log")
        restrain(process.pid, self.settings)
        logger.info("Run %s, attempt %d: trainer %d", run.id, run.attempt, process.pid)
        return process

    def _bring_start(self, run: Run, folder: Path) -> None:
        """Put the file that the run starts from into its folder. The trainer reports a missing or wrong file."""
        path, digest = folder / START, run.spec.start
        if digest is None or (path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == digest):
            return
        content = self.insist(lambda: self.store.starts.get(digest))
        if content is not None:
            write_atomically(path, content)

    def insist(self, write: Callable[[], Answer]) -> Answer | None:
        """Do a last write, and try again while the database is away. None if the worker had to stop before."""
        while True:
            try:
                return write()
            except DBAPIError as error:
                if not may_pass(error):
                    raise
                logger.warning("The database does not answer, will try again: %s", error.orig)
                if self.stopping.wait(RETRY_S):
                    return None  # the lease ends by itself, and the next attempt repeats the end


class _Supervision:
    """One attempt of one run, with its trainer process."""

    def __init__(self, supervisor: Supervisor, run: Run, process: TrainerProcess, device: str) -> None:
        self.supervisor, self.store, self.run, self.process = supervisor, supervisor.store, run, process
        self.device, self.settings = device, supervisor.settings
        self.inbox = Inbox()
        self.watchdog = Watchdog(self.settings.patience_s)
        self.began, self.oom_kills = time.monotonic(), oom_kills()
        self.ours_at, self.in_doubt_s = self.began, 0.0
        self.asked: Asked | None = None
        self.kill_at = float("inf")

    def to_the_end(self) -> str | None:
        """Write what the trainer says until it ends, then how it ended. Returns the run's state; None if lost."""
        flush_at = 0.0
        while not self.process.ended:
            self._listen(max(0.0, flush_at - time.monotonic()))
            if time.monotonic() >= self.kill_at:
                self.process.kill()
            if time.monotonic() >= flush_at:
                flush_at = time.monotonic() + FLUSH_EVERY_S
                self._react(self._flush())
                self._watch()
        while self.inbox.worth_keeping and self.asked != "lost":
            self._react(self._flush())
            if self.inbox.worth_keeping and self.supervisor.stopping.wait(RETRY_S):
                break  # the trainer's journal has them, and the next attempt reports them again
        code = self.process.end()
        return None if self.asked == "lost" else self._settle(code)

    def _listen(self, timeout_s: float) -> None:
        if self.inbox.full:
            time.sleep(timeout_s)
            return
        for line in self.process.read(timeout_s):
            self.inbox.take(line)

    def _flush(self) -> str:
        """Hand the inbox to the store. While the database is away the inbox is kept, and the training goes on for as
        long as the lease lasts."""
        asked_at = time.monotonic()
        try:
            verdict = self.store.claims.record(self.run.id, self.run.attempt, self.inbox.batch())
        except DBAPIError as error:
            if not may_pass(error):
                raise
            logger.warning("Run %s: the database does not answer, will try again: %s", self.run.id, error.orig)
            return "ok"
        self.inbox.clear()
        self.in_doubt_s, self.ours_at = max(self.in_doubt_s, asked_at - self.ours_at), asked_at
        self.process.renew(asked_at)
        return verdict

    def _react(self, verdict: str) -> None:
        """Stop the trainer when the store's answer or the worker's end asks for it."""
        if verdict == "lost" and self.asked != "lost":
            logger.warning("Run %s, attempt %d: another worker has it now", self.run.id, self.run.attempt)
            self.asked = "lost"
            self.process.kill()
        elif verdict == "cancel" and self.asked != "cancel":
            self._ask("cancel", CANCEL_GRACE_S if self.inbox.has_started else 0.0)  # nothing to save before
        elif self.asked is None and self.supervisor.stopping.is_set():
            self._ask("stop", STOP_GRACE_S)

    def _watch(self) -> None:
        """Stop a training that stands still or has had its time."""
        inbox = self.inbox
        still = self.watchdog.look(
            inbox.advances, started=inbox.has_started, steps=inbox.steps, waits=inbox.full or self.asked is not None
        )
        if self.asked is not None:
            return
        trained_s = max(inbox.elapsed_s, time.monotonic() - self.began)
        if still:
            self._ask("still", 0.0)
        elif self.settings.max_hours is not None and trained_s > 3600.0 * self.settings.max_hours:
            self._ask("deadline", STOP_GRACE_S)

    def _ask(self, why: Asked, grace_s: float) -> None:
        self.asked, self.kill_at = why, time.monotonic() + grace_s
        if grace_s > 0:
            self.process.terminate()
        else:
            self.process.kill()

    def _settle(self, code: int) -> State | None:
        """Write how the run ended, with exit code `code`. None: it is no longer ours."""
        claims, insist = self.store.claims, self.supervisor.insist
        run_id, attempt, last_word = self.run.id, self.run.attempt, self.inbox.last_word
        if isinstance(last_word, Finished):
            capsule = small_file(self.settings.runs_folder / run_id / CAPSULE)
            return "finished" if insist(lambda: claims.finish(run_id, attempt, last_word, capsule)) else None
        if self.asked == "cancel":
            return "cancelled" if insist(lambda: claims.cancel(run_id, attempt)) else None
        if isinstance(last_word, Failed):
            return self._failed(last_word)
        if self.asked == "deadline":
            message = f"It has trained for {self.settings.max_hours:g} hours, which is the limit here."
            return self._fail("time_limit", message)
        if self.asked == "stop":
            reason = "The worker was stopped. The run goes on with the next worker."
            return insist(lambda: claims.release(run_id, attempt, reason))
        if self.asked == "still":
            reason = f"The training stood still for {self.watchdog.still_s:.0f} s and was stopped."
            return insist(lambda: claims.crash(run_id, attempt, reason))
        if max(self.in_doubt_s, time.monotonic() - self.ours_at) > IN_DOUBT * self.settings.lease_s:
            return insist(lambda: claims.release(run_id, attempt, UNSURE))
        return self._crashed(code)

    def _crashed(self, code: int) -> State | None:
        """The trainer ended by itself and did not say why."""
        errors, blame = self._last_words(), self.supervisor.blame
        if code == BAD_ARGUMENTS:
            message = errors[-1].removeprefix("error: ") if errors else "The trainer refused its arguments."
            if not self.supervisor.fitness.is_sick(self.device):
                return self._fail("error", message)
            return blame(self.run, self.device, message)
        if code == -signal.SIGKILL and oom_kills() > self.oom_kills:
            return self._crash(describe_end(code, errors, memory=True), "out_of_memory", MAX_OUT_OF_MEMORY)
        reason = describe_end(code, errors)
        if self.inbox.has_started and code < 0:  # somebody killed a training that was under way
            return self._crash(reason, "crash_loop", MAX_CRASHES)
        return blame(self.run, self.device, reason)

    def _failed(self, last: Failed) -> State | None:
        """The trainer said that it cannot go on; on another machine it may."""
        dataset, fitness = self.run.spec.dataset, self.supervisor.fitness
        if last.kind == "storage":
            return self.supervisor.blame(self.run, self.device, last.message, "storage", MAX_MACHINE_FAULTS)
        if last.kind != "data_unavailable" or self.inbox.has_started:
            return self._fail(last.kind, last.message)
        if dataset not in fitness.lacks:
            fitness.could_not_read(dataset)
        others = self.supervisor.insist(lambda: self.store.workers.others_have(self.run.worker or "", dataset))
        if others:
            reason = f"{last.message} Another worker may have it."
            return self.supervisor.insist(lambda: self.store.claims.release(self.run.id, self.run.attempt, reason))
        if dataset in fitness.lacks:
            return self._fail(last.kind, last.message)
        return self._crash(last.message, last.kind, MAX_MACHINE_FAULTS)

    def _fail(self, kind: FailureKind, message: str) -> State | None:
        claims, run = self.store.claims, self.run
        return "failed" if self.supervisor.insist(lambda: claims.fail(run.id, run.attempt, kind, message)) else None

    def _crash(self, reason: str, kind: FailureKind, most: int) -> State | None:
        claims, run = self.store.claims, self.run
        return self.supervisor.insist(lambda: claims.crash(run.id, run.attempt, reason, kind, most))

    def _last_words(self) -> list[str]:
        """What the trainer wrote last, without our folders: strangers read it."""
        folders = (f"{self.settings.data}/", f"{REPOSITORY}/", f"{sys.prefix}/", f"{Path.home()}/")
        lines = self.process.last_words()
        for folder in folders:
            lines = [line.replace(folder, "") for line in lines]
        return lines
