"""Artefacts: the files of a run that another machine needs, in the database or at an fsspec address.

Of each kind a run has one, the newest. It counts once it is whole; only the attempt that holds the run can make it so.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from jobs.store.artefacts.address import Address
from jobs.store.artefacts.marker import Marker
from jobs.store.artefacts.tables import ARTEFACTS, PIECES
from jobs.store.curves import number_of
from jobs.store.database import Database
from jobs.store.records import TERMINAL
from jobs.store.tables import RUNS

Kind = Literal["checkpoint", "capsule"]
FOLDER, DATABASE = "folder", "database"
"""Places of artefacts: the data folder, which then all machines share, and the database. Others are URLs."""
PIECE = 1 << 20
NAME = re.compile(r"[\w-][\w.-]{0,119}")
ABANDONED_S = 7200.0
"""After so long the writer of an artefact that is not whole has died."""
AT_ONCE = 500


class DamagedArtefact(Exception):
    """The content of an artefact differs from what was written."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A whole artefact of the run `run_id`: its file's name, size and SHA-256."""

    number: int
    run_id: str
    name: str
    attempt: int
    outside: bool
    size_bytes: int
    sha256: str


class Artefacts:
    """The artefacts of one installation, kept at `place`: FOLDER (nowhere but in the data folder), DATABASE or a URL.

    Methods raise DBAPIError, and PlaceAway if the address does not answer. Raises ValueError for a URL of no use.
    """

    def __init__(self, database: Database, place: str = FOLDER) -> None:
        self.database = database
        self.moves = place != FOLDER
        """Whether runs find their files on other machines by artefacts."""
        self._address = Address(place) if place not in (FOLDER, DATABASE) else None
        self._marker = Marker(database, self._address) if self._address else None

    def check(self) -> None:
        """Find out whether files can be kept. Raises PlaceAway."""
        if self._marker is not None:
            self._marker.set()

    def keep(
        self,
        run_id: str,
        attempt: int,
        kind: Kind,
        path: Path,
        *,
        sha256: str | None = None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Copy the file at `path`, which takes the place of the run's older artefacts of this kind.

        False: another attempt has the run, the file has not this `sha256`, or it is no longer `wanted`.
        """
        number = self._begin(run_id, attempt, kind, path.name)
        if number is None:
            return False
        kept = False
        try:
            size, digest = self._write(number, run_id, path, wanted)
            fits = sha256 in (None, digest) and size > 0 and wanted()
            kept = fits and self._complete(number, run_id, attempt, kind, size, digest)
        finally:
            if not kept:
                self._delete(ARTEFACTS.c.number == number)
        return kept

    def find(self, run_id: str, kind: Kind) -> Artefact | None:
        """The newest whole artefact of the run."""
        c = ARTEFACTS.c
        newest = sa.select(c.number, RUNS.c.id, c.name, c.attempt, c.outside, c.size_bytes, c.sha256)
        newest = newest.join(RUNS, RUNS.c.number == c.run).where(RUNS.c.id == run_id, c.kind == kind, c.whole)
        with self.database.reading() as connection:
            row = connection.execute(newest.order_by(c.number.desc()).limit(1)).first()
        return Artefact(*row) if row else None

    def pieces(self, artefact: Artefact) -> Iterator[bytes]:
        """The content, piece by piece. The last one comes only if all are what was written. Raises DamagedArtefact."""
        digest, size, held = hashlib.sha256(), 0, b""
        for piece in self._read(artefact):
            if held:
                yield held
            digest.update(piece)
            size, held = size + len(piece), piece
        if size != artefact.size_bytes or digest.hexdigest() != artefact.sha256:
            raise DamagedArtefact(f"{artefact.name} differs from what was written")
        yield held

    def fetch(self, artefact: Artefact, path: Path, each: Callable[[], object] = lambda: None) -> None:
        """Write the content to a file that is whole or absent; call `each` after each piece. Raises DamagedArtefact."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".tmp-{os.getpid()}-{path.name}")
        try:
            with draft.open("wb") as file:
                for piece in self.pieces(artefact):
                    file.write(piece)
                    each()
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def drop(self, artefact: Artefact) -> None:
        """Delete an artefact that is of no use."""
        self._delete(ARTEFACTS.c.number == artefact.number)

    def forget(self, run_id: str, kind: Kind) -> None:
        """Delete the run's artefacts of one kind."""
        self._delete((ARTEFACTS.c.run == number_of(run_id)) & (ARTEFACTS.c.kind == kind))

    def clear(self, run_ids: Collection[str]) -> None:
        """Delete the files of runs whose rows are gone. The database deletes what it has by itself."""
        if self._address is not None:
            for run_id in run_ids:
                self._address.delete(f"{self._folder}/{run_id}")

    def size(self) -> int:
        """The bytes of all artefacts that are not in an SQLite file."""
        elsewhere = sa.true() if self.database.file is None else ARTEFACTS.c.outside
        with self.database.reading() as connection:
            return int(connection.scalar(sa.select(sa.func.sum(ARTEFACTS.c.size_bytes)).where(elsewhere)) or 0)

    def large(self, size_bytes: int) -> dict[str, int]:
        """The trained networks above this size, by run: their sizes."""
        c = ARTEFACTS.c
        found = sa.select(RUNS.c.id, c.size_bytes).join(RUNS, RUNS.c.number == c.run)
        with self.database.reading() as connection:
            rows = connection.execute(found.where(c.kind == "capsule", c.size_bytes > size_bytes))
            return {row.id: row.size_bytes for row in rows}

    def sweep(self, now: float, resumable_s: float) -> None:
        """Delete what nobody needs: what a dead writer left, checkpoints of runs that finished or ended more than
        `resumable_s` ago (`now` in Unix seconds), and files that the database does not know."""
        c = ARTEFACTS.c
        if not self._any():
            return
        ended = (RUNS.c.state == "finished") | (RUNS.c.state.in_(TERMINAL) & (RUNS.c.finished_at < now - resumable_s))
        useless = (c.kind == "checkpoint") & c.run.in_(sa.select(RUNS.c.number).where(ended))
        self._delete((~c.whole & (c.at < self.database.clock() - ABANDONED_S)) | useless)
        if self._address is not None:
            names = {int(m[1]): name for name in self._address.names(self._folder) if (m := STORED.search(name))}
            for number in names.keys() - self._known(list(names)):
                self._address.delete(names[number])

    # -- parts -------------------------------------------------------------------------------------------------

    def _any(self) -> bool:
        with self.database.reading() as connection:
            some = connection.scalar(sa.select(ARTEFACTS.c.number).limit(1))
        return some is not None or self._address is not None

    @property
    def _folder(self) -> str:
        return self._marker.folder if self._marker else ""

    def _file(self, run_id: str, number: int, name: str) -> str:
        return f"{self._folder}/{run_id}/{number}-{name}"

    def _begin(self, run_id: str, attempt: int, kind: Kind, name: str) -> int | None:
        if not NAME.fullmatch(name):
            raise OSError(f"{name[:80]!r} is not the name of an artefact")
        with self.database.writing() as connection:
            run = _held(connection, run_id, attempt, kind)
            if run is None:
                return None
            row = {"run": run, "kind": kind, "name": name, "attempt": attempt, "at": self.database.clock()}
            new = sa.insert(ARTEFACTS).values(**row, outside=self._address is not None)
            return connection.scalar(new.returning(ARTEFACTS.c.number))

    def _write(self, number: int, run_id: str, path: Path, wanted: Callable[[], bool]) -> tuple[int, str]:
        """Store the content. Returns its size and SHA-256; it ends early if it is no longer wanted."""
        digest, size = hashlib.sha256(), 0

        def pieces() -> Iterator[bytes]:
            nonlocal size
            with path.open("rb") as file:
                while wanted() and (piece := file.read(PIECE)):
                    digest.update(piece)
                    size += len(piece)
                    yield piece

        if self._address is not None and self._marker is not None:
            self._marker.insist()
            self._address.write(self._file(run_id, number, path.name), pieces())
        else:
            for place, piece in enumerate(pieces()):
                with self.database.writing() as connection:
                    connection.execute(sa.insert(PIECES).values(artefact=number, place=place, content=piece))
        return size, digest.hexdigest()

    def _complete(self, number: int, run_id: str, attempt: int, kind: Kind, size: int, digest: str) -> bool:
        c = ARTEFACTS.c
        with self.database.writing() as connection:
            run = _held(connection, run_id, attempt, kind)
            if run is None:
                return False
            done = sa.update(ARTEFACTS).where(c.number == number)
            if not connection.execute(done.values(whole=True, size_bytes=size, sha256=digest)).rowcount:
                return False
        self._delete((c.run == run) & (c.kind == kind) & (c.number < number) & (c.attempt <= attempt))
        return True

    def _read(self, artefact: Artefact) -> Iterator[bytes]:
        if artefact.outside:
            if self._address is None:
                raise DamagedArtefact(f"{artefact.name} is at an address that is no longer set")
            try:
                yield from self._address.read(self._file(artefact.run_id, artefact.number, artefact.name))
            except FileNotFoundError as error:
                if self._marker is not None:
                    self._marker.insist()
                raise DamagedArtefact(f"{artefact.name} is missing") from error
            return
        for place in range(-(-artefact.size_bytes // PIECE)):
            piece = sa.select(PIECES.c.content).where(PIECES.c.artefact == artefact.number, PIECES.c.place == place)
            with self.database.reading() as connection:
                content = connection.scalar(piece)
            if content is None:
                raise DamagedArtefact(f"{artefact.name} lacks a piece")
            yield content

    def _delete(self, which: ColumnElement[bool]) -> None:
        """Delete artefacts, first their rows, so that none counts whose file is gone."""
        c = ARTEFACTS.c
        files = sa.select(RUNS.c.id, c.number, c.name).join(RUNS, RUNS.c.number == c.run).where(which, c.outside)
        with self.database.reading() as connection:
            if connection.scalar(sa.select(c.number).where(which).limit(1)) is None:
                return
        with self.database.writing() as connection:
            outside = connection.execute(files).all()
            connection.execute(sa.delete(ARTEFACTS).where(which))
        if self._address is not None:
            for row in outside:
                self._address.delete(self._file(row.id, row.number, row.name))

    def _known(self, numbers: list[int]) -> set[int]:
        found: set[int] = set()
        with self.database.reading() as connection:
            for first in range(0, len(numbers), AT_ONCE):
                some = ARTEFACTS.c.number.in_(numbers[first : first + AT_ONCE])
                found.update(connection.scalars(sa.select(ARTEFACTS.c.number).where(some)))
        return found


STORED = re.compile(r"/(\d{1,18})-[\w.-]+$")
"""The end of a file's name at the address."""


def _held(connection: Connection, run_id: str, attempt: int, kind: Kind) -> int | None:
    """The number of the run if no newer attempt has it, and if an artefact of this kind still matters.

    A checkpoint does until the run has finished, for it may be resumed; a trained network only before it is said.
    """
    c = RUNS.c
    matters = c.state == "running" if kind == "capsule" else c.state != "finished"
    mine = sa.select(c.number).where(c.id == run_id, c.attempt == attempt, matters, c.evicted_at.is_(None))
    number: int | None = connection.scalar(mine.with_for_update())
    return number
