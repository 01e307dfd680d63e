"""A sick worker: its runs go on elsewhere, no run is blamed, and it comes back by itself."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import pytest

from jobs.lease import Identity
from jobs.settings import WorkerSettings
from jobs.store.store import Store
from jobs.store.workers import Fit
from jobs.worker.fitness import Fitness
from jobs.worker.supervisor import Supervisor
from tests.jobs.store.test_store import claimed
from tests.jobs.support import FAKE_TRAINER, eventually, fake_spec, states
from tests.jobs.worker.test_worker import at_work

pytestmark = pytest.mark.server

BROKEN = "import sys; print('ImportError: libcudart.so.12: cannot open shared object', file=sys.stderr); sys.exit(1)"


@pytest.fixture
def broken(tmp_path: Path) -> tuple[str, ...]:
    """A trainer that dies before it starts, until the file `mended` is there."""
    script = tmp_path / "trainer.py"
    script.write_text(
        f"import pathlib, runpy, sys\nif pathlib.Path({str(tmp_path / 'mended')!r}).exists():\n"
        f"    runpy.run_path({FAKE_TRAINER[1]!r}, run_name='__main__')\nelse:\n    {BROKEN}\n"
    )
    return sys.executable, str(script)


def hello(store: Store, name: str, fit: Fit | None = None) -> None:
    store.workers.hello(Identity(name, "host", None, 1, None), 1, None, fit or Fit())


def supervisor(store: Store, settings: WorkerSettings, trainer: tuple[str, ...]) -> Supervisor:
    return Supervisor(store, settings, threading.Event(), trainer)


def test_a_sick_worker_harms_no_run_and_says_so(
    settings: WorkerSettings, lite: Store, broken: tuple[str, ...], tmp_path: Path
) -> None:
    ids = [lite.runs.submit(fake_spec())[0].id for _ in range(5)]
    with at_work(settings, lite, broken, (0.2,)) as worker:
        eventually(lambda: any(now.trouble for now in lite.workers.alive()))
        (now,) = lite.workers.alive()
        assert now.trouble == "It accepts no runs, because a trial training fails: PyTorch cannot be loaded."
        assert lite.workers.slots() == 0 and lite.tallies.health().workers == 0
        assert states(lite, *ids) == {"queued"}
        assert sum(run.attempt for run in lite.runs.many(ids).values()) <= 2, "one attempt, or two at once, told it"
        rows = [row for run_id in ids for row in lite.runs.log(run_id)]
        assert any(row.kind == "released" and "the worker is at fault" in row.message for row in rows)
        assert not any(row.kind == "crashed" for row in rows)
        (tmp_path / "mended").touch()
        eventually(lambda: states(lite, *ids) == {"finished"})
        assert worker.fitness.takes_runs
    assert not list(settings.runs_folder.glob(".trial-*"))


def test_beside_a_healthy_worker_all_runs_finish(
    settings: WorkerSettings, lite: Store, broken: tuple[str, ...]
) -> None:
    ids = [lite.runs.submit(fake_spec())[0].id for _ in range(12)]
    with at_work(settings, lite, broken), at_work(settings, lite):
        eventually(lambda: states(lite, *ids) == {"finished"}, 60)


def test_a_run_that_is_at_fault_leaves_the_worker_well(
    settings: WorkerSettings, lite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.lease.WAITS_S", (0.0,))
    bad = lite.runs.submit(fake_spec("segfault=0 always"))[0].id
    good = lite.runs.submit(fake_spec())[0].id
    with at_work(settings, lite) as worker:
        eventually(lambda: states(lite, bad) == {"failed"} and states(lite, good) == {"finished"}, 60)
        assert worker.fitness.takes_runs


def test_a_disk_that_is_full_is_the_machines_fault(settings: WorkerSettings, lite: Store) -> None:
    """The trainer says that it cannot write, in the middle of a run, and so does the trial."""
    words = {"event": "failed", "step": 3, "kind": "storage", "message": "Cannot write: No space left on device."}
    full = supervisor(lite, settings, (sys.executable, "-c", f"print({json.dumps(words)!r})"))
    run = claimed(lite, fake_spec())
    full.supervise(run, 1, "cpu")
    assert states(lite, run.id) == {"queued"}
    assert "its disk is full" in (full.fitness.fit().trouble or "")
    lite.runs.cancel(run.id)
    settings.runs_folder.rename(settings.data / "away")
    settings.runs_folder.write_text("no folder")
    other = claimed(lite, fake_spec())
    full.supervise(other, 1, "cpu")
    assert states(lite, other.id) == {"queued"}
    assert str(settings.data) not in " ".join(row.message for row in lite.runs.log(other.id))


def test_images_that_a_worker_lacks_are_looked_for_elsewhere(settings: WorkerSettings, lite: Store) -> None:
    boss = supervisor(lite, settings, FAKE_TRAINER)
    run = claimed(lite, fake_spec("nodata"))
    hello(lite, run.worker)
    hello(lite, "other")
    boss.supervise(run, 1, "cpu")
    assert states(lite, run.id) == {"queued"}
    fit = boss.fitness.fit()
    assert fit.failed == ("digits",)
    assert lite.claims.take(run.worker, fit) is None
    assert lite.claims.take("other").id == run.id


def test_images_that_nobody_has_end_a_run_with_the_reason(
    settings: WorkerSettings, lite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.lease.WAITS_S", (0.0,))
    boss = supervisor(lite, settings, FAKE_TRAINER)
    run = claimed(lite, fake_spec("nodata"))
    for _ in range(3):
        boss.supervise(lite.runs.get(run.id), 1, "cpu")
        lite.claims.take("w")
    now = lite.runs.get(run.id)
    assert (now.state, now.error_kind) == ("failed", "data_unavailable")
    assert "Digits are not there." in now.error_message


def test_a_worker_without_a_data_set_leaves_its_runs_to_one_that_has_it(store: Store) -> None:
    run, _ = store.runs.submit(fake_spec())
    lacking = Fit(lacks=("digits",))
    hello(store, "poor", lacking)
    hello(store, "also poor", lacking)
    hello(store, "rich but sick", Fit(trouble="Its disk is full."))
    assert store.workers.others_have("poor", "digits") is False
    assert store.claims.take("poor", lacking).id == run.id, "somebody must say what is missing"
    store.claims.release(run.id, 1, "x")
    hello(store, "rich", Fit(lacks=("cifar-10",)))
    assert store.workers.others_have("poor", "digits") is True
    assert store.claims.take("poor", lacking) is None
    assert store.claims.take("rich", Fit(lacks=("cifar-10",))).id == run.id


def test_after_a_crash_another_worker_is_next(store: Store) -> None:
    hello(store, "one")
    hello(store, "two")
    run, _ = store.runs.submit(fake_spec())
    store.claims.take("one")
    store.claims.crash(run.id, 1, "It died.")
    assert store.claims.take("one") is None
    assert store.claims.take("two").id == run.id
    store.claims.crash(run.id, 2, "It died.")
    assert store.claims.take("one") is None, "after the second crash it waits for 2 s"
    store.workers.bye(["one"])
    eventually(lambda: store.claims.take("two"), 10)  # alone, it need not wait for another one


def test_what_is_not_there_is_known(settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONLYBN_IMAGENET", raising=False)
    monkeypatch.setenv("ONLYBN_FOLDER", "/somewhere")
    assert Fitness(settings, threading.Event(), FAKE_TRAINER).lacks == ("imagenet",)
