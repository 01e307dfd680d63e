"""A copy of the database in another folder, such as a mounted bucket, every minute; and its restore into a data folder
that was wiped. For machines whose disk does not last, such as a Hugging Face Space.

Two files take turns, each with a note of its digest that is written after it. So one whole copy is there at every
moment, also if the machine is killed within a write, and if the folder's file system cannot rename at once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from core.machine.files import write_atomically
from jobs.backup.rows import Damaged, check, copy_in, copy_out
from jobs.store.database import Database
from jobs.store.schema import WrongSchema

FILES = ("onlybn-a.db", "onlybn-b.db")
DRAFT = ".snapshot-"
SQLITE_HEADER = 100
"""Bytes at the start of the file in which SQLite counts changes."""
FAULTS = (OSError, DBAPIError, WrongSchema, Damaged)

log = logging.getLogger("onlybn.bucket")


@dataclass(frozen=True)
class Note:
    """What is said beside a copy: which one it is, the digest of the file, and of its content without the header."""

    number: int
    sha256: str
    content: str


class Bucket:
    """The copies in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, database: Database, near: Path) -> bool:
        """Copy the database; False if the newest copy has the same rows. `near`: a folder for the draft.

        Raises OSError, DBAPIError and WrongSchema; the copies that are there stay whole.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=DRAFT, dir=near) as temporary:
            draft = Path(temporary) / FILES[0]
            copy_out(database, draft)
            notes = {name: self._note(name) for name in FILES}
            newest = max((note for note in notes.values() if note), key=lambda note: note.number, default=None)
            content = _digest(draft, SQLITE_HEADER)
            if newest and newest.content == content:
                return False
            name = min(FILES, key=lambda name: note.number if (note := notes[name]) else 0)
            (self.folder / name).with_suffix(".json").unlink(missing_ok=True)
            _copy(draft, self.folder / name)
            note = Note(newest.number + 1 if newest else 1, _digest(draft), content)
        write_atomically((self.folder / name).with_suffix(".json"), json.dumps(vars(note)).encode())
        return True

    def restore(self, database: Database) -> str | None:
        """Put the newest whole copy into `database`, which has no file yet. Returns the copy's name, or None.

        Raises OSError, DBAPIError, and WrongSchema if a newer program wrote it.
        """
        assert database.file is not None
        found = sorted(((note.number, name) for name in FILES if (note := self._note(name))), reverse=True)
        for _, name in found:
            database.file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".restore-", dir=database.file.parent) as temporary:
                draft = Path(temporary) / name
                try:
                    shutil.copyfile(self.folder / name, draft)
                    note = self._note(name)
                    if note is None or _digest(draft) != note.sha256:
                        raise Damaged("it differs from what was written")
                    check(draft)
                except (OSError, Damaged) as error:
                    log.error("The copy %s cannot be used: %s", name, error)
                    continue
                copy_in(draft, database)
                return name
        return None

    def _note(self, name: str) -> Note | None:
        try:
            said = json.loads((self.folder / name).with_suffix(".json").read_bytes())
            return Note(int(said["number"]), str(said["sha256"]), str(said["content"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("The note of the copy %s cannot be read: %s", name, error)
            return None


class Snapshots:
    """A thread that saves `database` in `bucket` every `every_s` seconds, and once more when it is stopped."""

    def __init__(self, bucket: Bucket, database: Database, near: Path, every_s: float) -> None:
        self._bucket, self._database, self._near, self._every_s = bucket, database, near, every_s
        self._stopping = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)
        self.saved_at: float | None = None
        """When the bucket last had what the database has, in Unix seconds."""

    def start(self) -> None:
        for left in self._near.glob(f"{DRAFT}*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        self._thread.start()

    def stop(self) -> None:
        """Save once more, then end."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            self._save()
        self._save()

    def _save(self) -> None:
        try:
            began = time.time()
            self._bucket.save(self._database, self._near)
            self.saved_at, was_failing, self._failing = began, self._failing, False
            if was_failing:
                log.warning("The database is being copied to %s again", self._bucket.folder)
        except FAULTS as error:
            if not self._failing:
                log.error("The database cannot be copied to %s: %s", self._bucket.folder, error)
            self._failing = True


def _digest(file: Path, start: int = 0) -> str:
    with file.open("rb") as content:
        content.seek(start)
        return hashlib.file_digest(content, "sha256").hexdigest()


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as content, target.open("wb") as file:
        shutil.copyfileobj(content, file, 1 << 20)
        file.flush()
        os.fsync(file.fileno())
