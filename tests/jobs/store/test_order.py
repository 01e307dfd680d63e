"""Reordering runs that wait: among one's own places, never before anybody else's, whatever happens at the same time."""

from __future__ import annotations

import sqlalchemy as sa

from core.run.spec import RunSpec
from core.studies.catalog import study_spec
from jobs.store.store import Store
from jobs.store.tables import PLACES
from tests.jobs.support import in_threads


def submit(store: Store, spec: RunSpec, number: int) -> list[str]:
    return [store.submit(spec)[0].id for _ in range(number)]


def positions(store: Store, run_ids: list[str]) -> list[int | None]:
    return [run.position if (run := store.run(run_id)) else None for run_id in run_ids]


def test_only_ones_own_places_are_dealt_out(store: Store, spec: RunSpec) -> None:
    a, theirs, b, other, c = submit(store, spec, 5)
    assert store.reorder([c, b, a]) == [c, b, a]
    assert store.waiting() == [c, theirs, b, other, a]
    assert [run.id for run in store.line(9)] == store.waiting()
    assert positions(store, [c, theirs, b, other, a]) == [1, 2, 3, 4, 5]
    (last,) = submit(store, spec, 1)
    assert store.reorder([last, a, b, c]) == [last, a, b, c]
    assert store.waiting() == [last, theirs, a, other, b, c]
    claimed = [run.id for _ in range(6) if (run := store.claim("worker"))]
    assert claimed == [last, theirs, a, other, b, c]


def test_back_in_the_first_order_nothing_is_kept(store: Store, spec: RunSpec) -> None:
    runs = submit(store, spec, 3)
    store.reorder(runs[::-1])
    store.reorder(runs)
    assert store.waiting() == runs
    with store.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(PLACES)) == 0


def test_what_does_not_wait_is_left_out(store: Store, spec: RunSpec) -> None:
    a, b, c, d = submit(store, spec, 4)
    assert store.claim("worker")
    store.request_cancel(b)
    assert store.reorder([d, "nothing", b, a, c]) == [d, c]
    assert store.waiting() == [d, c]
    assert store.reorder([]) == [] and store.reorder([a, b]) == []


def test_a_released_run_returns_to_the_place_that_it_was_given(store: Store, spec: RunSpec) -> None:
    a, b, c = submit(store, spec, 3)
    store.reorder([c, a, b])
    run = store.claim("worker")
    assert run is not None and run.id == c
    assert store.waiting() == [a, b]
    store.release(c, run.attempt, "the worker stopped")
    assert store.waiting() == [c, a, b]


def test_a_study_stays_behind_single_runs(store: Store, spec: RunSpec) -> None:
    study = store.launch_study(study_spec("gamma", "minutes")).new_runs
    (single,) = submit(store, spec, 1)
    assert store.reorder([study[2], single, *study[:2]]) == [single, study[2], *study[:2]]
    assert store.waiting()[:4] == [single, study[2], study[0], study[1]]


def test_a_deleted_run_takes_its_place_along(store: Store, spec: RunSpec) -> None:
    a, b = submit(store, spec, 2)
    store.reorder([b, a])
    store.request_cancel(b)
    store.remove(b)
    assert store.bury(0.0) == [b]
    assert store.waiting() == [a] and positions(store, [a]) == [1]


def test_claims_and_reorderings_at_once_serve_each_run_once(store: Store, spec: RunSpec) -> None:
    """The order is anybody's guess then; that each place has one run and each run one holder is not."""
    mine, theirs = submit(store, spec, 8), submit(store, spec, 8)
    claimed: list[str] = []

    def work(index: int) -> None:
        for turn in range(4):
            if index == 0:
                store.reorder(mine if turn % 2 else mine[::-1])
            elif index == 1:
                store.reorder([*theirs[turn:], *theirs[:turn]])
            elif run := store.claim(f"worker {index}"):
                claimed.append(run.id)

    in_threads(4, work)
    waiting = store.waiting()
    assert len(claimed) == len(set(claimed)) and set(claimed).isdisjoint(waiting)
    assert sorted([*claimed, *waiting]) == sorted([*mine, *theirs])
    assert positions(store, waiting) == list(range(1, len(waiting) + 1))
    with store.reading() as connection:
        places = list(connection.scalars(sa.select(PLACES.c.place)))
    assert len(places) == len(set(places))


def test_an_older_database_gets_the_table(store: Store, spec: RunSpec) -> None:
    a, b = submit(store, spec, 2)
    with store.writing() as connection:
        PLACES.drop(connection)
    store.create_tables()
    assert store.reorder([b, a]) == [b, a] == store.waiting()
