"""A run goes from one machine to another that shares no folder with it: what moves, when, and what if it is damaged."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.run.events import Checkpointed
from core.run.spec import RunSpec
from jobs.settings import WorkerSettings
from jobs.store.artefacts.artefacts import PIECE
from jobs.store.artefacts.tables import ARTEFACTS, PIECES
from jobs.store.records import Run
from jobs.store.results import MAX_CAPSULE
from jobs.store.store import Store
from jobs.worker import supervisor as supervisors
from jobs.worker.folder import DAMAGED
from jobs.worker.keeper import Keeper
from jobs.worker.mover import Mover
from jobs.worker.supervisor import LEFT_HERE, TRAINER, Supervisor
from tests.jobs.support import FAKE_TRAINER, eventually, fake_spec

pytestmark = pytest.mark.server
LARGE = MAX_CAPSULE + 3 * PIECE


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
    monkeypatch.setattr("jobs.worker.mover.WITHIN_S", 30.0)
    made: list[Machine] = []

    def make(name: str, trainer: tuple[str, ...] = FAKE_TRAINER) -> Machine:
        made.append(Machine(kept, tmp_path / name, trainer))
        return made[-1]

    yield make
    for one in made:
        one.stopping.set()


def said(store: Store, run: Run, kind: str) -> list[str]:
    return [row.message for row in store.runs.log(run.id) if row.kind == kind]


def steps(store: Store, run: Run) -> list[int]:
    return [point.step for point in store.curves.points(run.id) if point.split == "train" and point.step]


def tensors(store: Store, run: Run) -> bytes:
    """The bytes of the trained tensors. Before them is a header, whose order varies."""
    content = store.results.capsule(run.id)
    assert content is not None
    return content[8 + int.from_bytes(content[:8], "little") :]


def test_a_run_goes_on_where_the_other_machine_left_it(kept: Store, machine: Make) -> None:
    first, second = machine("first"), machine("second")
    kept.runs.submit(fake_spec("pause=0.05 steps=60"))
    run, thread = first.begin()
    eventually(lambda: kept.artefacts.find(run.id, "checkpoint"))
    eventually(lambda: kept.runs.get(run.id).step >= 12)
    first.stopping.set()
    thread.join(20)
    there = kept.runs.get(run.id)
    assert there.state == "queued" and there.checkpoint_step >= 12
    assert kept.artefacts.find(run.id, "checkpoint").name == str(there.checkpoint_step), "also the last one"
    run = second.finish()
    assert (run.state, run.attempt) == ("finished", 2)
    assert said(kept, run, "resumed")[0].startswith(f"Resumed from step {there.checkpoint_step} ")
    assert steps(kept, run) == list(range(1, 61)), "each once, and in order"
    assert kept.artefacts.find(run.id, "checkpoint") is None, "what is finished needs none"


def test_a_run_whose_machine_is_gone_goes_on_elsewhere(kept: Store, machine: Make) -> None:
    first, second = machine("first"), machine("second")
    kept.runs.submit(fake_spec("pause=0.05 steps=60"))
    run, thread = first.begin()
    eventually(lambda: kept.artefacts.find(run.id, "checkpoint"))
    step = int(kept.artefacts.find(run.id, "checkpoint").name)
    (held,) = kept.claims.held()
    eventually(lambda: kept.claims.held() and kept.claims.lose(kept.claims.held()[0], "No sign of life.") == "queued")
    run = second.finish()
    thread.join(20)
    assert (run.state, run.attempt, held.id) == ("finished", 2, run.id)
    resumed = said(kept, run, "resumed")[0]
    assert int(resumed.split()[3]) >= step >= 5 and steps(kept, run) == list(range(1, 61))


@pytest.mark.parametrize("harm", ["flipped", "missing"])
def test_a_damaged_checkpoint_means_from_the_beginning(kept: Store, machine: Make, tmp_path: Path, harm: str) -> None:
    first, second = machine("first"), machine("second")
    kept.runs.submit(fake_spec("pause=0.05 steps=30"))
    run, thread = first.begin()
    eventually(lambda: kept.artefacts.find(run.id, "checkpoint"))
    first.stopping.set()
    thread.join(20)
    if kept.artefacts.find(run.id, "checkpoint").outside:
        (file,) = [path for path in (tmp_path / "artefacts").rglob("*") if path.is_file()]
        file.unlink() if harm == "missing" else file.write_bytes(b"something else")
    else:
        with kept.database.writing() as connection:
            changed = sa.update(PIECES).values(content=b"something else")
            connection.execute(sa.delete(PIECES) if harm == "missing" else changed)
    run = second.finish()
    assert run.state == "finished" and steps(kept, run) == list(range(1, 31))
    assert DAMAGED in said(kept, run, "warning") and said(kept, run, "resumed") == []


def test_a_large_capsule_is_there_before_the_run_is_finished(
    kept: Store, machine: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = machine("first")
    kept.runs.submit(fake_spec(f"steps=8 capsule={LARGE}"))
    there: list[bool] = []
    finish = kept.claims.finish
    monkeypatch.setattr(
        kept.claims,
        "finish",
        lambda *given: there.append(kept.artefacts.find(given[0], "capsule") is not None) or finish(*given),
    )
    run = first.finish()
    found = kept.artefacts.find(run.id, "capsule")
    assert run.state == "finished" and there == [True] and kept.results.capsule(run.id) is None
    assert found and found.size_bytes == LARGE
    assert found.sha256 == hashlib.sha256(first.capsule(run).read_bytes()).hexdigest()


def test_a_small_capsule_stays_with_the_results(kept: Store, machine: Make) -> None:
    kept.runs.submit(fake_spec("steps=8 capsule=1000"))
    run = machine("first").finish()
    assert kept.results.capsule(run.id) == b"c" * 1000 and kept.artefacts.find(run.id, "capsule") is None


def test_a_capsule_that_cannot_be_stored_is_told(kept: Store, machine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> bool:
        raise OSError("away")

    monkeypatch.setattr(kept.artefacts, "keep", away)
    monkeypatch.setattr("jobs.worker.mover.RETRY_S", 0.1)
    monkeypatch.setattr("jobs.worker.mover.WITHIN_S", 0.5)
    kept.runs.submit(fake_spec(f"steps=8 capsule={LARGE}"))
    run = machine("first").finish()
    assert run.state == "finished" and LEFT_HERE in said(kept, run, "warning")


def test_a_worker_that_stops_before_the_capsule_is_stored_gives_the_run_back(
    kept: Store, machine: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = machine("first"), machine("second")
    monkeypatch.setattr(supervisors, "LAST_MOVE_S", 0.3)
    keep = kept.artefacts.keep

    def slow(*given: object, **named: object) -> bool:
        if given[2] == "capsule" and not first.stopping.is_set():
            first.stopping.set()
        if given[2] == "capsule" and given[1] == 1:
            time.sleep(2)
        return keep(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(kept.artefacts, "keep", slow)
    kept.runs.submit(fake_spec(f"steps=8 capsule={LARGE}"))
    assert first.finish().state == "queued"
    run = second.finish()
    assert (run.state, run.attempt) == ("finished", 2) and steps(kept, run) == list(range(1, 9))
    assert kept.artefacts.find(run.id, "capsule").attempt == 2


def test_a_cancel_waits_for_no_upload(kept: Store, machine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = kept.artefacts.keep
    monkeypatch.setattr(kept.artefacts, "keep", lambda *given, **named: time.sleep(3) or keep(*given, **named))
    kept.runs.submit(fake_spec("pause=0.05 steps=600"))
    run, thread = machine("first").begin()
    eventually(lambda: (kept.runs.get(run.id).checkpoint_step or 0) >= 5)
    kept.runs.cancel(run.id)
    assert eventually(lambda: kept.runs.get(run.id).state == "cancelled") < 2.5
    thread.join(20)
    eventually(lambda: kept.artefacts.find(run.id, "checkpoint"))
    kept.runs.resume(run.id)
    other, thread = machine("second").begin()
    eventually(lambda: said(kept, other, "resumed"))
    kept.runs.cancel(run.id)
    thread.join(20)


def test_cancelled_while_its_checkpoint_comes(kept: Store, machine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = machine("first"), machine("second")
    kept.runs.submit(fake_spec("pause=0.05 steps=60 checkpoint=300000"))
    run, thread = first.begin()
    eventually(lambda: kept.artefacts.find(run.id, "checkpoint"))
    first.stopping.set()
    thread.join(20)
    monkeypatch.setattr("jobs.worker.folder.BEAT_EVERY_S", 0.0)
    run = second.take()
    kept.runs.cancel(run.id)
    second.supervisor.supervise(run, 1, "cpu")
    assert kept.runs.get(run.id).state == "cancelled" and said(kept, run, "resumed") == []


def test_checkpoints_go_at_a_bounded_rate_and_only_the_newest(lite: Store, tmp_path: Path) -> None:
    kept = Store(lite.database, "database")
    kept.runs.submit(fake_spec())
    run = kept.claims.take("worker")
    folder = tmp_path / "run"
    (folder / "checkpoints").mkdir(parents=True)

    def offer(mover: Mover, step: int) -> None:
        content = f"checkpoint {step}".encode()
        (folder / "checkpoints" / str(step)).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        mover.offer(folder, Checkpointed(step=step, file=str(step), sha256=digest, size_bytes=len(content)))

    def name() -> str | None:
        found = kept.artefacts.find(run.id, "checkpoint")
        return found.name if found else None

    mover = Mover(kept.artefacts, run, every_s=3600.0)
    offer(mover, 1)
    eventually(lambda: name() == "1")
    for step in (2, 3, 4):
        offer(mover, step)
    mover.wait(0.5)
    assert name() == "1" and mover.busy
    mover.close()
    eventually(lambda: name() == "4")
    with kept.database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.max(ARTEFACTS.c.number))) == 2, "two and three never went"


def test_large_networks_that_nobody_asked_for_go_everywhere(kept: Store, machine: Make) -> None:
    first, second = machine("first"), machine("second")
    runs = []
    for keeps in (False, True):
        kept.runs.submit(fake_spec(f"steps=8 capsule={LARGE}"), keeps=keeps)
        runs.append(first.finish())
    for one in (second, first, second):
        Keeper(one.settings.model_copy(update={"keep_capsule_mb": 2}), kept).tidy()
    assert [kept.artefacts.find(run.id, "capsule") is not None for run in runs] == [False, True]
    assert [first.capsule(run).exists() for run in runs] == [False, True]
    assert len([words for words in said(kept, runs[0], "warning") if "was deleted" in words]) == 1


def test_without_artefacts_nothing_moves(store: Store, tmp_path: Path) -> None:
    first = Machine(store, tmp_path / "first")
    store.runs.submit(fake_spec(f"steps=8 capsule={LARGE}"))
    run = first.finish()
    assert run.state == "finished" and store.artefacts.find(run.id, "capsule") is None
    first.stopping.set()


@pytest.mark.training
@pytest.mark.parametrize("place", ["database"])
def test_a_real_run_ends_on_another_machine_with_the_same_bits(kept: Store, machine: Make, place: str) -> None:
    spec = RunSpec(architecture="resnet-14", policy="batchnorm", dataset="digits", epochs=30)
    first, second = machine("first", TRAINER), machine("second", TRAINER)
    kept.runs.submit(spec)
    run, thread = first.begin()
    eventually(lambda: kept.artefacts.find(run.id, "checkpoint"), 120)
    there = kept.artefacts.find(run.id, "checkpoint")
    eventually(lambda: kept.claims.held() and kept.claims.lose(kept.claims.held()[0], "No sign of life.") == "queued")
    moved = second.finish()
    thread.join(60)
    kept.runs.submit(spec)
    alone = machine("third", TRAINER).finish()
    assert moved.state == alone.state == "finished" and moved.attempt == 2
    (resumed,) = said(kept, moved, "resumed")
    assert int(resumed.split()[3]) >= int(there.name.split("-")[1]) > 0
    assert moved.result.digest == alone.result.digest
    assert tensors(kept, moved) == tensors(kept, alone) != b""
    curves = [[point[:6] for point in kept.curves.points(one.id)] for one in (moved, alone)]
    assert curves[0] == curves[1]
    assert [s.step for s in kept.curves.snapshots(moved.id)] == [s.step for s in kept.curves.snapshots(alone.id)]
