"""A worker whose runs are trained by two processes each: real trainers below torchrun."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.settings import WorkerSettings
from jobs.store.records import Run
from jobs.store.store import Store
from jobs.worker.supervisor import Supervisor
from tests.jobs.support import eventually, fake_spec

pytestmark = [pytest.mark.server, pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")]


class Bench:
    """A supervisor that trains for real, with two processes a run."""

    def __init__(self, store: Store, settings: WorkerSettings) -> None:
        self.store, self.settings, self.stopping = store, settings, threading.Event()
        self.supervisor = Supervisor(store, settings, self.stopping)

    def submit(self, epochs: int) -> Run:
        fields = {"architecture": "resnet-8", "epochs": epochs, "recipe": {"batch_size": 64, "lr": 0.02}}
        self.store.runs.submit(fake_spec(**fields))
        return self.store.claims.take("worker")

    def begin(self, run: Run) -> threading.Thread:
        """Supervise; returns when both processes train."""
        thread = threading.Thread(target=self.supervisor.supervise, args=(run, 1, "cpu"))
        thread.start()
        eventually(lambda: self._started(run) == run.attempt and len(self.store.curves.points(run.id)) > 1, 60)
        assert len(self.ranks(run)) == 2
        return thread

    def _started(self, run: Run) -> int:
        return sum(row.kind in ("started", "resumed") for row in self.store.runs.log(run.id))

    def ranks(self, run: Run) -> list[int]:
        """The processes that train `run`, the launcher left out."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = path.read_bytes()
            except OSError:
                continue
            if run.id.encode() in command and b"torch.distributed.run" not in command:
                found.append(int(path.parent.name))
        return sorted(found)


@pytest.fixture
def bench(lite: Store, settings: WorkerSettings) -> Iterator[Bench]:
    bench = Bench(lite, settings.model_copy(update={"processes": 2, "device": "cpu"}))
    yield bench
    bench.stopping.set()


def test_two_processes_train_one_run(bench: Bench) -> None:
    run = bench.submit(epochs=1)
    bench.supervisor.supervise(run, bench.settings.trainer_threads, "cpu")
    done = bench.store.runs.get(run.id)
    assert (done.state, done.started.device, done.started.threads) == ("finished", "2 × cpu", 1), done.error_message
    assert not bench.ranks(run)


def test_a_killed_process_is_a_crash_and_a_cancel_leaves_none(bench: Bench) -> None:
    run = bench.submit(epochs=100)
    thread = bench.begin(run)
    os.kill(bench.ranks(run)[1], signal.SIGKILL)
    thread.join(40)
    crashed = bench.store.runs.get(run.id)
    assert crashed.state == "queued"
    assert "exit code 1" in next(row.message for row in bench.store.runs.log(run.id) if row.kind == "crashed")
    assert not bench.ranks(run)

    again = bench.store.claims.take("worker")
    thread = bench.begin(again)
    bench.store.runs.cancel(run.id)
    thread.join(20)
    assert bench.store.runs.get(run.id).state == "cancelled"
    assert eventually(lambda: not bench.ranks(run)) < 2


def test_a_stopped_worker_keeps_the_work(bench: Bench) -> None:
    run = bench.submit(epochs=100)
    thread = bench.begin(run)
    bench.stopping.set()
    thread.join(40)
    assert bench.store.runs.get(run.id).state == "queued"
    told = [(row.kind, row.message) for row in bench.store.runs.log(run.id)]
    assert "checkpoint" in [kind for kind, _ in told], told
    assert not bench.ranks(run)


LEAST_SQUARES = {"recipe": {"optimizer": "least-squares", "batch_size": 64}}


def test_one_process_computes_gamma_and_beta(bench: Bench) -> None:
    bench.store.runs.submit(fake_spec(architecture="resnet-8", epochs=1, **LEAST_SQUARES))
    run = bench.store.claims.take("worker")
    bench.supervisor.supervise(run, 1, "cpu")
    done = bench.store.runs.get(run.id)
    assert (done.state, done.started.processes) == ("finished", 1), done.error_message
    told = [(point.split, point.step) for point in bench.store.curves.points(run.id)]
    assert sorted(told) == [("test", 0), ("test", 23), ("train", 23)]


def test_a_cancel_while_the_teacher_trains_ends_the_run(bench: Bench) -> None:
    bench.store.runs.submit(fake_spec(architecture="resnet-8", epochs=400, **LEAST_SQUARES))
    run = bench.store.claims.take("worker")
    thread = threading.Thread(target=bench.supervisor.supervise, args=(run, 1, "cpu"))
    thread.start()
    eventually(lambda: bench.store.runs.get(run.id).step > 20, 60)
    bench.store.runs.cancel(run.id)
    thread.join(20)
    assert bench.store.runs.get(run.id).state == "cancelled"
    assert not bench.ranks(run)
