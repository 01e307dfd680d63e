"""Whose turn it is: whoever has had the least, and nobody waits for ever."""

from __future__ import annotations

import pytest

from core.run.spec import RunSpec
from jobs.quotas import Asker
from jobs.store.store import Store
from tests.jobs.store.shares.support import ANNA, BEN, CARL, limits, served, submit
from tests.jobs.store.test_studies import tiny
from tests.jobs.support import fake_spec


def test_the_next_run_is_of_whoever_has_had_the_least(store: Store, spec: RunSpec) -> None:
    many = submit(store, spec, ANNA, 4)
    assert served(store, 1) == many[:1]
    (first,) = submit(store, spec, BEN)
    assert store.queue.waiting() == [first, *many[1:]]
    two = submit(store, spec, CARL, 2)
    assert store.queue.waiting() == [first, two[0], many[1], two[1], *many[2:]]
    assert [run.id for run in store.queue.first(9)] == store.queue.waiting() == served(store, 9)


def test_positions_are_the_order_in_which_runs_are_served(store: Store, spec: RunSpec) -> None:
    submit(store, spec, ANNA, 3)
    submit(store, spec, BEN, 2)
    waiting = store.queue.waiting()
    assert [store.runs.get(run).position for run in waiting] == [1, 2, 3, 4, 5]  # type: ignore[union-attr]
    assert served(store, 5) == waiting


def test_a_dear_run_counts_for_what_it_costs(store: Store) -> None:
    dear, cheap = fake_spec(epochs=200), fake_spec(epochs=2)
    (long,) = submit(store, dear, ANNA)
    assert served(store, 1) == [long]
    (later,) = submit(store, cheap, ANNA)
    small = submit(store, cheap, BEN, 3)
    assert served(store, 4) == [*small, later]


def test_a_short_run_does_not_wait_for_the_dear_ones_of_others_who_came_just_before(store: Store) -> None:
    dear, cheap = fake_spec(epochs=400, architecture="resnet-110"), fake_spec(epochs=2)
    long = [*submit(store, dear, ANNA), *submit(store, dear, CARL)]
    (short,) = submit(store, cheap, BEN)
    assert served(store, 3) == [short, *long]


def test_who_had_much_comes_after_who_had_nothing_also_when_nothing_waited(store: Store, spec: RunSpec) -> None:
    submit(store, spec, ANNA, 5)
    served(store, 5)
    (again,) = submit(store, spec, ANNA)
    (first,) = submit(store, spec, BEN)
    assert served(store, 2) == [first, again]


def test_what_was_cancelled_before_it_began_is_not_held_against_one(store: Store, spec: RunSpec) -> None:
    for run in submit(store, spec, ANNA, 5):
        store.runs.cancel(run)
    (mine,), (other,) = submit(store, spec, ANNA), submit(store, spec, BEN, 1)
    assert served(store, 2) == [mine, other]


def test_nobody_starves_while_new_visitors_come_without_end(store: Store, spec: RunSpec) -> None:
    submit(store, spec, ANNA, 3)
    served(store, 1)
    second, third = store.queue.waiting()
    for index in range(500):
        submit(store, spec, Asker(f"visitor {index}", f"address {index}"))
        if served(store, 1) == [third]:
            break
    else:
        pytest.fail("it waits for ever")
    assert store.runs.state(second) == "running"


def test_tokens_without_number_get_no_more_turns_than_an_address_has(store: Store, spec: RunSpec) -> None:
    rules = limits()
    for index in range(40):
        submit(store, spec, Asker(f"token {index}", "one address"), 1, rules)
    honest = submit(store, spec, BEN, 3, rules)
    order = store.queue.waiting()
    assert [order.index(run) for run in honest] == sorted(order.index(run) for run in honest)
    assert order.index(honest[0]) < 10 and order.index(honest[2]) < 25


def test_a_study_stands_behind_single_runs_of_everybody(store: Store, spec: RunSpec) -> None:
    study = store.studies.launch(tiny(), by=ANNA)
    singles = submit(store, spec, BEN, 5)
    assert store.queue.waiting() == [*singles, *study.new_runs]


def test_studies_of_two_take_turns(store: Store) -> None:
    long = store.studies.launch(tiny(4, "all", "none"), by=ANNA).new_runs
    short = store.studies.launch(tiny(1, "batchnorm", "output"), by=BEN).new_runs
    order = store.queue.waiting()
    assert order.index(short[-1]) < 4 and set(order) == {*long, *short}


def test_one_may_reorder_among_ones_own_turns(store: Store, spec: RunSpec) -> None:
    mine = submit(store, spec, ANNA, 3)
    theirs = submit(store, spec, BEN, 2)
    before = store.queue.waiting()
    assert store.queue.reorder(mine[::-1]) == mine[::-1]
    after = store.queue.waiting()
    assert [after.index(run) for run in theirs] == [before.index(run) for run in theirs]
    assert [run for run in after if run in mine] == mine[::-1] and served(store, 5) == after
