"""A run goes from one machine to another that shares no folder with it: what moves, when, and what if it is damaged."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.run.spec import RunSpec
from jobs.store.artefacts.tables import PIECES
from jobs.store.records import Run
from jobs.store.store import Store
from jobs.worker.folder import DAMAGED
from jobs.worker.supervisor import AWAY, TRAINER
from tests.jobs.support import eventually, fake_spec
from tests.jobs.worker.conftest import Make, said, steps

pytestmark = pytest.mark.server


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
    kept.runs.submit(fake_spec("pause=0.05 steps=60"))
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
    assert run.state == "finished" and steps(kept, run) == list(range(1, 61))
    assert DAMAGED in said(kept, run, "warning") and said(kept, run, "resumed") == []


@pytest.mark.parametrize("place", ["file"], indirect=True)
def test_a_store_that_is_away_for_long_costs_no_run(
    kept: Store, machine: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = machine("first"), machine("second")
    kept.artefacts.check()
    kept.runs.submit(fake_spec("pause=0.05 steps=60"))
    run, thread = first.begin()
    eventually(lambda: kept.artefacts.find(run.id, "checkpoint"))
    first.stopping.set()
    thread.join(20)
    step = kept.runs.get(run.id).checkpoint_step
    (tmp_path / "artefacts").rename(tmp_path / "away")
    monkeypatch.setattr("jobs.worker.supervisor.AWAY_WAIT_S", 0.01)
    for _ in range(8):  # more often than a run may crash
        time.sleep(0.02)
        assert second.finish().state == "queued"
    assert said(kept, run, "released")[-8:] == [AWAY] * 8 and not said(kept, run, "crashed")
    (tmp_path / "away").rename(tmp_path / "artefacts")
    time.sleep(0.02)
    run = second.finish()
    assert run.state == "finished" and steps(kept, run) == list(range(1, 61))
    assert said(kept, run, "resumed")[-1].startswith(f"Resumed from step {step} ")


def test_a_run_for_after_a_while_is_not_taken_before(store: Store) -> None:
    run, _ = store.runs.submit(fake_spec())
    store.claims.take("worker")
    assert store.claims.release(run.id, 1, AWAY, 60.0) == "queued"
    assert store.claims.take("worker") is None and store.claims.may_come("worker")


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


@pytest.mark.training
@pytest.mark.parametrize("store", [pytest.param("postgresql", marks=pytest.mark.services)], indirect=True)
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
