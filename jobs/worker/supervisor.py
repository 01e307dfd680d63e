"""Supervises one run: starts its trainer, writes what the trainer says, stops it, says how it ended.

The supervisor is the only writer of a run's events; the trainer never sees the database. The store's answers tell the
supervisor that somebody cancelled the run, or that another worker has it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from sqlalchemy.exc import DBAPIError

from core.catalog.datasets import DATASETS
from core.machine.files import CAPSULE, START, write_atomically
from core.run.events import Failed, Finished
from jobs.settings import WorkerSettings
from jobs.store.database import may_pass
from jobs.store.records import Run
from jobs.store.results import MAX_CAPSULE
from jobs.store.store import Store
from jobs.worker.inbox import Inbox
from jobs.worker.process import TrainerProcess

FLUSH_EVERY_S = 0.4
CANCEL_GRACE_S = 1.5
"""Enough for most trainers to save their work, so that the run can be resumed; others resume from an earlier
checkpoint. A cancel ends within 2 s."""
STOP_GRACE_S = 6.0
"""How long a trainer may take to save its work when the worker stops."""
RETRY_S = 1.0
BAD_ARGUMENTS = 2
REPOSITORY = Path(__file__).resolve().parents[2]
TRAINER = (sys.executable, "-m", "core", "train")
LAUNCHER = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node")
"""torchrun. What it starts dies with it: the trainers see to that themselves."""
SECRETS = (
    *("ONLYBN_SECRET", "ONLYBN_DATABASE_URL", "ONLYBN_QUEUE_URL", "ONLYBN_AUTH_PASSWORD", "ONLYBN_METRICS_TOKEN"),
    *("ONLYBN_OAUTH_CLIENT_SECRET", "OAUTH_CLIENT_SECRET", "HF_TOKEN"),
)

logger = logging.getLogger("onlybn.supervisor")
Answer = TypeVar("Answer")
Asked = Literal["cancel", "lost", "stop"]


class Supervisor:
    """Runs trainers for one worker. `stopping` is set when the worker must end."""

    def __init__(
        self, store: Store, settings: WorkerSettings, stopping: threading.Event, trainer: Sequence[str] = TRAINER
    ) -> None:
        self.store, self.settings, self.stopping, self.trainer = store, settings, stopping, trainer

    def supervise(self, run: Run, threads: int, device: str) -> None:
        """Supervise a claimed run until it ends or returns to the queue. Each of its processes has `threads`."""
        folder = self.settings.runs_folder / run.id
        try:
            process = self._start(run, folder, threads, device)
        except OSError as error:
            reason = f"The trainer could not be started: {error}."
            self.insist(lambda: self.store.claims.crash(run.id, run.attempt, reason))
            return
        try:
            with process:
                state = _Supervision(self, run, process).to_the_end()
        except Exception as error:  # a fault of ours must leave neither a trainer nor a run behind
            logger.exception("Run %s: the supervisor failed", run.id)
            reason = f"The supervisor failed: {error}."
            state = self.insist(lambda: self.store.claims.crash(run.id, run.attempt, reason))
        logger.info("Run %s, attempt %d: %s", run.id, run.attempt, state or "no longer ours")
        if state == "finished":  # a run in any other state may be resumed
            shutil.rmtree(folder / "checkpoints", ignore_errors=True)

    def _start(self, run: Run, folder: Path, threads: int, device: str) -> TrainerProcess:
        folder.mkdir(parents=True, exist_ok=True)
        spec = folder / "spec.json"
        if not spec.exists():
            draft = folder / ".spec.json"
            draft.write_text(f"{run.spec.model_dump_json(indent=2)}\n")
            draft.replace(spec)
        processes = self.settings.processes
        trainer = self.trainer if processes == 1 else (*LAUNCHER, str(processes), *self.trainer[1:])
        self._bring_start(run, folder)
        command = [*trainer, "--spec", str(spec), "--out", str(folder), "--events", "-", "--lifeline"]
        command += ["--attempt", str(run.attempt), "--threads", str(threads)]
        command += ["--device", device]
        environment = child_environment(self.settings)
        if processes > 1:
            environment["OMP_NUM_THREADS"] = str(threads)  # torchrun warns if it is unset
        process = TrainerProcess(command, folder=REPOSITORY, environment=environment, log=folder / "trainer.log")
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

    def __init__(self, supervisor: Supervisor, run: Run, process: TrainerProcess) -> None:
        self.supervisor, self.store, self.run, self.process = supervisor, supervisor.store, run, process
        self.inbox = Inbox()
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
        while self.inbox.worth_keeping and self.asked != "lost":
            self._react(self._flush())
            if self.inbox.worth_keeping and self.supervisor.stopping.wait(RETRY_S):
                break  # the trainer's journal has them, and the next attempt reports them again
        code = self.process.end()
        return None if self.asked == "lost" else self.supervisor.insist(lambda: self._settle(code))

    def _listen(self, timeout_s: float) -> None:
        if self.inbox.full:
            time.sleep(timeout_s)
            return
        for line in self.process.read(timeout_s):
            self.inbox.take(line)

    def _flush(self) -> str:
        """Hand the inbox to the store. While the database is away the inbox is kept and the training goes on."""
        try:
            verdict = self.store.claims.record(self.run.id, self.run.attempt, self.inbox.batch())
        except DBAPIError as error:
            if not may_pass(error):
                raise
            logger.warning("Run %s: the database does not answer, will try again: %s", self.run.id, error.orig)
            return "ok"
        self.inbox.clear()
        return verdict

    def _react(self, verdict: str) -> None:
        """Stop the trainer when the store's answer or the worker's end asks for it."""
        if verdict == "lost" and self.asked != "lost":
            logger.warning("Run %s, attempt %d: another worker has it now", self.run.id, self.run.attempt)
            self.asked = "lost"
            self.process.kill()
        elif verdict == "cancel" and self.asked != "cancel":
            self._ask("cancel", CANCEL_GRACE_S)
        elif self.asked is None and self.supervisor.stopping.is_set():
            self._ask("stop", STOP_GRACE_S)

    def _ask(self, why: Asked, grace_s: float) -> None:
        self.asked, self.kill_at = why, time.monotonic() + grace_s
        self.process.terminate()

    def _settle(self, code: int) -> str | None:
        """Write how the run ended, with exit code `code`."""
        claims, run_id, attempt = self.store.claims, self.run.id, self.run.attempt
        last_word = self.inbox.last_word
        if isinstance(last_word, Finished):
            capsule = _small_file(self.supervisor.settings.runs_folder / run_id / CAPSULE)
            return "finished" if claims.finish(run_id, attempt, last_word, capsule) else None
        if self.asked == "cancel":
            return "cancelled" if claims.cancel(run_id, attempt) else None
        if isinstance(last_word, Failed):
            return "failed" if claims.fail(run_id, attempt, last_word.kind, last_word.message) else None
        errors = self.process.last_words()
        if code == BAD_ARGUMENTS:
            message = errors[-1].removeprefix("error: ") if errors else "The trainer refused its arguments."
            return "failed" if claims.fail(run_id, attempt, "error", message) else None
        if self.asked == "stop":
            return claims.release(run_id, attempt, "The worker was stopped. The run goes on with the next worker.")
        return claims.crash(run_id, attempt, describe_end(code, errors))


def child_environment(settings: WorkerSettings) -> dict[str, str]:
    """The environment of a process that runs core: ours, without the secrets of the worker.

    Folders of data sets are made absolute, since that process works in another folder.
    """
    ours = {key: value for key, value in os.environ.items() if key not in SECRETS}
    for data in DATASETS.values():
        if data.variable and (named := ours.get(data.variable)):
            ours[data.variable] = str(Path(named).expanduser().absolute())
    return ours | {"ONLYBN_DATA": str(settings.data), "PYTHONUNBUFFERED": "1"}


def _small_file(path: Path) -> bytes | None:
    """The content of a capsule that the database keeps; None where it is too large for that, or not there."""
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_CAPSULE else None
    except OSError:
        return None


def describe_end(code: int, errors: Sequence[str], who: str = "training") -> str:
    """Why a process ended that did not report its end itself; `who`: what it did."""
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        hint = ", as it happens when memory runs out" if -code == signal.SIGKILL else ""
        reason = f"The {who} process was killed ({name}{hint})"
    else:
        reason = f"The {who} process ended with exit code {code}"
    return f"{reason}. It wrote last: {' | '.join(errors[-3:])}" if errors else f"{reason}."
