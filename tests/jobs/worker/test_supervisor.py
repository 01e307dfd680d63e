"""One run under supervision: what its trainer says, how it is stopped, how its end is told."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from core.run.spec import RunSpec
from jobs.lease import MAX_CRASHES
from jobs.settings import WorkerSettings
from jobs.store.records import Run
from jobs.store.results import MAX_CAPSULE
from jobs.store.store import Store
from jobs.store.tables import STARTS
from jobs.worker.ending import describe_end
from jobs.worker.limits import child_environment
from jobs.worker.supervisor import Supervisor
from tests.jobs.support import FAKE_TRAINER, eventually, fake_spec

pytestmark = pytest.mark.server


class Bench:
    """A supervisor with the fake trainer."""

    def __init__(self, store: Store, settings: WorkerSettings, trainer: tuple[str, ...] = FAKE_TRAINER) -> None:
        self.store, self.settings, self.stopping = store, settings, threading.Event()
        self.supervisor = Supervisor(store, settings, self.stopping, trainer)

    def claim(self, name: str | None = None) -> Run:
        self.store.runs.submit(fake_spec(name))
        return self.store.claims.take("worker")

    def supervise(self, name: str | None = None) -> Run:
        """Submit, train to the end of the attempt, and look at the run."""
        run = self.claim(name)
        self.supervisor.supervise(run, 1, "cpu")
        return self.store.runs.get(run.id)

    def begin(self, name: str) -> tuple[Run, threading.Thread]:
        """Submit and begin; returns once the first points are stored."""
        run = self.claim(name)
        thread = threading.Thread(target=self.supervisor.supervise, args=(run, 1, "cpu"))
        thread.start()
        eventually(lambda: len(self.store.curves.points(run.id)) > 1)
        return run, thread

    def folder(self, run: Run) -> Path:
        return self.settings.runs_folder / run.id

    def pid(self, run: Run, name: str = "trainer") -> int:
        return int((self.folder(run) / f"{name}.pid").read_text())


@pytest.fixture
def bench(lite: Store, settings: WorkerSettings) -> Iterator[Bench]:
    bench = Bench(lite, settings)
    yield bench
    bench.stopping.set()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_run_from_claim_to_end(bench: Bench) -> None:
    run = bench.supervise("steps=8 chatter")
    assert (run.state, run.top1, run.step, run.started.threads) == ("finished", 0.75, 8, 1)
    points = bench.store.curves.points(run.id)
    assert [p.step for p in points if p.split == "train"] == list(range(1, 9))
    assert [p.step for p in points if p.split == "test"] == [8]
    folder = bench.folder(run)
    assert RunSpec.model_validate_json((folder / "spec.json").read_text()) == run.spec
    assert not (folder / "checkpoints").exists()
    assert [row.kind for row in bench.store.runs.log(run.id)] == [
        "submitted",
        "claimed",
        "started",
        "checkpoint",
        "finished",
    ]


def test_findings_and_capsule_are_kept_with_the_run(bench: Bench) -> None:
    run = bench.supervise("steps=8 findings capsule=1000")
    findings = bench.store.results.findings(run.id)
    assert findings is not None and findings.unused_parameters == 9 and findings.layers[0].name == "stem.norm"
    assert bench.store.results.capsule(run.id) == b"c" * 1000
    without = bench.supervise("steps=8")
    assert bench.store.results.findings(without.id) is None and bench.store.results.capsule(without.id) is None


def test_a_large_capsule_stays_in_its_folder(bench: Bench) -> None:
    run = bench.supervise(f"steps=8 capsule={MAX_CAPSULE + 1}")
    assert run.state == "finished" and bench.store.results.capsule(run.id) is None
    assert (bench.folder(run) / "final.safetensors").stat().st_size == MAX_CAPSULE + 1


def test_the_file_that_a_run_starts_from_is_brought_to_its_folder(bench: Bench) -> None:
    digest = bench.store.starts.keep(b"tensors")
    run, _ = bench.store.runs.submit(fake_spec("steps=2", start=digest))
    bench.supervisor.supervise(bench.store.claims.take("worker"), 1, "cpu")
    assert (bench.folder(run) / "start.safetensors").read_bytes() == b"tensors"
    gone, _ = bench.store.runs.submit(fake_spec("steps=2", start=bench.store.starts.keep(b"others")))
    with bench.store.database.writing() as connection:
        connection.execute(sa.delete(STARTS))
    bench.supervisor.supervise(bench.store.claims.take("worker"), 1, "cpu")
    assert not (bench.folder(gone) / "start.safetensors").exists()  # the trainer says so; the fake one needs none


def test_secrets_do_not_reach_the_trainer(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ONLYBN_SECRET", "ONLYBN_DATABASE_URL", "ONLYBN_QUEUE_URL", "ONLYBN_ADMIN_TOKEN", "ONLYBN_ARTEFACTS"):
        monkeypatch.setenv(name, "hidden")
    spy = tmp_path / "spy.sh"
    spy.write_text(f"env > {tmp_path}/environment; echo error: done >&2; exit 2\n")
    bench.supervisor.trainer = ("sh", str(spy))
    bench.supervise()
    environment = (tmp_path / "environment").read_text()
    assert "hidden" not in environment
    assert f"ONLYBN_DATA={bench.settings.data}\n" in environment


def test_a_failure_is_told_in_the_trainers_words(bench: Bench) -> None:
    run = bench.supervise("fail=7")
    assert (run.state, run.error_kind, run.error_message) == ("failed", "diverged", "The loss became infinite.")
    assert len(bench.store.curves.points(run.id)) == 7
    assert (bench.folder(run) / "checkpoints" / "5").exists()


def test_refused_arguments_fail_with_the_last_line(bench: Bench) -> None:
    run = bench.supervise("exit2")
    assert (run.state, run.error_kind, run.error_message) == ("failed", "error", "epochs must be 1..400, got 0")


def test_a_killed_trainer_goes_back_to_the_queue_and_on_from_its_checkpoint(bench: Bench) -> None:
    run = bench.supervise("steps=12 kill=8")
    assert (run.state, run.checkpoint_step, run.error_message) == ("queued", 5, None)
    again = bench.store.claims.take("worker")
    assert (again.id, again.attempt) == (run.id, 2)
    bench.supervisor.supervise(again, 1, "cpu")
    run = bench.store.runs.get(run.id)
    assert (run.state, run.attempt) == ("finished", 2)
    steps = [p.step for p in bench.store.curves.points(run.id) if p.split == "train"]
    assert [step for step in steps if step] == list(range(1, 13))  # each once, and in order
    messages = " ".join(row.message for row in bench.store.runs.log(run.id))
    assert "killed (SIGKILL, as happens when memory runs out). It wrote last: about to die at step 8" in messages
    assert "Resumed from step 5" in messages


def test_a_run_that_crashes_every_time_is_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.lease.WAITS_S", (0.0,))
    run = bench.supervise("segfault=2 always")
    for _ in range(MAX_CRASHES - 1):
        assert run.state == "queued"
        bench.supervisor.supervise(bench.store.claims.take("worker"), 1, "cpu")
        run = bench.store.runs.get(run.id)
    assert (run.state, run.error_kind) == ("failed", "crash_loop")
    assert "SIGSEGV" in run.error_message
    assert "about to die at step 2" in run.error_message


def test_a_trainer_that_cannot_be_started(lite: Store, settings: WorkerSettings) -> None:
    run = Bench(lite, settings, ("/nonexistent/python",)).supervise()
    assert run.state == "queued"
    assert "The trainer could not be started" in lite.runs.log(run.id)[-1].message


@pytest.mark.parametrize("name", ["pause=0.05 steps=2000", "pause=0.05 steps=2000 stubborn"])
def test_cancelling_takes_less_than_two_seconds(bench: Bench, name: str) -> None:
    run, thread = bench.begin(name)
    bench.store.runs.cancel(run.id)
    seconds = eventually(lambda: bench.store.runs.get(run.id).state == "cancelled")
    thread.join()
    assert not is_alive(bench.pid(run))
    assert len(bench.store.curves.points(run.id)) > 1
    assert seconds < 5  # 2 s is promised; this machine may be busy


def test_a_cancelled_run_is_resumed_where_it_stopped(bench: Bench) -> None:
    run, thread = bench.begin("pause=0.02 steps=300")
    bench.store.runs.cancel(run.id)
    thread.join(timeout=60)
    stopped = bench.store.runs.get(run.id)
    assert stopped.state == "cancelled" and stopped.checkpoint_step == bench.store.curves.points(run.id)[-1].step
    assert bench.store.runs.resume(run.id).state == "queued"
    bench.supervisor.supervise(bench.store.claims.take("another"), 1, "cpu")
    done = bench.store.runs.get(run.id)
    assert (done.state, done.started.resumed_from) == ("finished", stopped.checkpoint_step)
    steps = [point.step for point in bench.store.curves.points(run.id) if point.split == "train"]
    assert sorted(steps)[-300:] == list(range(1, 301))  # the fake one says step 0, too, when it resumes
    assert not (bench.folder(run) / "checkpoints").exists()


def test_a_stopping_worker_gives_its_run_back_with_a_fresh_checkpoint(bench: Bench) -> None:
    run, thread = bench.begin("pause=0.05 steps=2000")
    bench.stopping.set()
    thread.join(timeout=60)
    now = bench.store.runs.get(run.id)
    assert (now.state, now.worker) == ("queued", None)
    assert now.checkpoint_step == bench.store.curves.points(run.id)[-1].step
    assert bench.store.runs.log(run.id)[-1].kind == "released"


def test_a_checkpoint_is_noted_that_comes_when_all_else_is_stored(bench: Bench) -> None:
    run, thread = bench.begin("steps=1000 pause=0.02 saving=0.45")
    bench.stopping.set()
    thread.join(20)
    assert bench.store.runs.get(run.id).checkpoint_step == bench.store.curves.points(run.id)[-1].step


def test_who_lost_a_run_stops_its_trainer(bench: Bench) -> None:
    run, thread = bench.begin("pause=0.05 steps=2000 stubborn")
    taken = next(iter(bench.store.claims.held()))
    eventually(lambda: bench.store.claims.lose(bench.store.claims.held()[0], "A test.") is not None)
    other = bench.store.claims.take("other")
    thread.join(timeout=60)
    assert not thread.is_alive()
    assert not is_alive(bench.pid(run))
    assert (other.id, other.attempt, taken.attempt) == (run.id, 2, 1)
    assert bench.store.runs.get(run.id).state == "running"  # the other's


def test_what_a_trainer_started_ends_with_it(bench: Bench) -> None:
    run = bench.supervise("child kill=7")
    assert run.state == "queued"
    eventually(lambda: not is_alive(bench.pid(run, "child")))


def test_the_training_goes_on_while_the_database_is_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    run, thread = bench.begin("pause=0.02 steps=100")
    record, finish = bench.store.claims.record, bench.store.claims.finish

    def away(*_: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    monkeypatch.setattr(bench.store.claims, "record", away)
    monkeypatch.setattr(bench.store.claims, "finish", away)
    stored = len(bench.store.curves.points(run.id))
    time.sleep(1)
    assert len(bench.store.curves.points(run.id)) == stored
    monkeypatch.setattr(bench.store.claims, "record", record)
    eventually(lambda: len(bench.store.curves.points(run.id)) == 101)
    monkeypatch.setattr(bench.store.claims, "finish", finish)
    thread.join(timeout=60)
    assert bench.store.runs.get(run.id).state == "finished"
    assert len(bench.store.curves.points(run.id)) == 101


def test_a_fault_of_the_supervisor_leaves_no_trainer_behind(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    run, thread = bench.begin("pause=0.05 steps=2000")
    monkeypatch.setattr(bench.store.claims, "record", lambda *_: 1 / 0)
    thread.join(timeout=60)
    now = bench.store.runs.get(run.id)
    assert now.state == "queued"
    assert "The supervisor failed: division by zero." in bench.store.runs.log(run.id)[-1].message
    assert not is_alive(bench.pid(run))


def test_ends_in_words() -> None:
    assert describe_end(1, []) == "The training process ended with exit code 1."
    assert describe_end(-signal.SIGSEGV, ["a", "b"]) == (
        "The training process was killed (SIGSEGV). It wrote last: a | b"
    )
    assert describe_end(-63, []).startswith("The training process was killed (signal 63)") or os.name != "posix"


def test_a_folder_of_images_is_the_same_in_the_trainers_folder(
    settings: WorkerSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONLYBN_CIFAR_10", "copies/cifar")
    monkeypatch.setenv("ONLYBN_IMAGENET", "")
    environment = child_environment(settings)
    assert environment["ONLYBN_CIFAR_10"] == str(tmp_path / "copies" / "cifar")
    assert environment["ONLYBN_IMAGENET"] == ""
