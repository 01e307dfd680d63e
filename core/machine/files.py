"""Names of files and folders, and a function that writes a file completely or not at all. Imports no torch."""

from __future__ import annotations

import os
from pathlib import Path

CAPSULE = "final.safetensors"
CAPSULE_FORMAT = "onlybn-capsule"
"""The value of `format` in a capsule's metadata."""
START = "start.safetensors"
"""The file that a run starts from, if it has one."""

TAB_CAPSULE = "tab.safetensors"
"""The capsule that a browser trained, until it is verified."""


def datasets_folder() -> Path:
    """Where data sets are kept: below the folder that ONLYBN_DATA names, or `data`."""
    return Path(os.environ.get("ONLYBN_DATA") or "data") / "datasets"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is complete or absent, whatever happens: temporary file, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
