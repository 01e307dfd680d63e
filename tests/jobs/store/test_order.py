"""Reordering runs that wait: among one's own places, never before anybody else's, whatever happens at the same time."""

from __future__ import annotations

import sqlalchemy as sa

from core.run.spec import RunSpec
from core.studies.catalog.table import study_spec
from jobs.store.store import Store
from jobs.store.tables import RUNS
from tests.jobs.support import in_threads


def submit(store: Store, spec: RunSpec, number: int) -> list[str]:
    return [store.runs.submit(spec)[0].id for _ in range(number)]


def positions(store: Store, run_ids: list[str]) -> list[int | None]:
    return [run.position if (run := store.runs.get(run_id)) else None for run_id in run_ids]


def test_only_ones_own_places_are_dealt_out(store: Store, spec: RunSpec) -> None:
    a, theirs, b, other, c = submit(store, spec, 5)
    assert store.queue.reorder([c, b, a]) == [c, b, a]
    assert store.queue.waiting() == [c, theirs, b, other, a]
    assert [run.id for run in store.queue.first(9)] == store.queue.waiting()
    assert positions(store, [c, theirs, b, other, a]) == [1, 2, 3, 4, 5]
    (last,) = submit(store, spec, 1)
    assert store.queue.reorder([last, a, b, c]) == [last, a, b, c]
    assert store.queue.waiting() == [last, theirs, a, other, b, c]
    claimed = [run.id for _ in range(6) if (run := store.claims.take("worker"))]
    assert claimed == [last, theirs, a, other, b, c]


def test_back_in_the_first_order_nothing_is_kept(store: Store, spec: RunSpec) -> None:
    runs = submit(store, spec, 3)
    store.queue.reorder(runs[::-1])
    store.queue.reorder(runs)
    assert store.queue.waiting() == runs
    with store.database.reading() as connection:
        assert list(connection.scalars(sa.select(RUNS.c.place))) == [None] * 3


def test_what_does_not_wait_is_left_out(store: Store, spec: RunSpec) -> None:
    a, b, c, d = submit(store, spec, 4)
    assert store.claims.take("worker")
    store.runs.cancel(b)
    assert store.queue.reorder([d, "nothing", b, a, c]) == [d, c]
    assert store.queue.waiting() == [d, c]
    assert store.queue.reorder([]) == [] and store.queue.reorder([a, b]) == []


def test_a_released_run_returns_to_the_place_that_it_was_given(store: Store, spec: RunSpec) -> None:
    a, b, c = submit(store, spec, 3)
    store.queue.reorder([c, a, b])
    run = store.claims.take("worker")
    assert run is not None and run.id == c
    assert store.queue.waiting() == [a, b]
    store.claims.release(c, run.attempt, "the worker stopped")
    assert store.queue.waiting() == [c, a, b]


def test_a_study_stays_behind_single_runs(store: Store, spec: RunSpec) -> None:
    study = store.studies.launch(study_spec("gamma", "minutes")).new_runs
    (single,) = submit(store, spec, 1)
    assert store.queue.reorder([study[2], single, *study[:2]]) == [single, study[2], *study[:2]]
    assert store.queue.waiting()[:4] == [single, study[2], study[0], study[1]]


def test_a_deleted_run_takes_its_place_along(store: Store, spec: RunSpec) -> None:
    a, b = submit(store, spec, 2)
    store.queue.reorder([b, a])
    store.runs.cancel(b)
    store.runs.remove(b)
    assert store.runs.bury(0.0) == [b]
    assert store.queue.waiting() == [a] and positions(store, [a]) == [1]


def test_claims_and_reorderings_at_once_serve_each_run_once(store: Store, spec: RunSpec) -> None:
    """The order is anybody's guess then; that each place has one run and each run one holder is not."""
    mine, theirs = submit(store, spec, 8), submit(store, spec, 8)
    claimed: list[str] = []

    def work(index: int) -> None:
        for turn in range(4):
            if index == 0:
                store.queue.reorder(mine if turn % 2 else mine[::-1])
            elif index == 1:
                store.queue.reorder([*theirs[turn:], *theirs[:turn]])
            elif run := store.claims.take(f"worker {index}"):
                claimed.append(run.id)

    in_threads(4, work)
    waiting = store.queue.waiting()
    assert len(claimed) == len(set(claimed)) and set(claimed).isdisjoint(waiting)
    assert sorted([*claimed, *waiting]) == sorted([*mine, *theirs])
    assert positions(store, waiting) == list(range(1, len(waiting) + 1))
    with store.database.reading() as connection:
        places = list(connection.scalars(sa.select(RUNS.c.place).where(RUNS.c.place.is_not(None))))
    assert len(places) == len(set(places))
