"""A worker that ends by itself: what its command line means, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from core.run.spec import RunSpec
from jobs.settings import WorkerSettings
from jobs.store.records import Mode
from jobs.store.store import Store
from jobs.worker.until import BadUntil, Ledger, Until, read_until
from tests.jobs.support import eventually, fake_spec, states
from tests.jobs.worker.test_worker_processes import Start, start

__all__ = ["start"]

NOW = datetime(2026, 11, 30, 18, 0, 30, tzinfo=timezone(timedelta(hours=1)))


def seconds(words: str) -> float | None:
    """The seconds from NOW until the end that `words` name."""
    at = read_until([words.split(" ")], NOW).at
    return None if at is None else at - NOW.timestamp()


@pytest.mark.parametrize(
    ("words", "after_s"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("30min", 1800),
        ("1h30m", 5400),
        ("2D", 172800),
        ("18:30", 1770),
        ("18:00", 86370),
        ("9:00", 53970),
        ("2026-12-01 18:00:30", 86400),
        ("2026-12-01T18:00:30", 86400),
        ("2026-11-30t17:00:31z", 1),
    ],
)
def test_times(words: str, after_s: float) -> None:
    assert seconds(words) == after_s
    assert read_until([words.split(" ")], NOW).left_s(NOW.timestamp() + after_s - 0.5) == 0.5
    assert read_until([words.split(" ")], NOW).left_s(NOW.timestamp() + after_s + 9) == 0


def test_the_first_of_several_ends_counts() -> None:
    assert read_until([], NOW) == Until() and not Until().limited and Until().left_s(0) == float("inf")
    several = read_until([["idle"], ["2h"], ["30m"], ["7", "runs"], ["5"]], NOW)
    assert several == Until(idle=True, at=NOW.timestamp() + 1800, runs=5) and several.limited
    assert read_until([["1", "run"]], NOW) == read_until([["1run"]], NOW) == Until(runs=1)


@pytest.mark.parametrize(
    "words", ["", "soon", "0", "0 runs", "0m", "m", "-5", "5 dogs", "1.5h", "25:00", "12:60", "30m 1h", "idle idle"]
)
def test_anything_else_is_refused(words: str) -> None:
    with pytest.raises(BadUntil, match=r"--until must be idle, a number of runs such as 5 runs, a duration"):
        read_until([words.split(" ")], NOW)
    with pytest.raises(BadUntil, match=r"2026-11-30 18:00 is over; it is 2026-11-30 18:00 now"):
        read_until([["2026-11-30", "18:00"]], NOW)


def test_no_more_runs_begin_than_may_end() -> None:
    ledger = Ledger(2)
    assert [ledger.reserve() for _ in range(3)] == [True, True, False]
    ledger.note("a", "queued")
    ledger.free()
    assert ledger.reserve() and not ledger.reserve()
    ledger.note("a", "finished")
    ledger.free()
    assert not ledger.full and not ledger.reserve()
    ledger.note("b", "failed")
    ledger.free()
    assert ledger.full and not ledger.reserve()
    assert ledger.words() == "Runs: 1 finished, 1 failed."
    ledger.note("c", None)
    assert ledger.words() == "Runs: 1 finished, 1 failed, 1 back in the queue."
    assert Ledger().words() == "It took no runs." and Ledger().reserve() and not Ledger().full


def last_line(worker: subprocess.Popen[str]) -> str:
    said, errors = worker.communicate(timeout=60)
    assert worker.returncode == 0, errors
    return said.splitlines()[-1]


pytestmark = pytest.mark.server


def test_until_idle_ends_when_nothing_is_left_for_it(settings: WorkerSettings, lite: Store, start: Start) -> None:
    good, _ = lite.runs.submit(fake_spec("pause=0.02"))
    bad, _ = lite.runs.submit(fake_spec("fail=3"))
    shaky, _ = lite.runs.submit(fake_spec("kill=3"))
    theirs, _ = lite.runs.submit(fake_spec(), label="a100")
    assert last_line(start(until=("idle",))) == "idle Runs: 2 finished, 1 failed."
    assert [lite.runs.get(one.id).state for one in (good, bad, shaky, theirs)] == [
        "finished", "failed", "finished", "queued",
    ]  # fmt: skip
    assert lite.workers.all() == []
    assert last_line(start(until=("idle",))) == "idle It took no runs."
    assert last_line(start(until=("idle",), ONLYBN_LABELS="gpu,a100")) == "idle Runs: 1 finished."


def test_until_idle_ends_while_the_queue_is_paused(lite: Store, start: Start) -> None:
    run, _ = lite.runs.submit(fake_spec())
    lite.switch.turn("paused")
    assert last_line(start(until=("idle",))) == "idle It took no runs."
    assert states(lite, run.id) == {"queued"}
    lite.switch.turn("drained")
    assert last_line(start(until=("idle",))) == "idle Runs: 1 finished."


def test_until_some_runs_have_ended(lite: Store, start: Start) -> None:
    runs = [lite.runs.submit(fake_spec(f"pause=0.02 kill={3 + index}"))[0] for index in range(4)]
    assert last_line(start(until=("2", "runs"), ONLYBN_SLOTS="2")) == "runs Runs: 2 finished."
    assert sorted(lite.runs.get(run.id).state for run in runs) == ["finished", "finished", "queued", "queued"]


def test_until_a_time_gives_the_run_back_with_a_checkpoint(lite: Store, start: Start) -> None:
    run, _ = lite.runs.submit(fake_spec("pause=0.05 steps=400"))
    waits, _ = lite.runs.submit(fake_spec())
    took = start(until=("3s",), ONLYBN_SLOTS="1")
    assert last_line(took) == "time Runs: 1 back in the queue."
    now = lite.runs.get(run.id)
    assert (now.state, now.attempt) == ("queued", 1)
    assert now.checkpoint_step == now.step > 0, "not a step is lost"
    assert states(lite, waits.id) == {"queued"}
    start()
    eventually(lambda: lite.runs.get(run.id).attempt == 2 and lite.runs.get(run.id).step > now.step)
    (resumed,) = [row.message for row in lite.runs.log(run.id) if row.kind == "resumed"]
    assert resumed.startswith(f"Resumed from step {now.checkpoint_step} ")


def test_a_worker_that_cannot_train_ends_and_blames_no_run(settings: WorkerSettings, lite: Store, start: Start) -> None:
    run, _ = lite.runs.submit(fake_spec())
    settings.runs_folder.write_text("no folder")
    worker = start("-m", "jobs", "--until", "idle", "--labels", "gpu")
    said, errors = worker.communicate(timeout=60)
    assert worker.returncode == 3, errors
    assert "  labels    gpu\n" in said
    ended = said.splitlines()[-1]
    assert ended.startswith("The worker ended after ")
    assert ended.endswith(": a trial training fails here, so it accepts no runs. Runs: 1 back in the queue.")
    assert states(lite, run.id) == {"queued"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--until", "soon"), "error: --until must be idle, a number of runs"),
        (("--labels", "GPU"), "error: ONLYBN_LABELS: 'GPU' is not a label: at most 32 lower-case letters"),
        (("--labels=gpu", "admin", "status"), "--until and --labels are for a worker, not for admin"),
    ],
)
def test_wrong_options_are_said_in_one_line(start: Start, arguments: tuple[str, ...], words: str) -> None:
    worker = start("-m", "jobs", *arguments)
    _, errors = worker.communicate(timeout=30)
    assert worker.returncode == 2 and words in errors and "Traceback" not in errors


@pytest.mark.training
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_slurms_warning_to_worker_and_trainer_at_once_loses_no_step(
    settings: WorkerSettings, lite: Store, start: Start
) -> None:
    """As srun sends it. The trainer, which gets a second signal from its worker, must not take that for a kill."""
    spec = RunSpec(architecture="resnet-14", policy="batchnorm", dataset="digits", epochs=400)
    run, _ = lite.runs.submit(spec)
    worker = start("-m", "jobs", "--until", "1h", "--until", "idle", ONLYBN_THREADS="1", ONLYBN_DEVICE="cpu")
    eventually(lambda: lite.runs.get(run.id).step >= 20, 120)
    tasks = Path(f"/proc/{worker.pid}/task").iterdir()
    trainers = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    for pid in {*trainers, worker.pid}:
        os.kill(pid, signal.SIGUSR1)
    said, errors = worker.communicate(timeout=60)
    assert worker.returncode == 75, errors
    assert said.splitlines()[-1].endswith(": its time is over. Runs: 1 back in the queue.")
    now = lite.runs.get(run.id)
    assert (now.state, now.attempt) == ("queued", 1)
    assert now.checkpoint_step is not None and now.checkpoint_step >= now.step >= 20
    assert not [row for row in lite.runs.log(run.id) if row.kind == "crashed"]


@pytest.mark.parametrize(
    ("arguments", "mode", "code"), [((), "open", 0), (("--until", "2h"), "open", 75), (("--until", "2h"), "paused", 0)]
)
def test_a_limited_worker_that_is_stopped_says_whether_work_is_left(
    lite: Store, start: Start, arguments: tuple[str, ...], mode: Mode, code: int
) -> None:
    run, _ = lite.runs.submit(fake_spec())
    lite.switch.turn(mode)
    worker = start("-m", "jobs", *arguments)
    assert worker.stdout.readline().startswith("OnlyBN worker ")
    worker.terminate()
    said, errors = worker.communicate(timeout=60)
    assert worker.returncode == code, errors
    assert ": it was stopped. " in said.splitlines()[-1]
    assert states(lite, run.id) == {"queued"}
