"""Finds the capsule of a run: with its results, among the artefacts, or in its folder on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.api.common import Services, refuse_lost
from app.api.errors import Problem
from core.machine.files import CAPSULE
from jobs.store.artefacts.artefacts import Artefact, DamagedArtefact
from jobs.store.records import Run

AWAY = "the store of trained networks does not respond; try again in a minute"


@dataclass(frozen=True, slots=True)
class Capsule:
    """The capsule of a run, wherever it is, of `size_bytes`."""

    run_id: str
    size_bytes: int
    where: bytes | Artefact | Path

    def pieces(self, here: Services) -> Iterator[bytes]:
        """Its content, piece by piece, from the database or the artefacts. Raises Problem 404 if it is damaged, before
        its last piece, and 503."""
        if isinstance(self.where, bytes):
            yield self.where
        elif isinstance(self.where, Path):
            yield self.where.read_bytes()
        else:
            try:
                yield from here.store.artefacts.pieces(self.where)
            except DamagedArtefact as error:
                raise Problem(404, f"the capsule of run {self.run_id} is damaged") from error
            except OSError as error:
                raise Problem(503, AWAY) from error

    def content(self, here: Services) -> bytes:
        """All of it. Raises Problem 404 and 503."""
        return b"".join(self.pieces(here))


def capsule_of(run: Run, here: Services) -> Capsule:
    """The capsule of a finished run. Raises Problem 404 if it has none, or none that can be reached from here."""
    if run.state != "finished":
        raise Problem(404, f"run {run.id} is {run.state}; only a finished run has a capsule")
    if (content := here.store.results.capsule(run.id)) is not None:
        return Capsule(run.id, len(content), content)
    refuse_lost(run, curves=False)
    if here.store.artefacts.moves and (stored := here.store.artefacts.find(run.id, "capsule")):
        return Capsule(run.id, stored.size_bytes, stored)
    path = here.settings.runs_folder / run.id / CAPSULE
    if path.is_file():
        return Capsule(run.id, path.stat().st_size, path)
    raise Problem(
        404,
        f"the capsule of run {run.id} is too large for the database and not on this machine: it is in the data folder "
        f"of the worker that trained it, as runs/{run.id}/{CAPSULE}",
    )
