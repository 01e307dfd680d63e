"""`python -m jobs backup FILE` and `restore FILE`: one archive of everything that cannot be made again.

It holds the database and the folders of the runs, with their checkpoints; not the data sets, the queue (the rows are
the jobs) and the keys. Both commands work beside a server and workers that go on writing, and nothing is half written.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

from core.version import VERSION
from jobs.backup.rows import Damaged, check, copy_in, copy_out, refuse_full
from jobs.settings import WorkerSettings
from jobs.store.database import Database
from jobs.store.schema import HEAD

FORMAT = 1
NOTE, ROWS, RUNS = "backup.json", "onlybn.db", "runs"
NAME = re.compile(r"runs/[\w-]{1,64}/(?:[\w-][\w.-]{0,120}/)?[\w-][\w.-]{0,120}")
LONGEST_NOTE = 64 * 1024


class CannotBackUp(Exception):
    """The command cannot be carried out; the message says why, and nothing was changed."""


@dataclass(frozen=True)
class Size:
    """How much there is in a backup: files of runs, and bytes of the archive, or of what was restored."""

    files: int
    size_bytes: int


def back_up(settings: WorkerSettings, database: Database, file: Path, with_runs: bool = True) -> Size:
    """Write a new archive `file`, for its owner only. Raises CannotBackUp, OSError, DBAPIError and WrongSchema."""
    if file.exists():
        raise CannotBackUp(f"{file} already exists; name another file")
    file.parent.mkdir(parents=True, exist_ok=True)
    files = 0
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.parent) as folder:
        draft, rows = Path(folder) / file.name, Path(folder) / ROWS
        with _private(draft) as raw:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=1) as archive:
                # The files come first: a checkpoint that is older than the rows is what every crash leaves behind.
                for path in _files(settings.runs_folder) if with_runs else ():
                    files += _add(archive, path, settings.data)
                copy_out(database, rows)
                check(rows)
                _add(archive, rows, rows.parent)
                _note(archive, rows)
            raw.flush()
            os.fsync(raw.fileno())
        try:
            os.link(draft, file)
        except FileExistsError as error:
            raise CannotBackUp(f"{file} already exists; name another file") from error
        except OSError:  # a file system without links
            draft.replace(file)
    return Size(files, file.stat().st_size)


def restore(settings: WorkerSettings, database: Database, file: Path) -> Size:
    """Put the content of an archive into an empty data folder and database.

    Raises CannotBackUp, Damaged, OSError, DBAPIError and WrongSchema.
    """
    reason = refuse_full(database)
    if reason is None and settings.runs_folder.is_dir() and any(settings.runs_folder.iterdir()):
        reason = f"{settings.runs_folder} is not empty"
    if reason:
        raise CannotBackUp(f"{reason}; restore into an empty ONLYBN_DATA folder and database")
    settings.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=settings.data) as folder:
        files, size = _unpack(file, Path(folder))
        if (Path(folder) / RUNS).is_dir():
            if settings.runs_folder.is_dir():
                settings.runs_folder.rmdir()
            (Path(folder) / RUNS).replace(settings.runs_folder)
        copy_in(Path(folder) / ROWS, database)  # last: with it the installation is there
    return Size(files, size)


def _files(folder: Path) -> Iterator[Path]:
    """The files of all runs, of each run its checkpoints first; no drafts, and nothing that links lead to."""
    for run in sorted(folder.iterdir()) if folder.is_dir() else ():
        inner = sorted(path for path in _inside(run) if path.is_dir() and not path.is_symlink())
        for place in (*inner, run):
            yield from sorted(path for path in _inside(place) if not path.name.startswith("."))


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # removed meanwhile, or no folder
        return []


def _add(archive: tarfile.TarFile, path: Path, root: Path) -> int:
    """Add a regular file as it is now; 0 if it has gone or has a name that no run gives."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return 0
    found, name = os.fstat(descriptor), path.relative_to(root).as_posix()
    if not stat.S_ISREG(found.st_mode) or not (NAME.fullmatch(name) or name == ROWS):
        os.close(descriptor)
        return 0
    with os.fdopen(descriptor, "rb") as content:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = found.st_size, int(found.st_mtime), 0o600
        archive.addfile(entry, content)  # reads that many bytes: what a trainer appends meanwhile is left out
    return 1


def _note(archive: tarfile.TarFile, rows: Path) -> None:
    with rows.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    said = {"format": FORMAT, "version": VERSION, "schema": HEAD, "made_at": time.time(), "sha256": digest}
    text = json.dumps(said).encode()
    entry = tarfile.TarInfo(NOTE)
    entry.size, entry.mode = len(text), 0o600
    archive.addfile(entry, BytesIO(text))


def _unpack(file: Path, folder: Path) -> tuple[int, int]:
    """Write the archive's files below `folder`, and check them. Returns how many files and bytes."""
    files = size = 0
    try:
        with tarfile.open(file, "r:gz") as archive:
            for entry in archive:
                if not entry.isreg() or not (entry.name in (NOTE, ROWS) or NAME.fullmatch(entry.name)):
                    raise Damaged(f"{entry.name[:100]!r} does not belong in a backup of OnlyBN")
                content, path = archive.extractfile(entry), folder / entry.name
                assert content is not None  # it is a regular file
                path.parent.mkdir(parents=True, exist_ok=True)
                with _private(path) as target:
                    shutil.copyfileobj(content, target)
                files, size = files + entry.name.startswith(f"{RUNS}/"), size + entry.size
    except (tarfile.TarError, EOFError, FileExistsError) as error:
        raise Damaged(f"{file} is not a complete backup: {error}") from error
    except OSError as error:
        if error.errno is None:  # gzip's own errors have no number
            raise Damaged(f"{file} is not a complete backup: {error}") from error
        raise
    _check_note(file, folder)
    return files, size


def _check_note(file: Path, folder: Path) -> None:
    note, rows = folder / NOTE, folder / ROWS
    if not note.is_file() or not rows.is_file() or note.stat().st_size > LONGEST_NOTE:
        raise Damaged(f"{file} is not a complete backup: {NOTE} or {ROWS} is missing")
    try:
        said = json.loads(note.read_bytes())
        known, expected = said["format"], said["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{file} is not a complete backup: {NOTE} cannot be read") from error
    if known != FORMAT:
        raise Damaged(f"{file} has format {known}, this program reads {FORMAT}: it is from a newer OnlyBN")
    with rows.open("rb") as content:
        if hashlib.file_digest(content, "sha256").hexdigest() != expected:
            raise Damaged(f"{file} is damaged: its database is not the one that was written")


def _private(path: Path) -> IO[bytes]:
    """A new file that only its owner can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
