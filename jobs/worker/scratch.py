"""The temporary folder of one worker, and the end of those whose workers were killed.

A folder has a file that its worker locks for life. The system ends the lock with the process, so who gets it knows that
the worker is dead, also where process numbers mean something else.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PREFIX = "onlybn-evaluations-"
LOCK = "lock"
FORGOTTEN_AFTER_S = 3600.0
"""When a folder without a lock goes: its worker was killed while it made it, or is of an older version."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that nobody else deletes while this process lives. First deletes those of dead workers."""
    sweep()
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-") as name:
        draft = Path(name, f"{LOCK}.new")
        with draft.open("w") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
                draft.rename(draft.with_name(LOCK))  # nobody sees it before it is locked
            yield Path(name)


def sweep() -> None:
    """Delete the temporary folders of workers that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            if _is_forgotten(folder):
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # another user's, or another worker was faster


def _is_forgotten(folder: Path) -> bool:
    lock = folder / LOCK
    if fcntl is None or not lock.exists():
        return time.time() - folder.stat().st_mtime > FORGOTTEN_AFTER_S
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
