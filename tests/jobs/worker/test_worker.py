"""Whole workers in threads of the test: wake-ups, several slots, and what a worker tidies up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from huey import Huey

from core.run.events import Progress
from jobs.lease import Identity
from jobs.queue import make_queue, waker
from jobs.settings import WorkerSettings
from jobs.store.records import Batch
from jobs.store.store import Store
from jobs.store.tables import WORKERS
from jobs.worker import cores
from jobs.worker.fitness import WAITS_S
from jobs.worker.worker import Worker
from tests.events import finished
from tests.jobs.support import FAKE_TRAINER, eventually, fake_spec, states, trainer_of

pytestmark = pytest.mark.server


@pytest.fixture
def huey(settings: WorkerSettings) -> Iterator[Huey]:
    """The web server's side of the queue."""
    huey = make_queue(settings)
    yield huey
    huey.storage.close()


@contextmanager
def at_work(
    settings: WorkerSettings,
    store: Store,
    trainer: tuple[str, ...] = FAKE_TRAINER,
    waits_s: tuple[float, ...] = WAITS_S,
) -> Iterator[Worker]:
    """A worker in threads of this process."""
    huey = make_queue(settings)
    worker = Worker(settings, store, huey, trainer, reap_every_s=0.5)
    worker.fitness.waits_s = waits_s
    thread = threading.Thread(target=worker.work)
    thread.start()
    try:
        yield worker
    finally:
        worker.stopping.set()
        thread.join(timeout=60)
        huey.storage.close()
    assert not thread.is_alive()


def test_the_reaper_buries_what_was_removed_long_ago_with_its_folder(
    settings: WorkerSettings, lite: Store, huey: Huey, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = lite.runs.submit(fake_spec())
    lite.runs.cancel(run.id)
    folder = settings.runs_folder / run.id
    folder.mkdir(parents=True)
    lite.runs.remove(run.id)
    worker = Worker(settings, lite, huey, FAKE_TRAINER)
    worker.reap()
    assert folder.exists(), "for an hour it can come back"
    monkeypatch.setattr("jobs.worker.worker.REMOVED_FOR_S", 0.0)
    worker.reap()
    assert not folder.exists() and lite.runs.restore(run.id) is None


def test_checkpoints_of_no_more_use_are_removed(
    settings: WorkerSettings, lite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled, _ = lite.runs.submit(fake_spec())
    done, _ = lite.runs.submit(fake_spec())
    lite.runs.cancel(cancelled.id)
    lite.claims.take("w")
    lite.claims.finish(done.id, 1, finished(done.spec))
    saved = {run.id: settings.runs_folder / run.id / "checkpoints" for run in (cancelled, done)}
    for folder in saved.values():
        folder.mkdir(parents=True)
    with at_work(settings, lite):
        eventually(lambda: not saved[done.id].exists())
    assert saved[cancelled.id].exists(), "it can be resumed"
    monkeypatch.setattr("jobs.worker.keeper.RESUMABLE_FOR_S", 0.0)
    with at_work(settings, lite):
        eventually(lambda: not saved[cancelled.id].exists())


COMPILER = """#!/bin/sh
[ "$1" = --version ] && exit 0
while [ $# -gt 1 ]; do [ "$1" = -o ] && touch "$2"; shift; done
"""


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where compiled kernels are kept; the compiler is one that only makes its files."""
    compiler = tmp_path / "cc"
    compiler.write_text(COMPILER)
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "onlybn"


def test_a_worker_has_the_kernels_compiled_before_the_first_run(
    settings: WorkerSettings, lite: Store, kernels: Path
) -> None:
    with at_work(settings, lite):
        eventually(lambda: list(kernels.glob("kernels-*.so")))


def test_a_worker_works_where_nothing_can_be_compiled(
    settings: WorkerSettings,
    lite: Store,
    kernels: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("CC", str(kernels / "missing"))
    caplog.set_level("INFO")
    run, _ = lite.runs.submit(fake_spec())
    with at_work(settings, lite):
        eventually(lambda: "could not be compiled: no C compiler" in caplog.text)
        eventually(lambda: states(lite, run.id) == {"finished"})


def test_a_hint_starts_a_run(settings: WorkerSettings, lite: Store, huey: Huey) -> None:
    with at_work(settings, lite):
        eventually(lambda: lite.tallies.health().workers == 1)
        run, _ = lite.runs.submit(fake_spec())
        waker(huey)(run.id)
        eventually(lambda: states(lite, run.id) == {"finished"})
    assert lite.tallies.health().workers == 0


def test_runs_without_a_hint_are_found(settings: WorkerSettings, lite: Store) -> None:
    """The messages were lost: the queue's server was away, or its file was deleted."""
    with at_work(settings, lite):
        ids = [lite.runs.submit(fake_spec())[0].id for _ in range(3)]
        eventually(lambda: states(lite, *ids) == {"finished"})


def test_hints_may_come_twice_or_for_nothing(settings: WorkerSettings, lite: Store, huey: Huey) -> None:
    wake = waker(huey)
    ids = [lite.runs.submit(fake_spec("steps=3"))[0].id for _ in range(4)]
    for run_id in [*ids, *ids, "nothing", *["gone"] * 20]:
        wake(run_id)
    with at_work(settings, lite):
        eventually(lambda: states(lite, *ids) == {"finished"} and huey.pending_count() == 0)
    runs = lite.runs.many(ids).values()
    assert {run.attempt for run in runs} == {1}
    begun = [run.started_at for run in sorted(runs, key=lambda run: run.created_at)]
    assert begun == sorted(begun)


def test_as_many_at_once_as_there_are_slots(settings: WorkerSettings, lite: Store, huey: Huey) -> None:
    settings = settings.model_copy(update={"slots": 2})
    ids = [lite.runs.submit(fake_spec("pause=0.1 steps=300"))[0].id for _ in range(3)]
    waker(huey)(ids[0])  # one hint for three runs
    with at_work(settings, lite):
        eventually(lambda: lite.tallies.health().running == 2)
        time.sleep(0.5)
        assert (lite.tallies.health().running, lite.tallies.health().queued) == (2, 1)
        lite.runs.cancel(ids[0])
        eventually(lambda: states(lite, ids[2]) == {"running"})


def test_a_trainer_that_dies_is_started_again(settings: WorkerSettings, lite: Store, huey: Huey) -> None:
    run, _ = lite.runs.submit(fake_spec("pause=0.05 steps=40"))
    waker(huey)(run.id)
    with at_work(settings, lite):
        eventually(lambda: (lite.runs.get(run.id).checkpoint_step or 0) >= 10)
        os.kill(trainer_of(settings, run.id), signal.SIGKILL)
        eventually(lambda: lite.runs.get(run.id).attempt == 2)
        eventually(lambda: states(lite, run.id) == {"finished"})
    assert len(lite.curves.points(run.id)) == 42  # steps 0 (told again) to 40, and the test


def test_runs_that_wait_together_go_side_by_side_and_keep_their_threads(
    settings: WorkerSettings, lite: Store, huey: Huey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "available_cores", lambda: 2)
    settings = settings.model_copy(update={"slots": None, "threads": None, "device": "cpu"})
    ids = [lite.runs.submit(fake_spec("pause=0.05 steps=60"))[0].id for _ in range(2)]
    waker(huey)(ids[0])
    with at_work(settings, lite):
        eventually(lambda: lite.tallies.health().running == 2)
        assert [_threads(settings, run_id) for run_id in ids] == ["1", "1"]
        eventually(lambda: all((lite.runs.get(run_id).checkpoint_step or 0) >= 5 for run_id in ids))
        lite.runs.cancel(ids[1])
        os.kill(trainer_of(settings, ids[0]), signal.SIGKILL)
        eventually(lambda: lite.runs.get(ids[0]).attempt == 2 and lite.runs.get(ids[0]).state == "running")
        eventually(lambda: _threads(settings, ids[0]) == "1")  # though it is alone now


def _threads(settings: WorkerSettings, run_id: str) -> str | None:
    """What the run's trainer was told; None while there is none."""
    try:
        words = Path(f"/proc/{trainer_of(settings, run_id)}/cmdline").read_bytes().decode().split("\0")
    except FileNotFoundError:
        return None
    return words[words.index("--threads") + 1]


def test_runs_start_while_the_queue_is_away(settings: WorkerSettings, lite: Store) -> None:
    settings = settings.model_copy(update={"queue_url": "redis://127.0.0.1:1/0"})  # nobody listens there
    run, _ = lite.runs.submit(fake_spec())
    with at_work(settings, lite):
        eventually(lambda: states(lite, run.id) == {"finished"})
        eventually(lambda: lite.tallies.health().troubles)
    assert lite.tallies.health().troubles == ()


def test_a_row_that_somebody_wrote_into_the_queue_stops_nothing(
    settings: WorkerSettings, lite: Store, huey: Huey
) -> None:
    huey.storage.put_data("rt:jobs.queue.wake_up", b"garbage")
    huey.storage.enqueue(b"garbage")
    with at_work(settings, lite):
        run, _ = lite.runs.submit(fake_spec())
        eventually(lambda: states(lite, run.id) == {"finished"})


def test_folders_of_runs_that_another_machine_removed_go(
    settings: WorkerSettings, lite: Store, huey: Huey, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, _ = lite.runs.submit(fake_spec())
    stays, _ = lite.runs.submit(fake_spec())
    for name in (gone.id, stays.id, "somebody-elses", ".trial-1-2"):
        (settings.runs_folder / name).mkdir(parents=True)
    os.utime(settings.runs_folder / ".trial-1-2", (0, 0))
    lite.runs.cancel(gone.id)
    lite.runs.remove(gone.id)
    assert lite.runs.bury(0.0) == [gone.id]
    Worker(settings, lite, huey, FAKE_TRAINER)._clear_removed()
    assert {path.name for path in settings.runs_folder.iterdir()} == {stays.id, "somebody-elses"}


def test_a_run_whose_worker_is_silent_tells_no_speed(store: Store) -> None:
    identity = Identity("w", "host", None, 1, None)
    store.workers.hello(identity, 1)
    store.runs.submit(fake_spec())
    run = store.claims.take("w")
    said = Progress(step=3, total_steps=9, images_per_s=9.0, elapsed_s=1.0, eta_s=2.0)
    store.claims.record(run.id, 1, Batch(progress=said))
    now = store.runs.get(run.id)
    assert (now.unattended, now.images_per_s, now.eta_s) == (False, 9.0, 2.0)
    with store.database.writing() as connection:
        connection.execute(sa.update(WORKERS).values(heard_at=store.database.clock() - 11))
    now = store.runs.get(run.id)
    assert (now.state, now.unattended, now.images_per_s, now.eta_s) == ("running", True, None, None)


@pytest.mark.parametrize(("number", "code_of_exit"), [(signal.SIGHUP, 0), (signal.SIGUSR1, 75)])
def test_signals_of_terminals_and_of_slurm_save_first(
    settings: WorkerSettings, lite: Store, number: int, code_of_exit: int
) -> None:
    """75 tells a scheduler that its time was over before the queue was empty."""
    run, _ = lite.runs.submit(fake_spec("pause=0.05 steps=2000"))
    code = (
        "import sys; from jobs.worker import worker, supervisor; import jobs.__main__ as main\n"
        f"main.Worker = lambda *given, **named: worker.Worker(*given, {FAKE_TRAINER!r}, reap_every_s=0.5, **named)\n"
        "sys.argv = ['jobs']; sys.exit(main.main())"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ONLYBN_")}
    environment["ONLYBN_DATA"] = str(settings.data)
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: (lite.runs.get(run.id).checkpoint_step or 0) >= 5)
        process.send_signal(number)
        assert process.wait(timeout=30) == code_of_exit
    finally:
        process.kill()
        process.wait()
    now = lite.runs.get(run.id)
    assert (now.state, lite.runs.log(run.id)[-1].kind) == ("queued", "released")
    assert now.checkpoint_step == lite.curves.points(run.id)[-1].step
