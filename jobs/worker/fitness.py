"""What a worker is fit for. A training that dies may be the machine's fault: a trial training tells.

If the trial fails, too, the worker takes no runs until one succeeds, and no run is blamed. It tries again by itself.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from core.catalog.datasets import DATASETS
from core.machine.files import write_atomically
from core.run.spec import RunSpec
from jobs.settings import WorkerSettings
from jobs.store.workers import Fit
from jobs.worker.limits import child_environment, restrain
from jobs.worker.process import TrainerProcess

REPOSITORY = Path(__file__).resolve().parents[2]
TRIAL = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 1}
TRIAL_S = 120.0
"""How long the trial may take; seconds on an idle machine."""
WAITS_S = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
"""How long after a failed trial the next one comes."""
MISSING_S = (10.0, 60.0, 300.0)
"""For how long runs on images that could not be read are left alone."""
CAUSES = (
    ("no space left", "its disk is full"),
    ("read-only file system", "its data folder cannot be written"),
    ("permission denied", "its data folder cannot be written"),
    ("importerror", "PyTorch cannot be loaded"),
    ("modulenotfounderror", "PyTorch cannot be loaded"),
    ("cannot open shared object", "PyTorch cannot be loaded"),
    ("memory", "its memory is full"),
    ("cuda", "its GPU does not work"),
    ("nvidia", "its GPU does not work"),
)
"""Words of an error, and what they mean. Strangers read the meaning, so it names no path."""

logger = logging.getLogger("onlybn.worker")


class Fitness:
    """The fitness of one worker, whose trials are trainings by `trainer`. May be shared by threads."""

    def __init__(
        self,
        settings: WorkerSettings,
        stopping: threading.Event,
        trainer: Sequence[str],
        waits_s: Sequence[float] = WAITS_S,
    ) -> None:
        self.settings, self.stopping, self.trainer, self.waits_s = settings, stopping, trainer, waits_s
        self._lock = threading.Lock()
        self._testing = False
        self._trouble: str | None = None
        self._failures = 0
        self._again_at = 0.0
        self._failed: dict[str, tuple[int, float]] = {}
        self.note: str | None = None
        self.lacks = tuple(
            data.name for data in DATASETS.values() if data.variable and data.download is None and data.given is None
        )
        """The data sets that cannot be there: nobody has said where they are."""

    @property
    def takes_runs(self) -> bool:
        return self._trouble is None and not self._testing

    @property
    def trouble(self) -> str | None:
        """Why a trial training failed, unless one has succeeded since."""
        return self._trouble

    def fit(self) -> Fit:
        now = time.monotonic()
        failed = tuple(name for name, (_, until) in self._failed.items() if now < until)
        trouble = self._trouble and f"It accepts no runs, because a trial training fails: {self._trouble}."
        return Fit(trouble, self.note, self.lacks, failed, self.settings.worker_labels)

    def could_not_read(self, dataset: str) -> None:
        """A run did not find the images of `dataset`: leave such runs alone for a while."""
        times, _ = self._failed.get(dataset, (0, 0.0))
        self._failed[dataset] = times + 1, time.monotonic() + MISSING_S[min(times, len(MISSING_S) - 1)]

    def read(self, dataset: str) -> None:
        """A run found the images of `dataset`."""
        self._failed.pop(dataset, None)

    def is_sick(self, device: str) -> bool:
        """Whether the worker cannot train on `device`. Takes as long as a small training; the worker takes nothing
        meanwhile."""
        with self._lock:
            if self._trouble is None:
                self._try(device)
            return self._trouble is not None

    def recover(self, device: str) -> None:
        """Try again whether the worker can train, if it could not and some time has passed since."""
        if self._trouble is not None and time.monotonic() >= self._again_at and self._lock.acquire(blocking=False):
            try:
                self._try(device)
            finally:
                self._lock.release()

    def _try(self, device: str) -> None:
        self._testing = True
        try:
            cause = self._cause(device)
        finally:
            self._testing = False
        if self.stopping.is_set():
            return
        if cause is None:
            if self._trouble:
                logger.warning("A trial training succeeded: this worker accepts runs again.")
            self._failures = 0
        else:
            wait_s = self.waits_s[min(self._failures, len(self.waits_s) - 1)]
            self._failures, self._again_at = self._failures + 1, time.monotonic() + wait_s
            logger.warning("A trial training failed: %s. The next one starts in %g s.", cause, wait_s)
        self._trouble = cause

    def _cause(self, device: str) -> str | None:
        """Why a trial training fails; None if it succeeds."""
        folder = self.settings.runs_folder / f".trial-{os.getpid()}-{threading.get_ident()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / "spec.json", RunSpec.model_validate(TRIAL).model_dump_json().encode())
            command = [*self.trainer, "--spec", str(folder / "spec.json"), "--out", str(folder), "--events", "-"]
            command += ["--lifeline", "--attempt", "1", "--threads", "1", "--device", device]
            environment, log = child_environment(self.settings), folder / "trainer.log"
            with TrainerProcess(command, folder=REPOSITORY, environment=environment, log=log) as process:
                restrain(process.pid, self.settings)
                return self._follow(process)
        except OSError as error:
            return _meaning(str(error))
        finally:
            with suppress(OSError):
                shutil.rmtree(folder)

    def _follow(self, process: TrainerProcess) -> str | None:
        until, words = time.monotonic() + TRIAL_S, ""
        while not process.ended and not self.stopping.is_set():
            for line in process.read(0.5):
                match _event(line):
                    case {"event": "finished"}:
                        return None
                    case {"event": "failed", "message": str(message)}:
                        words = message
            if time.monotonic() >= until:
                return f"it did not end within {TRIAL_S:g} s"
        code = process.end()
        last = process.last_words()
        logger.warning("The trial training ended with exit code %d: %s", code, " | ".join([words, *last[-3:]]))
        return _meaning(" ".join([words, *last]))


def _event(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _meaning(words: str) -> str:
    said = words.lower()
    return next((meaning for sign, meaning in CAUSES if sign in said), "it ended with an error; see the log")
