"""Supervises one run: starts its trainer, writes what the trainer says, stops it, says how it ended.

The supervisor is the only writer of a run's events; the trainer never sees the database. The store's answers tell the
supervisor that somebody cancelled the run, or that another worker has it.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

from sqlalchemy.exc import DBAPIError

from core.machine.files import CAPSULE, START, TAB_CAPSULE, write_atomically
from core.run.events import Failed, Finished, Stopped, Warned
from jobs.settings import WorkerSettings
from jobs.store.artefacts.address import PlaceAway
from jobs.store.database import may_pass
from jobs.store.records import Batch, Run, State
from jobs.store.store import Store
from jobs.worker.ending import UNSURE, describe_error
from jobs.worker.fitness import REPOSITORY, Fitness
from jobs.worker.folder import Holding, Withdrawn, bring_checkpoint, has_content, is_large, prepare, small_file, tidy
from jobs.worker.inbox import Inbox
from jobs.worker.limits import child_environment, oom_kills, restrain
from jobs.worker.mover import Mover
from jobs.worker.process import TrainerProcess
from jobs.worker.verdicts import RETRY_S, Verdicts
from jobs.worker.watchdog import Watchdog

FLUSH_EVERY_S = 0.4
CANCEL_GRACE_S = 1.5
"""Enough for most trainers to save their work, so that the run can be resumed; others resume from an earlier
checkpoint. A cancel ends within 2 s."""
STOP_GRACE_S, LAST_MOVE_S = 6.0, 8.0
"""How long a trainer may take to save its work when the worker stops, and how long its checkpoint may take then, or
after a crash, to get to where other machines find it."""
AWAY_WAIT_S = 30.0
AWAY = "The store of checkpoints does not respond. The run is tried again every half minute."
STOPPED = "The worker was stopped. The run continues with the next worker."
LEFT_HERE = "The trained network could not be stored for other machines; only the machine that trained it has it."
IN_DOUBT = 0.5
"""After this share of a lease without an answer of the database, the end of a trainer is that of its lease."""
TRAINER = (sys.executable, "-m", "core", "train")
LAUNCHER = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node")
"""torchrun. What it starts dies with it: the trainers see to that themselves."""

logger = logging.getLogger("onlybn.supervisor")
Asked = Literal["cancel", "lost", "stop", "still", "deadline"]


class Supervisor:
    """Runs trainers for one worker. `stopping` is set when the worker must end."""

    def __init__(
        self, store: Store, settings: WorkerSettings, stopping: threading.Event, trainer: Sequence[str] = TRAINER
    ) -> None:
        self.store, self.settings, self.stopping, self.trainer = store, settings, stopping, trainer
        self.fitness = Fitness(settings, stopping, trainer)
        self.verdicts = Verdicts(store, settings, stopping, self.fitness)

    def supervise(self, run: Run, threads: int, device: str) -> State | None:
        """Supervise a claimed run until it ends or returns to the queue. Each of its processes has `threads`.

        Returns its state; None if it is no longer ours.
        """
        folder = self.settings.runs_folder / run.id
        try:
            warned = self._bring(run, folder)
            process = self._start(run, folder, threads, device)
        except Withdrawn as withdrawn:
            return self._withdraw(run, withdrawn)
        except PlaceAway as error:
            logger.warning("Run %s: its checkpoint could not be fetched: %s", run.id, error)
            return self.verdicts.release(run, AWAY, AWAY_WAIT_S)
        except OSError as error:
            logger.warning("Run %s: the trainer could not be started: %s", run.id, error)
            reason = f"The trainer could not be started: {describe_error(error)}."
            return self.verdicts.blame(run, device, reason)
        try:
            with process, closing(Mover(self.store.artefacts, run)) as mover:
                state = _Supervision(self, run, process, device, mover, warned).to_the_end()
        except Exception as error:  # a fault of ours must leave neither a trainer nor a run behind
            logger.exception("Run %s: the supervisor failed", run.id)
            reason = f"The supervisor failed: {describe_error(error)}."
            state = self.verdicts.crash(run, reason)
        logger.info("Run %s, attempt %d: %s", run.id, run.attempt, state or "no longer ours")
        if state == "finished":  # a run in any other state may be resumed
            tidy(folder)
            with suppress(OSError, DBAPIError):  # the next sweep does it
                self.store.artefacts.forget(run.id, "checkpoint")
        return state

    def _start(self, run: Run, folder: Path, threads: int, device: str) -> TrainerProcess:
        spec = prepare(folder, run.spec)
        processes = 1 if run.claimed or run.spec.teacher else self.settings.processes
        trainer = self.trainer if processes == 1 else (*LAUNCHER, str(processes), *self.trainer[1:])
        command = [*trainer, "--spec", str(spec), "--out", str(folder), "--events", "-", "--lifeline"]
        command += ["--lease", str(self.settings.lease_s), "--attempt", str(run.attempt)]
        command += ["--threads", str(threads), "--device", device]
        command += ["--verify", str(folder / TAB_CAPSULE)] if run.claimed else []
        environment = child_environment(self.settings)
        if processes > 1:
            environment["OMP_NUM_THREADS"] = str(threads)  # torchrun warns if it is unset
        process = TrainerProcess(command, folder=REPOSITORY, environment=environment, log=folder / "trainer.log")
        restrain(process.pid, self.settings)
        logger.info("Run %s, attempt %d: trainer %d", run.id, run.attempt, process.pid)
        return process

    def _bring(self, run: Run, folder: Path) -> list[Warned]:
        """Put the files into the folder that other machines have: what the run starts from, and its checkpoint.

        Returns what to tell of it. The trainer reports a missing or wrong start. Raises OSError and Withdrawn.
        """
        prepare(folder, run.spec)
        path, digest = folder / START, run.spec.start
        content: bytes | None = None
        if run.claimed:
            path, content = folder / TAB_CAPSULE, self.verdicts.insist(lambda: self.store.tabs.capsule(run.id))
        elif digest is not None and not has_content(path, digest):
            content = self.verdicts.insist(lambda: self.store.starts.get(digest))
        if content is not None:
            write_atomically(path, content)
        holding = Holding(self.store.claims, run, self.stopping)
        warning = self.verdicts.insist(lambda: bring_checkpoint(self.store.artefacts, run.id, folder, holding.beat))
        return [Warned(step=0, message=warning)] if warning else []

    def _withdraw(self, run: Run, withdrawn: Withdrawn) -> State | None:
        """The run was cancelled or lost, or the worker stops, before the trainer began."""
        if withdrawn.verdict == "cancel":
            return "cancelled" if self.verdicts.insist(lambda: self.store.claims.cancel(run.id, run.attempt)) else None
        return self.verdicts.release(run, STOPPED) if withdrawn.verdict == "ok" else None


class _Supervision:
    """One attempt of one run, with its trainer process."""

    def __init__(
        self,
        supervisor: Supervisor,
        run: Run,
        process: TrainerProcess,
        device: str,
        mover: Mover,
        warned: list[Warned],
    ) -> None:
        self.supervisor, self.store, self.run, self.process = supervisor, supervisor.store, run, process
        self.device, self.mover, self.settings = device, mover, supervisor.settings
        self.folder = self.settings.runs_folder / run.id
        self.inbox = Inbox(warned=warned)
        self.watchdog = Watchdog(self.settings.patience_s)
        self.began, self.oom_kills = time.monotonic(), oom_kills()
        self.ours_at, self.in_doubt_s = self.began, 0.0
        self.asked: Asked | None = None
        self.kill_at = float("inf")

    def to_the_end(self) -> State | None:
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
        self.in_doubt_s = max(self.in_doubt_s, time.monotonic() - self.ours_at)
        while self.inbox.worth_keeping and self.asked != "lost":
            self._react(self._flush())
            if self.inbox.worth_keeping and self.supervisor.stopping.wait(RETRY_S):
                break  # the trainer's journal has them, and the next attempt reports them again
        code = self.process.end()
        self._deliver()
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
            logger.warning("Run %s: the database does not respond, will try again: %s", self.run.id, error.orig)
            return "ok"
        if verdict != "lost" and self.inbox.checkpointed:  # not before: its points must be stored first
            self.mover.offer(self.folder, self.inbox.checkpointed)
        self.inbox.clear()
        if not self.process.ended:
            self.in_doubt_s, self.ours_at = max(self.in_doubt_s, asked_at - self.ours_at), asked_at
            self.process.renew(asked_at)
        return verdict

    def _deliver(self) -> None:
        """Wait within bounds until other machines have what this attempt leaves: its trained network, or its last
        checkpoint if another worker may go on from there."""
        last_word = self.inbox.last_word
        until = time.monotonic() + LAST_MOVE_S
        if isinstance(last_word, Finished):
            capsule = self.folder / CAPSULE
            if not is_large(capsule):
                return self.mover.give_up()
            self.mover.give(capsule)
            until = float("inf")  # the mover has its own bounds
        self.mover.close()
        if self.asked in ("cancel", "deadline") or isinstance(last_word, Failed):
            return None  # nobody waits for the checkpoint
        while self.mover.busy and self.asked != "lost" and time.monotonic() < until:
            self._react(self._flush())
            if self.supervisor.stopping.is_set():
                until = min(until, time.monotonic() + LAST_MOVE_S)
            self.mover.wait(FLUSH_EVERY_S)
        if self.asked == "lost" or isinstance(last_word, Finished):
            self.mover.give_up()
        return None

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
        claims, verdicts = self.store.claims, self.supervisor.verdicts
        insist = verdicts.insist
        run_id, attempt, last_word = self.run.id, self.run.attempt, self.inbox.last_word
        if isinstance(last_word, Finished):
            return self._finish(last_word)
        if self.asked == "cancel":
            return "cancelled" if insist(lambda: claims.cancel(run_id, attempt)) else None
        if isinstance(last_word, Failed):
            return verdicts.failed(self.run, self.device, last_word, self.inbox.has_started)
        if self.asked == "deadline":
            message = f"It has trained for {self.settings.max_hours:g} hours, which is the limit here."
            return verdicts.fail(self.run, "time_limit", message)
        # Schedulers signal the trainer, too, which may be first.
        if self.asked == "stop" or (isinstance(last_word, Stopped) and self.supervisor.stopping.is_set()):
            return verdicts.release(self.run, STOPPED)
        if self.asked == "still":
            reason = f"The training made no progress for {self.watchdog.still_s:.0f} s and was stopped."
            return verdicts.crash(self.run, reason)
        if self.in_doubt_s > IN_DOUBT * self.settings.lease_s:
            return verdicts.release(self.run, UNSURE)
        return verdicts.crashed(self.run, self.device, code, self.inbox, self.process, self.oom_kills)

    def _finish(self, result: Finished) -> State | None:
        """The run is complete, if its trained network is where it belongs."""
        claims, verdicts = self.store.claims, self.supervisor.verdicts
        run_id, attempt, capsule = self.run.id, self.run.attempt, self.folder / CAPSULE
        if is_large(capsule) and self.store.artefacts.moves and not self.mover.delivered:
            if self.asked == "stop":
                return verdicts.release(self.run, f"{STOPPED} Its trained network was not yet stored.")
            logger.warning("Run %s: its trained network stays on this machine", run_id)
            told = Batch(warned=(Warned(step=result.step, message=LEFT_HERE),))
            verdicts.insist(lambda: claims.record(run_id, attempt, told))
        content = small_file(capsule)
        return "finished" if verdicts.insist(lambda: claims.finish(run_id, attempt, result, content)) else None
