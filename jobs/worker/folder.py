"""The folder of a run on this machine: what must be in it before its trainer starts, and what stays of it."""

from __future__ import annotations

import hashlib
import logging
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from core.machine.files import TAB_CAPSULE, write_atomically
from core.run.spec import STORED, RunSpec
from jobs.store.artefacts.artefacts import Artefacts, DamagedArtefact
from jobs.store.claims import Claims
from jobs.store.database import may_pass
from jobs.store.records import Batch, Run, Verdict
from jobs.store.results import MAX_CAPSULE

BEAT_EVERY_S = 1.0
DAMAGED = "The checkpoint stored for other machines is damaged, so the training resumes from an earlier point."

logger = logging.getLogger("onlybn.supervisor")


class Withdrawn(Exception):
    """The run should not be trained now: `verdict` says why; "ok" where the worker itself stops."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict


class Holding:
    """Holds a claimed run while its files come, until the worker is `stopping`."""

    def __init__(self, claims: Claims, run: Run, stopping: threading.Event) -> None:
        self.claims, self.run, self.stopping = claims, run, stopping
        self._beat_at = 0.0

    def beat(self) -> None:
        """Give a sign of life, now and then. Raises Withdrawn."""
        if self.stopping.is_set():
            raise Withdrawn("ok")
        if time.monotonic() < self._beat_at:
            return
        self._beat_at = time.monotonic() + BEAT_EVERY_S
        try:
            verdict = self.claims.record(self.run.id, self.run.attempt, Batch())
        except DBAPIError as error:
            if not may_pass(error):
                raise
            return
        if verdict != "ok":
            raise Withdrawn(verdict)


def prepare(folder: Path, spec: RunSpec) -> Path:
    """Make the folder, and in it the file of `spec`, whose path it returns. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.rglob(".tmp-*"):  # of a process that was killed while it wrote
        left_over.unlink(missing_ok=True)
    path = folder / "spec.json"
    if not _holds(path, spec):
        write_atomically(path, f"{spec.model_dump_json(indent=2)}\n".encode())
    return path


def bring_checkpoint(artefacts: Artefacts, run_id: str, folder: Path, each: Callable[[], None]) -> str | None:
    """Put the checkpoint that was stored for other machines among those in the folder, of which the trainer takes the
    newest good one. Returns a warning if it is damaged. `each` is called often."""
    found = artefacts.find(run_id, "checkpoint") if artefacts.moves else None
    if found is None:
        return None
    path = folder / "checkpoints" / found.name
    if has_content(path, found.sha256):
        return None
    try:
        artefacts.fetch(found, path, each)
    except DamagedArtefact as error:
        logger.warning("Run %s: its checkpoint cannot be used: %s", run_id, error)
        artefacts.drop(found)
        return DAMAGED
    logger.info("Run %s: fetched %s", run_id, found.name)
    return None


def has_content(path: Path, sha256: str) -> bool:
    """Whether there is a file with this SHA-256."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def is_large(path: Path) -> bool:
    """Whether a capsule is there that is too large to be kept with the results."""
    try:
        return path.stat().st_size > MAX_CAPSULE
    except OSError:
        return False


def small_file(path: Path) -> bytes | None:
    """The content of a capsule that the database keeps; None where it is too large for that, or not there."""
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_CAPSULE else None
    except OSError:
        return None


def tidy(folder: Path) -> None:
    """Delete what a finished run needs no more: checkpoints, the journal, which the database has, a tab's capsule."""
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    for name in ("events.jsonl", TAB_CAPSULE):
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)


def _holds(path: Path, spec: RunSpec) -> bool:
    """Whether the file at `path` has `spec`. It may be missing, cut short or somebody else's."""
    try:
        return RunSpec.model_validate_json(path.read_bytes(), context=STORED).digest == spec.digest
    except (OSError, ValidationError):
        return False
