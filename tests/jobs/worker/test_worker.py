"""Whole workers: wake-ups, several slots, an orderly stop, and what remains after kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from huey import Huey

from jobs.queue import make_queue, waker
from jobs.settings import WorkerSettings
from jobs.store.store import Store
from jobs.worker import cores
from jobs.worker.worker import Worker
from tests.events import finished
from tests.jobs.support import FAKE_TRAINER, eventually, fake_spec
from tests.jobs.worker.test_supervisor import is_alive

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[3]


@pytest.fixture
def huey(settings: WorkerSettings) -> Iterator[Huey]:
    """The web server's side of the queue."""
    huey = make_queue(settings)
    yield huey
    huey.storage.close()


@contextmanager
def at_work(settings: WorkerSettings, store: Store) -> Iterator[Worker]:
    """A worker in threads of this process."""
    huey = make_queue(settings)
    worker = Worker(settings, store, huey, FAKE_TRAINER, reap_every_s=0.5)
    thread = threading.Thread(target=worker.work)
    thread.start()
    try:
        yield worker
    finally:
        worker.stopping.set()
        thread.join(timeout=20)
        huey.storage.close()
    assert not thread.is_alive()


def test_the_reaper_buries_what_was_removed_long_ago_with_its_folder(
    settings: WorkerSettings, lite: Store, huey: Huey, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = lite.submit(fake_spec())
    lite.request_cancel(run.id)
    folder = settings.runs_folder / run.id
    folder.mkdir(parents=True)
    lite.remove(run.id)
    worker = Worker(settings, lite, huey, FAKE_TRAINER)
    worker.reap()
    assert folder.exists(), "for an hour it can come back"
    monkeypatch.setattr("jobs.worker.worker.REMOVED_FOR_S", 0.0)
    worker.reap()
    assert not folder.exists() and lite.restore(run.id) is None


def test_checkpoints_of_no_more_use_are_removed(
    settings: WorkerSettings, lite: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled, _ = lite.submit(fake_spec())
    done, _ = lite.submit(fake_spec())
    lite.request_cancel(cancelled.id)
    lite.claim("w")
    lite.finish(done.id, 1, finished(done.spec))
    saved = {run.id: settings.runs_folder / run.id / "checkpoints" for run in (cancelled, done)}
    for folder in saved.values():
        folder.mkdir(parents=True)
    with at_work(settings, lite):
        eventually(lambda: not saved[done.id].exists())
    assert saved[cancelled.id].exists(), "it can be resumed"
    monkeypatch.setattr("jobs.worker.worker.RESUMABLE_FOR_S", 0.0)
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
    run, _ = lite.submit(fake_spec())
    with at_work(settings, lite):
        eventually(lambda: "could not be compiled: no C compiler" in caplog.text)
        eventually(lambda: states(lite, run.id) == {"finished"})


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(settings: WorkerSettings) -> Iterator[Start]:
    """Starts workers as processes of their own, on the data folder of `settings`."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *(arguments or (str(Path(__file__).parents[1] / "fake_worker.py"),))],
            cwd=ROOT,
            env=os.environ
            | {"ONLYBN_DATA": str(settings.data), "ONLYBN_QUEUE_NAME": settings.queue_name}
            | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def states(store: Store, *ids: str) -> set[str]:
    return {run.state for run in store.many(ids).values()}


def trainer_of(settings: WorkerSettings, run_id: str) -> int:
    path = settings.runs_folder / run_id / "trainer.pid"
    eventually(lambda: path.exists() and path.read_text())
    return int(path.read_text())


def test_a_hint_starts_a_run(settings: WorkerSettings, lite: Store, huey: Huey) -> None:
    with at_work(settings, lite):
        eventually(lambda: lite.health().workers == 1)
        run, _ = lite.submit(fake_spec())
        waker(huey)(run.id)
        eventually(lambda: states(lite, run.id) == {"finished"})
    assert lite.health().workers == 0


def test_runs_without_a_hint_are_found(settings: WorkerSettings, lite: Store) -> None:
    """The messages were lost: the queue's server was away, or its file was deleted."""
    with at_work(settings, lite):
        ids = [lite.submit(fake_spec())[0].id for _ in range(3)]
        eventually(lambda: states(lite, *ids) == {"finished"})


def test_hints_may_come_twice_or_for_nothing(settings: WorkerSettings, lite: Store, huey: Huey) -> None:
    wake = waker(huey)
    ids = [lite.submit(fake_spec("steps=3"))[0].id for _ in range(4)]
    for run_id in [*ids, *ids, "nothing", *["gone"] * 20]:
        wake(run_id)
    with at_work(settings, lite):
        eventually(lambda: states(lite, *ids) == {"finished"} and huey.pending_count() == 0)
    runs = lite.many(ids).values()
    assert {run.attempt for run in runs} == {1}
    begun = [run.started_at for run in sorted(runs, key=lambda run: run.created_at)]
    assert begun == sorted(begun)


def test_as_many_at_once_as_there_are_slots(settings: WorkerSettings, lite: Store, huey: Huey) -> None:
    settings = settings.model_copy(update={"slots": 2})
    ids = [lite.submit(fake_spec("pause=0.1 steps=300"))[0].id for _ in range(3)]
    waker(huey)(ids[0])  # one hint for three runs
    with at_work(settings, lite):
        eventually(lambda: lite.health().running == 2)
        time.sleep(0.5)
        assert (lite.health().running, lite.health().queued) == (2, 1)
        lite.request_cancel(ids[0])
        eventually(lambda: states(lite, ids[2]) == {"running"})


def test_a_trainer_that_dies_is_started_again(settings: WorkerSettings, lite: Store, huey: Huey) -> None:
    run, _ = lite.submit(fake_spec("pause=0.05 steps=40"))
    waker(huey)(run.id)
    with at_work(settings, lite):
        eventually(lambda: (lite.run(run.id).checkpoint_step or 0) >= 10)
        os.kill(trainer_of(settings, run.id), signal.SIGKILL)
        eventually(lambda: lite.run(run.id).attempt == 2)
        eventually(lambda: states(lite, run.id) == {"finished"})
    assert len(lite.points(run.id)) == 42  # steps 0 (told again) to 40, and the test


def test_an_orderly_stop_gives_runs_back_and_the_next_worker_goes_on(
    settings: WorkerSettings, lite: Store, start: Start
) -> None:
    run, _ = lite.submit(fake_spec("pause=0.05 steps=30"))
    first = start()
    eventually(lambda: lite.run(run.id).step >= 3)
    trainer = trainer_of(settings, run.id)
    began = time.monotonic()
    first.terminate()
    assert first.wait(timeout=20) == 0
    assert time.monotonic() - began < 10
    assert not is_alive(trainer)
    now = lite.run(run.id)
    assert (now.state, lite.workers()) == ("queued", [])
    start()
    eventually(lambda: states(lite, run.id) == {"finished"})
    resumed = [row.message for row in lite.log(run.id) if row.kind == "resumed"]
    assert resumed[0].startswith(f"Resumed from step {now.checkpoint_step} ")


def test_after_kill_9_of_a_worker_the_next_one_here_goes_on_at_once(
    settings: WorkerSettings, lite: Store, start: Start
) -> None:
    run, _ = lite.submit(fake_spec("pause=0.05 steps=30"))
    first = start(ONLYBN_LEASE_S="3000")
    eventually(lambda: (lite.run(run.id).checkpoint_step or 0) >= 5)
    trainer = trainer_of(settings, run.id)
    first.kill()
    first.wait()
    eventually(lambda: not is_alive(trainer), 5)
    assert states(lite, run.id) == {"running"}  # nobody has noticed yet
    start(ONLYBN_LEASE_S="3000")
    eventually(lambda: lite.run(run.id).attempt == 2)
    eventually(lambda: states(lite, run.id) == {"finished"})
    kinds = [row.kind for row in lite.log(run.id)]
    assert [kind for kind in kinds if kind != "checkpoint"] == [
        "submitted", "claimed", "started", "lost", "claimed", "resumed", "finished",
    ]  # fmt: skip
    assert [p.step for p in lite.points(run.id) if p.split == "train" and p.step] == list(range(1, 31))


def test_a_worker_that_is_stopped_past_its_lease_loses_its_run(
    settings: WorkerSettings, lite: Store, start: Start
) -> None:
    run, _ = lite.submit(fake_spec("pause=0.05 steps=40"))
    zombie = start()
    eventually(lambda: (lite.run(run.id).checkpoint_step or 0) >= 5)
    name = lite.run(run.id).worker
    os.kill(zombie.pid, signal.SIGSTOP)
    other = start(ONLYBN_LEASE_S="2")
    eventually(lambda: lite.run(run.id).attempt == 2)
    os.kill(zombie.pid, signal.SIGCONT)
    eventually(lambda: states(lite, run.id) == {"finished"})
    now = lite.run(run.id)
    assert (now.attempt, now.worker != name) == (2, True)
    assert f"Its worker {name} gave no sign of life for 2 s." in [row.message for row in lite.log(run.id)]
    assert [p.step for p in lite.points(run.id) if p.split == "train" and p.step] == list(range(1, 41))
    for process in (zombie, other):
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_the_real_worker_says_what_it_is_connected_to(settings: WorkerSettings, start: Start) -> None:
    worker = start("-m", "jobs", "--lifeline")
    lines = [worker.stdout.readline() for _ in range(6)]
    text = "".join(lines)
    assert text.startswith("OnlyBN worker ")
    assert f"sqlite:///{settings.data}/onlybn.db" in text
    assert str(settings.data / "queue.db") in text
    assert "at once" in text
    worker.stdin.close()  # the lifeline: its parent is gone
    assert worker.wait(timeout=10) == 1


@pytest.mark.parametrize(
    ("name", "value", "code", "words"),
    [
        ("ONLYBN_SLOTS", "many", 2, "error: ONLYBN_SLOTS: Input should be a valid integer"),
        ("ONLYBN_DATABASE_URL", "postgresql://127.0.0.1:1/none", 1, "error: cannot open the database: connection"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(start: Start, name: str, value: str, code: int, words: str) -> None:
    worker = start("-m", "jobs", **{name: value})
    _, errors = worker.communicate(timeout=30)
    assert worker.returncode == code
    assert errors.startswith(words)
    assert "Traceback" not in errors


def test_a_worker_imports_no_torch(start: Start) -> None:
    heavy = "{'torch', 'torchvision', 'safetensors', 'sklearn'}"
    code = f"import sys, jobs.__main__; sys.exit(bool({heavy} & set(sys.modules)))"
    worker = start("-c", code)
    assert worker.wait(timeout=30) == 0


def test_runs_that_wait_together_go_side_by_side_and_keep_their_threads(
    settings: WorkerSettings, lite: Store, huey: Huey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "available_cores", lambda: 2)
    settings = settings.model_copy(update={"slots": None, "threads": None, "device": "cpu"})
    ids = [lite.submit(fake_spec("pause=0.05 steps=60"))[0].id for _ in range(2)]
    waker(huey)(ids[0])
    with at_work(settings, lite):
        eventually(lambda: lite.health().running == 2)
        assert [_threads(settings, run_id) for run_id in ids] == ["1", "1"]
        eventually(lambda: all((lite.run(run_id).checkpoint_step or 0) >= 5 for run_id in ids))
        lite.request_cancel(ids[1])
        os.kill(trainer_of(settings, ids[0]), signal.SIGKILL)
        eventually(lambda: lite.run(ids[0]).attempt == 2 and lite.run(ids[0]).state == "running")
        eventually(lambda: _threads(settings, ids[0]) == "1")  # though it is alone now


def _threads(settings: WorkerSettings, run_id: str) -> str | None:
    """What the run's trainer was told; None while there is none."""
    try:
        words = Path(f"/proc/{trainer_of(settings, run_id)}/cmdline").read_bytes().decode().split("\0")
    except FileNotFoundError:
        return None
    return words[words.index("--threads") + 1]
