"""What is kept: old runs go, the oldest make room, and pinned ones, examples and open studies stay."""

from __future__ import annotations

import time

import sqlalchemy as sa

from core.run.events import Point
from jobs.store import examples
from jobs.store.records import Batch
from jobs.store.shares.keeping import EVICTED
from jobs.store.store import Store
from jobs.store.tables import POINTS, RUNS
from tests.events import analysed, finished
from tests.jobs.store.test_studies import tiny
from tests.jobs.support import fake_spec

DAY = 86400.0


def done(store: Store, days_ago: float = 0.0) -> str:
    """A finished run with curves, findings and a capsule."""
    spec = fake_spec()
    store.runs.submit(spec)
    run = store.claims.take("worker")
    assert run
    points = tuple(Point(step=step, epoch=step / 4, split="train", loss=1.0, top1=0.5) for step in range(1, 9))
    store.claims.record(run.id, 1, Batch(points=points, analysed=analysed(spec)))
    assert store.claims.finish(run.id, 1, finished(spec), b"capsule")
    aged(store, run.id, days_ago)
    return run.id


def aged(store: Store, run_id: str, days: float) -> None:
    with store.database.writing() as connection:
        old = sa.update(RUNS).where(RUNS.c.id == run_id)
        connection.execute(old.values(finished_at=time.time() - days * DAY))


def cancelled(store: Store, days_ago: float) -> str:
    run, _ = store.runs.submit(fake_spec())
    store.runs.cancel(run.id)
    aged(store, run.id, days_ago)
    return run.id


def test_runs_go_by_state_and_age(store: Store) -> None:
    old, new = done(store, 15), done(store, 13)
    stopped, fresh = cancelled(store, 3), cancelled(store, 1)
    waits, _ = store.runs.submit(fake_spec())
    gone = store.keeping.expire(time.time(), 14 * DAY, 2 * DAY)
    assert set(gone) == {old, stopped}
    assert store.runs.known([old, new, stopped, fresh, waits.id]) == {new, fresh, waits.id}
    assert store.keeping.expire(time.time() + 9e9, 0, 0) == [], "0: never"


def test_pinned_runs_examples_and_what_an_open_study_needs_stay(store: Store) -> None:
    store.examples.take_in(examples.shipped()[:1])
    pinned = done(store, 99)
    assert store.switch.pin(pinned, True)
    study = store.studies.launch(tiny())
    run = store.claims.take("worker")
    assert run and run.id in study.new_runs
    store.claims.finish(run.id, 1, finished(run.spec))
    aged(store, run.id, 99)
    far = time.time() + 9999 * DAY
    assert store.keeping.expire(far, DAY, DAY) == [] and store.keeping.oldest(10) == []
    for run_id in store.studies.cancel(study.id) or ():
        store.runs.cancel(run_id)
    gone = store.keeping.expire(far, DAY, DAY)
    assert set(gone) == {*study.new_runs}
    assert store.studies.get(study.id) is None and store.runs.known([pinned]) == {pinned}
    assert store.examples.all()


def test_the_oldest_make_room_and_say_so(store: Store) -> None:
    old, new = done(store, 5), done(store, 1)
    running, _ = store.runs.submit(fake_spec())
    store.claims.take("worker")
    assert store.keeping.oldest(9) == [old, new] and store.keeping.last_eviction() is None
    now = time.time()
    assert store.keeping.evict([old, running.id], now) == [old]
    run = store.runs.get(old)
    assert run and run.result and run.state == "finished", "what it found stays"
    assert store.results.findings(old) and store.results.capsule(old) is None
    assert store.curves.points(old) == [] and len(store.curves.points(new)) == 8
    assert store.runs.log(old)[-1].message == EVICTED
    last = store.keeping.last_eviction()
    assert last and (last.at, last.runs) == (now, 1)
    standing = store.keeping.standing([old, new, "nothing"])
    assert {run_id: now.evicted_at is not None for run_id, now in standing.items()} == {old: True, new: False}
    assert store.keeping.oldest(9) == [new]
    assert store.keeping.forget(9) == [old] and store.runs.known([old]) == set()


def test_a_file_shrinks_by_what_was_deleted(lite: Store) -> None:
    run = done(lite)
    with lite.database.writing() as connection:
        number = connection.scalar(sa.select(RUNS.c.number).where(RUNS.c.id == run))
        rows = [{"run": number, "step": step, "epoch": 1.0, "split": "test", "loss": 1.0} for step in range(30_000)]
        connection.execute(sa.insert(POINTS), [{"top1": 0.1, **row} for row in rows])
    lite.keeping.give_back()
    assert lite.database.file
    before = lite.database.file.stat().st_size
    lite.keeping.evict([run], time.time())
    lite.keeping.give_back()
    assert lite.database.file.stat().st_size < before / 2
    with lite.database.reading() as connection:
        assert connection.scalar(sa.text("PRAGMA integrity_check")) == "ok"
