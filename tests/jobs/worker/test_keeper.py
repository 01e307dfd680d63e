"""The data folder of a worker stays within its budget, and what goes is the oldest."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import pytest

from core.machine.files import CAPSULE
from jobs.settings import WorkerSettings
from jobs.store.store import Store
from jobs.worker import keeper
from jobs.worker.keeper import Keeper
from tests.jobs.store.shares.test_keeping import aged, cancelled, done

MEGABYTE = 1_000_000


def made(settings: WorkerSettings, **changed: object) -> WorkerSettings:
    return settings.model_copy(update=changed)


def fill(settings: WorkerSettings, run_id: str, name: str, size: int) -> Path:
    path = settings.runs_folder / run_id / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\0" * size)
    return path


def test_a_folder_beyond_its_budget_loses_the_oldest_runs(
    settings: WorkerSettings, lite: Store, caplog: pytest.LogCaptureFixture
) -> None:
    settings = made(settings, budget_mb=40)
    runs = [done(lite, days) for days in range(60, 0, -1)]
    for run_id in runs:
        fill(settings, run_id, "journal", MEGABYTE)
    lite.switch.pin(runs[0], True)
    with caplog.at_level(logging.WARNING):
        Keeper(settings, lite).tidy()
    assert Keeper(settings, lite).used() <= 40 * MEGABYTE
    left = [run_id for run_id in runs if (settings.runs_folder / run_id).exists()]
    assert left[0] == runs[0] and left[1:] == runs[-len(left) + 1 :] and len(left) >= 15
    assert lite.runs.known(runs) == set(runs), "their results stay"
    assert "came near its budget of 40 MB" in caplog.text


def test_where_nothing_more_may_go_it_says_so_and_ends(
    settings: WorkerSettings, lite: Store, caplog: pytest.LogCaptureFixture
) -> None:
    settings = made(settings, budget_mb=1)
    pinned = done(lite)
    lite.switch.pin(pinned, True)
    fill(settings, pinned, "journal", 3 * MEGABYTE)
    Keeper(settings, lite).tidy()
    assert "nothing more may be deleted" in caplog.text and (settings.runs_folder / pinned).exists()


def test_a_large_network_is_kept_only_where_that_was_asked_for(settings: WorkerSettings, lite: Store) -> None:
    settings = made(settings, keep_capsule_mb=2)
    plain, small = done(lite), done(lite)
    run, _ = lite.runs.submit(lite.runs.get(plain).spec, keeps=True)  # type: ignore[union-attr]
    claimed = lite.claims.take("worker")
    assert claimed and lite.claims.finish(run.id, 1, lite.runs.get(plain).result)  # type: ignore[union-attr,arg-type]
    files = {run_id: fill(settings, run_id, CAPSULE, 3 * MEGABYTE) for run_id in (plain, run.id)}
    files[small] = fill(settings, small, CAPSULE, MEGABYTE)
    Keeper(settings, lite).tidy()
    assert [files[run_id].exists() for run_id in (plain, run.id, small)] == [False, True, True]
    assert "it was 3.0 MB, more than this server keeps" in lite.runs.log(plain)[-1].message


def test_expired_runs_take_their_folders_along(settings: WorkerSettings, lite: Store) -> None:
    settings = made(settings, keep_days=14, keep_failed_days=2)
    old, new, stopped = done(lite, 20), done(lite, 1), cancelled(lite, 3)
    paths = {run_id: fill(settings, run_id, "spec.json", 10) for run_id in (old, new, stopped)}
    Keeper(settings, lite).tidy()
    assert [paths[run_id].exists() for run_id in (old, new, stopped)] == [False, True, False]


def test_without_limits_everything_stays(settings: WorkerSettings, lite: Store) -> None:
    old = done(lite, 9999)
    path = fill(settings, old, CAPSULE, 5 * MEGABYTE)
    stray = fill(settings, "nobodysrun", "spec.json", 10)
    os.utime(stray.parent, (0, 0))
    Keeper(settings, lite).tidy()
    assert path.exists() and stray.exists() and lite.curves.points(old)


def test_folders_that_no_run_has_make_room_first(settings: WorkerSettings, lite: Store) -> None:
    settings = made(settings, budget_mb=3)
    run = done(lite)
    path = fill(settings, run, "journal", MEGABYTE)
    stray = fill(settings, "nobodysrun", "journal", 3 * MEGABYTE)
    os.utime(stray.parent, (0, 0))
    Keeper(settings, lite).tidy()
    assert not stray.exists() and path.exists()


def test_the_log_of_a_trainer_is_cut(settings: WorkerSettings, lite: Store) -> None:
    run = done(lite)
    log = settings.runs_folder / run / "trainer.log"
    log.parent.mkdir(parents=True)
    log.write_text("".join(f"line {number}\n" for number in range(200_000)))
    Keeper(settings, lite).tidy()
    assert log.stat().st_size < 2 * keeper.LOG_KEPT_BYTES and log.read_text().endswith("line 199999\n")


def test_what_a_run_really_takes_replaces_what_was_expected(settings: WorkerSettings, lite: Store) -> None:
    run = done(lite)
    fill(settings, run, CAPSULE, 1234)
    Keeper(settings, lite).tidy()
    with lite.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT disk_bytes FROM runs").scalar() == 1234


def test_time_may_be_simulated(settings: WorkerSettings, lite: Store) -> None:
    settings = made(settings, keep_days=14)
    run = done(lite)
    aged(lite, run, 0)
    Keeper(settings, lite, now=lambda: time.time() + 13 * 86400).tidy()
    assert lite.runs.known([run])
    Keeper(settings, lite, now=lambda: time.time() + 15 * 86400).tidy()
    assert not lite.runs.known([run])
