"""The folder of a run on this machine: what must be in it before its trainer starts, and what stays of it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from core.machine.files import write_atomically
from core.run.spec import STORED, RunSpec
from jobs.store.results import MAX_CAPSULE


def prepare(folder: Path, spec: RunSpec) -> Path:
    """Make the folder, and in it the file of `spec`, whose path it returns. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.rglob(".tmp-*"):  # of a process that was killed while it wrote
        left_over.unlink(missing_ok=True)
    path = folder / "spec.json"
    if not _holds(path, spec):
        write_atomically(path, f"{spec.model_dump_json(indent=2)}\n".encode())
    return path


def small_file(path: Path) -> bytes | None:
    """The content of a capsule that the database keeps; None where it is too large for that, or not there."""
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_CAPSULE else None
    except OSError:
        return None


def tidy(folder: Path) -> None:
    """Delete what a finished run needs no more: checkpoints, and the journal, which the database has."""
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    with suppress(OSError):
        (folder / "events.jsonl").unlink(missing_ok=True)


def _holds(path: Path, spec: RunSpec) -> bool:
    """Whether the file at `path` has `spec`. It may be missing, cut short or somebody else's."""
    try:
        return RunSpec.model_validate_json(path.read_bytes(), context=STORED).digest == spec.digest
    except (OSError, ValidationError):
        return False
