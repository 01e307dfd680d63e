"""Machines that share a store and no folder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.settings import WorkerSettings
from jobs.store.records import Run
from jobs.store.store import Store
from jobs.worker.supervisor import Supervisor
from tests.jobs.support import FAKE_TRAINER


class Machine:
    """A supervisor with a data folder of its own."""

    def __init__(self, store: Store, folder: Path, trainer: tuple[str, ...] = FAKE_TRAINER) -> None:
        self.store, self.settings, self.stopping = store, WorkerSettings(data=folder, threads=1), threading.Event()
        self.supervisor = Supervisor(store, self.settings, self.stopping, trainer)
        self.name = folder.name

    def take(self) -> Run:
        run = self.store.claims.take(self.name)
        assert run is not None
        return run

    def begin(self) -> tuple[Run, threading.Thread]:
        run = self.take()
        thread = threading.Thread(target=self.supervisor.supervise, args=(run, 1, "cpu"))
        thread.start()
        return run, thread

    def finish(self) -> Run:
        """Take the next run and train it to the end of the attempt."""
        run = self.take()
        self.supervisor.supervise(run, 1, "cpu")
        now = self.store.runs.get(run.id)
        assert now is not None
        return now

    def capsule(self, run: Run) -> Path:
        return self.settings.runs_folder / run.id / "final.safetensors"


Make = Callable[..., Machine]


@pytest.fixture(params=["database", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "database" if request.param == "database" else f"file://{tmp_path}/artefacts"


@pytest.fixture
def kept(store: Store, place: str) -> Store:
    return Store(store.database, place)


@pytest.fixture
def machine(kept: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr("jobs.worker.mover.WITHIN_S", 15.0)
    made: list[Machine] = []

    def make(name: str, trainer: tuple[str, ...] = FAKE_TRAINER) -> Machine:
        made.append(Machine(kept, tmp_path / name, trainer))
        return made[-1]

    yield make
    for one in made:
        one.stopping.set()
    for thread in threading.enumerate():
        if thread.name.startswith("mover-"):
            thread.join(20)


def said(store: Store, run: Run, kind: str) -> list[str]:
    return [row.message for row in store.runs.log(run.id) if row.kind == kind]


def steps(store: Store, run: Run) -> list[int]:
    return [point.step for point in store.curves.points(run.id) if point.split == "train" and point.step]
