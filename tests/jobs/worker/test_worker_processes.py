"""Workers as processes of their own: an orderly stop, what remains after kill -9, and what is said at the start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.settings import WorkerSettings
from jobs.store.store import Store
from jobs.worker.ending import UNSURE
from tests.jobs.support import eventually, fake_spec, states, trainer_of
from tests.jobs.worker.test_supervisor import is_alive

ROOT = Path(__file__).parents[3]

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(settings: WorkerSettings) -> Iterator[Start]:
    """Starts workers as processes of their own, on the data folder of `settings`."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str, until: tuple[str, ...] = (), **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *(arguments or (str(Path(__file__).parents[1] / "fake_worker.py"), *until))],
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


def test_an_orderly_stop_gives_runs_back_and_the_next_worker_goes_on(
    settings: WorkerSettings, lite: Store, start: Start
) -> None:
    run, _ = lite.runs.submit(fake_spec("pause=0.05 steps=30"))
    first = start()
    eventually(lambda: lite.runs.get(run.id).step >= 3)
    trainer = trainer_of(settings, run.id)
    began = time.monotonic()
    first.terminate()
    assert first.wait(timeout=60) == 0
    assert time.monotonic() - began < 10
    assert not is_alive(trainer)
    now = lite.runs.get(run.id)
    assert (now.state, lite.workers.all()) == ("queued", [])
    start()
    eventually(lambda: states(lite, run.id) == {"finished"})
    resumed = [row.message for row in lite.runs.log(run.id) if row.kind == "resumed"]
    assert resumed[0].startswith(f"Resumed from step {now.checkpoint_step} ")


def test_after_kill_9_of_a_worker_the_next_one_here_goes_on_at_once(
    settings: WorkerSettings, lite: Store, start: Start
) -> None:
    run, _ = lite.runs.submit(fake_spec("pause=0.05 steps=30"))
    first = start(ONLYBN_LEASE_S="3000")
    eventually(lambda: (lite.runs.get(run.id).checkpoint_step or 0) >= 5)
    trainer = trainer_of(settings, run.id)
    first.kill()
    first.wait()
    eventually(lambda: not is_alive(trainer), 5)
    assert states(lite, run.id) == {"running"}  # nobody has noticed yet
    start(ONLYBN_LEASE_S="3000")
    eventually(lambda: lite.runs.get(run.id).attempt == 2)
    eventually(lambda: states(lite, run.id) == {"finished"})
    kinds = [row.kind for row in lite.runs.log(run.id)]
    assert [kind for kind in kinds if kind != "checkpoint"] == [
        "submitted", "claimed", "started", "lost", "claimed", "resumed", "finished",
    ]  # fmt: skip
    assert [p.step for p in lite.curves.points(run.id) if p.split == "train" and p.step] == list(range(1, 31))


def test_a_worker_that_is_stopped_past_its_lease_loses_its_run(
    settings: WorkerSettings, lite: Store, start: Start
) -> None:
    run, _ = lite.runs.submit(fake_spec("pause=0.05 steps=40"))
    zombie = start()
    eventually(lambda: (lite.runs.get(run.id).checkpoint_step or 0) >= 5)
    name = lite.runs.get(run.id).worker
    os.kill(zombie.pid, signal.SIGSTOP)
    other = start(ONLYBN_LEASE_S="5")
    eventually(lambda: lite.runs.get(run.id).attempt == 2)
    os.kill(zombie.pid, signal.SIGCONT)
    eventually(lambda: states(lite, run.id) == {"finished"})
    now = lite.runs.get(run.id)
    assert (now.attempt, now.worker != name) == (2, True)
    assert f"Its worker {name} has not responded for 5 s." in [row.message for row in lite.runs.log(run.id)]
    assert [p.step for p in lite.curves.points(run.id) if p.split == "train" and p.step] == list(range(1, 41))
    for process in (zombie, other):
        process.terminate()
        assert process.wait(timeout=60) == 0


def test_a_trainer_ends_before_the_lease_of_its_silent_worker(
    settings: WorkerSettings, lite: Store, start: Start
) -> None:
    """So never two of them train one run, whatever holds the worker up."""
    run, _ = lite.runs.submit(fake_spec("pause=0.05 steps=400"))
    zombie = start(ONLYBN_LEASE_S="8")
    eventually(lambda: (lite.runs.get(run.id).checkpoint_step or 0) >= 5)
    trainer = trainer_of(settings, run.id)
    os.kill(zombie.pid, signal.SIGSTOP)
    assert eventually(lambda: not is_alive(trainer)) <= 8
    os.kill(zombie.pid, signal.SIGCONT)
    eventually(lambda: lite.runs.get(run.id).attempt == 2)
    told = [row.message for row in lite.runs.log(run.id) if row.kind in ("released", "crashed", "lost")]
    assert told == [UNSURE]


def test_the_real_worker_says_what_it_is_connected_to(settings: WorkerSettings, start: Start) -> None:
    worker = start("-m", "jobs", "--lifeline")
    lines = [worker.stdout.readline() for _ in range(6)]
    text = "".join(lines)
    assert text.startswith("OnlyBN worker ")
    assert f"sqlite:///{settings.data}/onlybn.db" in text
    assert str(settings.data / "queue.db") in text
    assert "at once" in text
    worker.stdin.close()  # the lifeline: its parent is gone
    assert worker.wait(timeout=60) == 1


@pytest.mark.parametrize(
    ("name", "value", "code", "words"),
    [
        ("ONLYBN_SLOTS", "many", 2, "error: ONLYBN_SLOTS: input should be a valid integer"),
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
    heavy = "{'torch', 'torchvision', 'safetensors'}"
    code = f"import sys, jobs.__main__; sys.exit(bool({heavy} & set(sys.modules)))"
    worker = start("-c", code)
    assert worker.wait(timeout=30) == 0
