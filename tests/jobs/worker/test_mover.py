"""Files go to where other machines find them: which, when, and what if that does not succeed."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.run.edits import Edit, SurgeryRequest
from core.run.events import Checkpointed
from jobs.store.artefacts.artefacts import PIECE
from jobs.store.artefacts.tables import ARTEFACTS
from jobs.store.results import MAX_CAPSULE
from jobs.store.store import Store
from jobs.worker import supervisor as supervisors
from jobs.worker.evaluator import Evaluator
from jobs.worker.keeper import Keeper
from jobs.worker.mover import Mover
from jobs.worker.supervisor import LEFT_HERE
from tests.jobs.support import eventually, fake_spec
from tests.jobs.worker.conftest import Machine, Make, said, steps

pytestmark = pytest.mark.server
LARGE = MAX_CAPSULE + 3 * PIECE


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
    monkeypatch.setattr(kept.artefacts, "keep", lambda *given, **named: time.sleep(10) or keep(*given, **named))
    kept.runs.submit(fake_spec("pause=0.05 steps=600"))
    run, thread = machine("first").begin()
    eventually(lambda: (kept.runs.get(run.id).checkpoint_step or 0) >= 5)
    kept.runs.cancel(run.id)
    assert eventually(lambda: kept.runs.get(run.id).state == "cancelled") < 9
    thread.join(60)
    eventually(lambda: kept.artefacts.find(run.id, "checkpoint"))
    kept.runs.resume(run.id)
    other, thread = machine("second").begin()
    eventually(lambda: said(kept, other, "resumed"))
    kept.runs.cancel(run.id)
    thread.join(60)


def test_evaluations_find_the_network_on_any_machine(kept: Store, machine: Make, tmp_path: Path) -> None:
    first, second = machine("first"), machine("second")
    kept.runs.submit(fake_spec(f"steps=8 capsule={LARGE}"))
    run = first.finish()
    kept.evaluations.submit(run.id, SurgeryRequest(edits=(Edit(action="zero", below=0.1),)))
    evaluation = kept.evaluations.take("second")
    assert evaluation is not None
    evaluator = Evaluator(kept, second.settings, "second", second.stopping)
    assert evaluator._bring_capsule(evaluation, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == first.capsule(run).read_bytes()
    second.capsule(run).parent.mkdir(parents=True)
    second.capsule(run).write_bytes(b"of an attempt that did not count")
    assert evaluator._bring_capsule(evaluation, tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size == LARGE
    with kept.database.writing() as connection:
        connection.execute(sa.update(ARTEFACTS).values(sha256="0" * 64))
    evaluator._evaluate(evaluation, tmp_path)
    failed = kept.evaluations.get(evaluation.id)
    assert failed and failed.state == "failed" and "is damaged" in (failed.error or "")


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
