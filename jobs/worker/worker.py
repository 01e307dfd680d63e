"""A worker: takes runs and evaluations when the queue wakes it, and takes back those of lost workers.

Every worker is also a reaper, so there is no single process whose loss would stop the others.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from huey import Huey
from huey.consumer import Consumer
from sqlalchemy.exc import DBAPIError

from core.kernels.library import Uncompiled, is_kept, shared_library
from jobs.lease import Identity, Watch
from jobs.queue import waker
from jobs.settings import WorkerSettings
from jobs.store.runs import REMOVED_FOR_S
from jobs.store.store import Store
from jobs.worker.cores import Cores
from jobs.worker.evaluator import EVALUATOR, Evaluator
from jobs.worker.keeper import Keeper
from jobs.worker.machine import machine
from jobs.worker.sender import Sender
from jobs.worker.supervisor import LAST_MOVE_S, STOP_GRACE_S, TRAINER, Supervisor
from jobs.worker.until import Ledger, Reason, Until

REAP_EVERY_S = 2.0
POLL_S = 0.5
"""How soon a message is seen in a queue that must be polled."""
SAY_AGAIN_S = 30.0
TIDY_EVERY_S = 300.0
LOOK_AT_QUEUE_S = 3.0
NO_QUEUE = "The queue does not respond: runs start a few seconds later than usual."
TRIAL_FOR_S = 3600.0

logger = logging.getLogger("onlybn.worker")


class Worker:
    """One worker of this installation; `cores` says how many trainings it runs at once. It evaluates beside them."""

    def __init__(
        self,
        settings: WorkerSettings,
        store: Store,
        huey: Huey,
        trainer: Sequence[str] = TRAINER,
        *,
        evaluator: Sequence[str] = EVALUATOR,
        reap_every_s: float = REAP_EVERY_S,
        until: Until | None = None,
    ) -> None:
        self.settings, self.store, self.huey, self.reap_every_s = settings, store, huey, reap_every_s
        self.identity = Identity.of_this_process()
        self.stopping = threading.Event()
        self.supervisor = Supervisor(store, settings, self.stopping, trainer)
        self.watch = Watch(settings.lease_s)
        self.evaluator = Evaluator(store, settings, self.identity.name, self.stopping, evaluator)
        self.wake = waker(huey, self._woken)
        self.cores = Cores(settings)
        self.fitness = self.supervisor.fitness
        self._slots: list[threading.Thread] = []
        """Slots that serve the queue of the store without a hint."""
        self.keeper = Keeper(settings, store)
        self.sender = Sender(store, settings, self.stopping)
        self.until = until or Until()
        self.ledger = Ledger(self.until.runs)
        self.reason: Reason = "stopped"

    def work(self) -> Reason:
        """Work until `stopping` is set or an end of `until` has come. Then the trainers save their work, and their runs
        go back to the queue. Returns why it ended."""
        self._try(self.reap)  # runs of a worker that died here are taken back before anything else
        consumer = _Consumer(
            self.huey,
            workers=self.cores.slots,
            periodic=False,
            max_delay=POLL_S,
            scheduler_interval=60,  # nothing is ever scheduled
            shutdown_timeout=STOP_GRACE_S + LAST_MOVE_S + 2,
        )
        consumer.start()
        self.evaluator.start()
        self.sender.start()
        if not self.settings.device.startswith("cuda"):
            threading.Thread(target=compile_kernels, name="kernels", daemon=True).start()
        clear_at = 0.0
        threading.Thread(target=self._watch_queue, name="queue", daemon=True).start()
        try:
            while not self.stopping.wait(min(self.reap_every_s, self.until.left_s(time.time()))):
                if end := self._end():
                    self.reason = end
                    break
                self._try(self.reap)
                if time.monotonic() >= clear_at:
                    clear_at = time.monotonic() + TIDY_EVERY_S
                    self._try(self.keeper.tidy)
                    self._try(self._clear_removed)
                self._try(consumer.check_worker_health)
        finally:
            self.stopping.set()
            consumer.stop(graceful=True)
            for slot in self._slots:
                slot.join()
            self.evaluator.join()
            self.sender.join()
            with suppress(DBAPIError):  # the others soon notice its silence
                self.store.workers.bye([self.identity.name])
        return self.reason

    def stop(self, reason: Reason = "stopped") -> None:
        """End soon. May be called in a signal handler."""
        self.reason = reason
        self.stopping.set()

    def leaves_work(self) -> bool:
        """Whether the queue has something for this worker, as far as it can know."""
        try:
            return self.store.claims.may_come(self.identity.name, self.fitness.fit(), self.settings.limits)
        except DBAPIError:
            return True

    def _woken(self, _hint: str) -> None:
        """Take the next run or evaluation, unless another worker has it already."""
        self.evaluator.wake()
        if self._waiting():
            self.take_runs()

    def take_runs(self) -> None:
        """Serve the queue of the store until it is empty."""
        while not self.stopping.is_set() and self.fitness.takes_runs and self.ledger.reserve():
            try:
                if not self._take_run():
                    return
            finally:
                self.ledger.free()

    def _take_run(self) -> bool:
        """Take the next run and stay with it to its end here. False: there is none for this worker, or no room."""
        if self.until.left_s(time.time()) <= 0:
            return False
        share = self.cores.take(len(self._waiting()))
        if share is None:
            return False  # the slot that becomes free next takes the next run
        try:
            run = self.store.claims.take(self.identity.name, self.fitness.fit(), self.settings.limits)
            if run is None:
                return False
            threads = run.started.threads if run.started else share.threads
            self.ledger.note(run.id, self.supervisor.supervise(run, threads, share.device))
            return True
        finally:
            self.cores.give(share)

    def _waiting(self) -> list[str]:
        """The queued runs without those for other labels."""
        return self.store.queue.waiting(self.settings.worker_labels)

    def _end(self) -> Reason | None:
        """Which end of `until` has come."""
        if self.until.left_s(time.time()) <= 0:
            return "time"
        if self.ledger.full:
            return "runs"
        if self.until.limited and self.fitness.trouble:
            return "unfit"
        with suppress(DBAPIError):  # the database is away: that is no empty queue
            if self.until.idle and self._is_idle():
                return "idle"
        return None

    def _is_idle(self) -> bool:
        """Whether this worker does nothing and nothing is for it: no run, evaluation or message to a webhook."""
        if self.cores.busy or self.store.evaluations.waiting()[0]:
            return False
        if self.store.claims.may_come(self.identity.name, self.fitness.fit(), self.settings.limits):
            return False
        return self.settings.webhooks == "off" or not self.store.outbox.has_work()

    def reap(self) -> None:
        """Report that this worker lives, take back the runs of lost workers, and serve waiting runs."""
        said = machine(self.settings.data)
        self.store.workers.hello(self.identity, self.cores.slots, said, self.fitness.fit())
        dead = [other for other in self.store.workers.all() if other.is_surely_dead()]
        running = self.store.claims.held()
        names = {other.name for other in dead}
        for run in running:
            if run.worker in names:
                self.store.claims.lose(run, f"Its worker {run.worker} has died.")
        self.evaluator.reap(names)
        if dead:
            self.store.workers.bye(names)
        for run in self.watch.expired(running):
            reason = f"Its worker {run.worker} has not responded for {self.settings.lease_s:g} s."
            if self.store.claims.lose(run, reason):
                logger.warning("Run %s: %s", run.id, reason)
        self._bury()
        self.fitness.recover(self.settings.device)
        self._slots = [slot for slot in self._slots if slot.is_alive()]
        waiting = min(self.cores.idle, len(self._waiting()))
        for _ in range(waiting if self.fitness.takes_runs else 0):
            # No hint is needed, so neither a queue that is away nor one that somebody has filled with rubbish matters.
            slot = threading.Thread(target=self._try, args=(self.take_runs,), name="slot")
            self._slots.append(slot)
            slot.start()

    def _watch_queue(self) -> None:
        """In a thread of its own, since a server that is away may take long to say so."""
        while not self.stopping.wait(LOOK_AT_QUEUE_S):
            self._look_at_queue()

    def _look_at_queue(self) -> None:
        """Notice whether the queue answers."""
        try:
            self.huey.pending_count()
            self.fitness.note = None
        except Exception as error:  # each storage has its own errors
            if self.fitness.note is None:
                logger.warning("The queue does not respond; runs are found without it: %s", error)
            self.fitness.note = NO_QUEUE

    def _bury(self) -> None:
        """Delete for good the runs that were removed long enough ago, with their folders on this machine."""
        gone = self.store.runs.bury(REMOVED_FOR_S)
        for run_id in gone:
            shutil.rmtree(self.settings.runs_folder / run_id, ignore_errors=True)
            logger.info("Run %s was deleted an hour ago; its files are deleted now.", run_id)
        self.store.artefacts.clear(gone)

    def _clear_removed(self) -> None:
        """Delete the folders of runs that another machine has deleted for good, and of trials that were killed."""
        folders = {path.name: path for path in self.settings.runs_folder.glob("*") if path.is_dir()}
        for run_id in self.store.runs.buried(folders):
            shutil.rmtree(folders[run_id], ignore_errors=True)
        for name, path in folders.items():
            if name.startswith(".trial-") and time.time() - path.stat().st_mtime > TRIAL_FOR_S:
                shutil.rmtree(path, ignore_errors=True)

    def _try(self, chore: Callable[[], None]) -> None:
        try:
            chore()
        except Exception as error:  # database or queue away, each with its own errors: the next round comes soon
            logger.warning("Could not check on the runs, will try again: %s", error)


def compile_kernels() -> None:
    """Compile early, so that the first run on a new machine need not wait; a run that comes meanwhile waits."""
    try:
        if is_kept():
            shared_library()
    except (Uncompiled, OSError) as error:  # the run says so, too, and what it trains with instead
        logger.info("The kernels could not be compiled: %s", error)


class _Consumer(Consumer):  # type: ignore[misc]  # huey has no types
    """Huey's consumer, without its signal handlers: they would replace those of this process."""

    def _set_signal_handlers(self) -> None:
        pass


class Tersely(logging.Filter):
    """For Huey's loggers: the error in one line instead of a traceback, and the same line every SAY_AGAIN_S at most."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[1]:
            record.msg, record.args = f"{record.getMessage()}: {record.exc_info[1]}", None
            record.exc_info = record.exc_text = None
        message, now = record.getMessage(), time.monotonic()
        if now - self._said.get(message, -SAY_AGAIN_S) < SAY_AGAIN_S:
            return False
        self._said[message] = now
        return True
