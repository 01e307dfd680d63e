"""Serves evaluations for one worker: one at a time, beside its trainings, in a thread and a process of its own.

So a worker that is busy training answers within seconds; the threads of its trainings take no part.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from core.machine.files import CAPSULE
from jobs.lease import Watch
from jobs.settings import WorkerSettings
from jobs.store.artefacts.artefacts import DamagedArtefact
from jobs.store.database import may_pass
from jobs.store.evaluations import Evaluation
from jobs.store.store import Store
from jobs.worker.ending import describe_end
from jobs.worker.fitness import REPOSITORY
from jobs.worker.folder import has_content
from jobs.worker.limits import child_environment, restrain
from jobs.worker.process import TrainerProcess
from jobs.worker.scratch import scratch
from jobs.worker.verdicts import RETRY_S

KEPT_WARM_S = 60.0
"""How long a process waits for the next evaluation before it is ended: starting one takes seconds."""
LOOK_EVERY_S = 1.0
"""How often to look for evaluations whose hint no slot took, because all may be training."""
BEAT_EVERY_S = 0.5
TIMEOUT_S = 240.0
EVALUATOR = (sys.executable, "-m", "core", "capsule", "surgery", "-")

logger = logging.getLogger("onlybn.evaluator")


@dataclass
class Said:
    """What the process has said so far of one evaluation."""

    share: float = 0.0
    result: dict[str, Any] | None = None
    refusal: str | None = None

    @property
    def done(self) -> bool:
        return self.result is not None or self.refusal is not None

    def take(self, line: bytes) -> None:
        """Read one line of its output."""
        try:
            match json.loads(line):
                case {"event": "progress", "share": float(share)}:
                    self.share = share
                case {"event": "result"} as result:
                    self.result = {key: value for key, value in result.items() if key != "event"}
                case {"event": "refused", "message": str(message)}:
                    self.refusal = message
        except ValueError:
            logger.warning("The evaluation wrote a line that is not JSON: %r", line[:200])


@dataclass
class Evaluator:
    """Serves evaluations for the worker named `worker`, until `stopping` is set. `command` starts their process."""

    store: Store
    settings: WorkerSettings
    worker: str
    stopping: threading.Event
    command: Sequence[str] = EVALUATOR
    timeout_s: float = TIMEOUT_S
    kept_warm_s: float = KEPT_WARM_S
    _awake: threading.Event = field(default_factory=threading.Event)
    _process: TrainerProcess | None = None
    _used: float = 0.0

    def __post_init__(self) -> None:
        self._watch = Watch(self.settings.lease_s)
        # The process dies with the thread that started it, so one thread serves all.
        self._thread = threading.Thread(target=self._serve, name="evaluator", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Look for an evaluation now."""
        self._awake.set()

    def join(self) -> None:
        """Wait for the end, once `stopping` is set."""
        self.wake()
        if self._thread.is_alive():
            self._thread.join()

    def reap(self, dead: Collection[str]) -> None:
        """Take back the evaluations of lost workers. Called every few seconds with the names of those that died."""
        running = self.store.evaluations.held()
        for held in running:
            if held.worker in dead:
                self.store.evaluations.lose(held.id, held.attempt, f"Its worker {held.worker} has died.")
        for held in self._watch.expired(running):
            reason = f"Its worker {held.worker} has not responded for {self.settings.lease_s:g} s."
            self.store.evaluations.lose(held.id, held.attempt, reason)

    def _serve(self) -> None:
        with scratch() as folder:
            while not self.stopping.is_set():
                self._awake.wait(LOOK_EVERY_S)
                self._awake.clear()
                try:
                    while not self.stopping.is_set() and (evaluation := self.store.evaluations.take(self.worker)):
                        self._evaluate(evaluation, folder)
                except Exception as error:  # database or disk away; the lease brings back what is held
                    logger.warning("Could not check on the evaluations, will try again: %s", error)
                    self._end()
                    self.stopping.wait(RETRY_S)
                if self._process and time.monotonic() - self._used > self.kept_warm_s:
                    self._end()
            self._end()

    def _evaluate(self, evaluation: Evaluation, folder: Path) -> None:
        """Serve a claimed evaluation until it ends or returns to the queue."""
        capsule = folder / CAPSULE
        missing = f"The trained network of run {evaluation.run_id} is not on this worker's machine."
        try:
            there = self._bring_capsule(evaluation, capsule)
        except DamagedArtefact:
            there, missing = False, f"The trained network of run {evaluation.run_id} is damaged."
        if not there:
            self._insist(lambda: self.store.evaluations.fail(evaluation, missing))
            return
        asked = {"file": str(capsule), "request": evaluation.request.model_dump(mode="json")}
        process = self._running(folder)
        try:
            process.tell(json.dumps(asked).encode())
        except OSError:  # it died while it waited
            self._end()
            process = self._running(folder)
            process.tell(json.dumps(asked).encode())
        if not self._watch_over(evaluation, process):
            self._end()
        self._used = time.monotonic()

    def _running(self, folder: Path) -> TrainerProcess:
        """The process of the last evaluation if it is still there, or a new one."""
        if self._process is None:
            command = [*self.command, "--device", self.settings.device]
            environment, log = child_environment(self.settings), folder / "log.txt"
            self._process = TrainerProcess(command, folder=REPOSITORY, environment=environment, log=log)
            restrain(self._process.pid, self.settings)
        return self._process

    def _end(self) -> None:
        """End the process, if there is one."""
        if self._process:
            self._process.kill()
            self._process.end()
        self._process = None

    def _bring_capsule(self, evaluation: Evaluation, path: Path) -> bool:
        """Copy the capsule to `path`, from the database or, if it is too large for that, from where artefacts are or
        from the run's folder. False: there is none. Raises DamagedArtefact."""
        content = self.store.results.capsule(evaluation.run_id)
        if content is not None:
            path.write_bytes(content)
            return True
        own = self.settings.runs_folder / evaluation.run_id / CAPSULE
        stored = self.store.artefacts.find(evaluation.run_id, "capsule") if self.store.artefacts.moves else None
        if stored is not None and not has_content(own, stored.sha256):
            self.store.artefacts.fetch(stored, path, lambda: self._beat(evaluation, 0.0))
            return True
        if own.is_file():
            shutil.copyfile(own, path)
        return own.is_file()

    def _watch_over(self, evaluation: Evaluation, process: TrainerProcess) -> bool:
        """Follow the evaluation to its end. Returns whether the process can do another one."""
        said, until, beat_at = Said(), time.monotonic() + self.timeout_s, 0.0
        late = f"It took longer than {self.timeout_s:g} s and was stopped."
        while not (process.ended or said.done):
            for line in process.read(BEAT_EVERY_S):
                said.take(line)
            if self.stopping.is_set():
                self.store.evaluations.release(evaluation)
                return False
            if time.monotonic() >= until:
                self._end()  # before the write: the next evaluation must not find it busy
                self._insist(lambda: self.store.evaluations.fail(evaluation, late))
                return False
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + BEAT_EVERY_S
                if not self._beat(evaluation, said.share):
                    logger.warning("Evaluation %s: it was cancelled, or another worker has it now", evaluation.id)
                    return False
        self._insist(lambda: self._settle(evaluation, said, process))
        return said.done

    def _settle(self, evaluation: Evaluation, said: Said, process: TrainerProcess) -> bool:
        """Write how the evaluation ended."""
        if said.result is not None:
            return self.store.evaluations.finish(evaluation, said.result)
        if said.refusal is not None:
            return self.store.evaluations.fail(evaluation, said.refusal)
        reason = describe_end(process.end(), process.last_words(), "evaluating")
        return self.store.evaluations.lose(evaluation.id, evaluation.attempt, reason)

    def _beat(self, evaluation: Evaluation, share: float) -> bool:
        """Send a heartbeat. Returns whether the evaluation is still ours, which it is while the database is away."""
        try:
            return self.store.evaluations.beat(evaluation, share)
        except DBAPIError as error:
            if not may_pass(error):
                raise
            return True

    def _insist(self, write: Callable[[], bool]) -> None:
        """Do a last write, and try again while the database is away. If we must stop, the lease ends by itself."""
        while True:
            try:
                write()
                return
            except DBAPIError as error:
                if not may_pass(error) or self.stopping.wait(RETRY_S):
                    raise
