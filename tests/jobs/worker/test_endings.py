"""Trainings that hang, last too long, run out of memory or find broken files, and what is told of it."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy.exc import DataError

from core.run.spec import RunSpec
from jobs.store.records import Batch
from jobs.store.store import Store
from jobs.worker.limits import child_environment
from tests.events import started
from tests.jobs.store.test_store import claimed, train_point
from tests.jobs.support import eventually
from tests.jobs.worker.test_supervisor import Bench, bench, is_alive

pytestmark = pytest.mark.server
__all__ = ["bench"]


def test_a_training_that_stands_still_is_started_again(bench: Bench) -> None:
    bench.supervisor.settings = bench.settings.model_copy(update={"patience_s": 1.0})
    run = bench.supervise("steps=12 hang=8 pause=0.05")
    assert (run.state, run.checkpoint_step) == ("queued", 5)
    assert re.search(r"made no progress for \d+ s and was stopped", bench.store.runs.log(run.id)[-1].message)
    assert not is_alive(bench.pid(run))
    bench.supervisor.supervise(bench.store.claims.take("worker"), 1, "cpu")
    assert bench.store.runs.get(run.id).state == "finished"


def test_a_stopped_trainer_is_noticed_however_it_came_about(bench: Bench) -> None:
    bench.supervisor.settings = bench.settings.model_copy(update={"patience_s": 1.0})
    run, thread = bench.begin("pause=0.05 steps=2000")
    os.kill(bench.pid(run), signal.SIGSTOP)
    thread.join(timeout=60)
    assert bench.store.runs.get(run.id).state == "queued"


def test_a_run_has_a_limit_of_hours(bench: Bench) -> None:
    bench.supervisor.settings = bench.settings.model_copy(update={"max_hours": 1 / 3600})
    run = bench.supervise("pause=0.05 steps=2000")
    assert (run.state, run.error_kind) == ("failed", "time_limit")
    assert run.checkpoint_step == bench.store.curves.points(run.id)[-1].step, "it has saved its work"


def test_cancelling_before_anything_can_be_saved_kills_at_once(bench: Bench) -> None:
    run = bench.claim("importing=30 stubborn")
    thread = threading.Thread(target=bench.supervisor.supervise, args=(run, 1, "cpu"))
    thread.start()
    eventually(lambda: (bench.folder(run) / "trainer.pid").exists())
    bench.store.runs.cancel(run.id)
    assert eventually(lambda: bench.store.runs.get(run.id).state == "cancelled") < 1.4  # no grace of 1.5 s
    thread.join()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", None])
def test_a_broken_spec_file_kills_no_run(bench: Bench, content: bytes | None) -> None:
    run = bench.claim("steps=2")
    bench.folder(run).mkdir(parents=True)
    (bench.folder(run) / ".tmp-1-spec.json").write_text("left over")
    if content is not None:
        (bench.folder(run) / "spec.json").write_bytes(content)
    bench.supervisor.supervise(run, 1, "cpu")
    assert bench.store.runs.get(run.id).state == "finished"
    assert not list(bench.folder(run).glob(".tmp-*"))


def test_memory_that_ran_out_is_told_as_such(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.lease.WAITS_S", (0.0,))
    kills = iter(range(100))
    for module in ("supervisor", "verdicts"):  # before and after the training
        monkeypatch.setattr(f"jobs.worker.{module}.oom_kills", lambda: next(kills))
    run = bench.supervise("kill=2 always")
    assert run.state == "queued"
    bench.supervisor.supervise(bench.store.claims.take("worker"), 1, "cpu")
    now = bench.store.runs.get(run.id)
    assert (now.state, now.error_kind) == ("failed", "out_of_memory")
    assert "because memory ran out" in now.error_message


def test_a_statement_of_the_database_is_shown_to_nobody(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise DataError("UPDATE runs SET owner = %s", {"owner": "hash"}, Exception("\\0"))

    monkeypatch.setattr(bench.store.claims, "record", refuse)
    run = bench.supervise("steps=5")
    told = " ".join(row.message for row in bench.store.runs.log(run.id))
    assert "the database refused the results of the training" in told and "UPDATE" not in told and "hash" not in told


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can limit another process")
def test_a_trainer_has_limits(bench: Bench) -> None:
    run, thread = bench.begin("pause=0.05 steps=2000")
    limits = Path(f"/proc/{bench.pid(run)}/limits").read_text()
    assert re.search(r"Max file size +34359738368 +34359738368", limits)
    assert re.search(r"Max open files +4096 +4096", limits)
    assert Path(f"/proc/{bench.pid(run)}/oom_score_adj").read_text().strip() == "500"
    bench.stopping.set()
    thread.join(timeout=60)


def test_what_an_earlier_attempt_measured_beyond_the_checkpoint_goes(store: Store, spec: RunSpec) -> None:
    run = claimed(store, spec)
    store.claims.record(run.id, 1, Batch(tuple(train_point(step) for step in range(1, 9)), started=started(spec)))
    cursor = store.curves.delta(run.id, 0, 0, 0).points[-1][0]
    store.claims.release(run.id, 1, "x")
    store.claims.take("two")
    again = tuple(train_point(step, loss=2.0) for step in range(1, 7))
    resumed = started(spec).model_copy(update={"resumed_from": 3})
    store.claims.record(run.id, 2, Batch(again, started=resumed))
    losses = {point.step: point.loss for point in store.curves.points(run.id)}
    assert losses == {1: 1.0, 2: 1.0, 3: 1.0, 4: 2.0, 5: 2.0, 6: 2.0}
    assert [p.step for _, p in store.curves.delta(run.id, cursor, 0, 0).points] == [4, 5, 6], "cursors rise for ever"
    store.claims.release(run.id, 2, "x")
    store.claims.take("three")
    store.claims.record(run.id, 3, Batch((train_point(1, loss=3.0),), started=started(spec)))
    assert [(p.step, p.loss) for p in store.curves.points(run.id)] == [(1, 3.0)]


def test_secrets_of_any_name_stay_here(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = ("PGPASSWORD", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "ONLYBN_QUEUE_URL", "openai_api_key")
    for name in hidden:
        monkeypatch.setenv(name, "hidden")
    monkeypatch.setenv("ONLYBN_FOLDER_SIZE", "32")
    environment = child_environment(bench.settings)
    assert not set(hidden) & environment.keys() and environment["ONLYBN_FOLDER_SIZE"] == "32"
