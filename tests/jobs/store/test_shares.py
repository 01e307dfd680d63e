"""Fair shares in the store: limits in the transaction that writes, turns, and what strangers cannot do to each other."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from core.run.spec import RunSpec
from core.studies.catalog.table import study_spec
from jobs.quotas import HOUR_S, Asker, Limits, Refused, Share
from jobs.store import starts
from jobs.store.records import Batch
from jobs.store.runs import MissingStart
from jobs.store.starts import StartsFull
from jobs.store.store import Store
from jobs.store.tables import ASKED, RUNS
from tests.events import finished, started
from tests.jobs.store.test_studies import tiny
from tests.jobs.support import fake_spec, in_threads
from tests.jobs.worker.test_evaluations import asked, done_run

ANNA, BEN, CARL = (Asker(name, f"address of {name}") for name in ("anna", "ben", "carl"))


def limits(**share: Any) -> Limits:
    return Limits(max_queued=1000, owner=Share(**share), address_owners=4)


def submit(store: Store, spec: RunSpec, by: Asker, number: int = 1, rules: Limits = Limits()) -> list[str]:  # noqa: B008
    return [store.runs.submit(spec, by=by, limits=rules)[0].id for _ in range(number)]


def served(store: Store, number: int) -> list[str]:
    return [run.id for _ in range(number) if (run := store.claims.take("worker"))]


# -- limits ----------------------------------------------------------------------------------------------------


def test_thirty_threads_get_no_more_than_may_wait(store: Store, spec: RunSpec) -> None:
    refused: list[Refused] = []

    def work(_: int) -> None:
        for _ in range(3):
            try:
                store.runs.submit(spec, limits=Limits(max_queued=40))
            except Refused as error:
                refused.append(error)

    in_threads(30, work)
    assert len(store.queue.waiting()) == 40 and len(refused) == 50
    assert "at most 40 may" in str(refused[0]) and refused[0].retry_s >= 1


def test_an_owners_share_leaves_that_of_others(store: Store, spec: RunSpec) -> None:
    rules = limits(waiting=3)
    submit(store, spec, ANNA, 3, rules)
    with pytest.raises(Refused, match="3 runs and studies of yours are waiting, and at most 3 may"):
        submit(store, spec, ANNA, 1, rules)
    assert submit(store, spec, BEN, 3, rules)


def test_an_address_counts_as_some_owners_whatever_tokens_it_sends(store: Store, spec: RunSpec) -> None:
    rules = limits(waiting=3)
    for index in range(12):
        submit(store, spec, Asker(f"token {index}", "one address"), 1, rules)
    with pytest.raises(Refused, match="12 runs and studies from your network address are waiting, and at most 12 may"):
        submit(store, spec, Asker("token 13", "one address"), 1, rules)
    assert submit(store, spec, Asker("token 14", "another address"), 1, rules)


def test_within_an_hour_also_what_is_gone_counts(store: Store, spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = limits(hourly=3)
    for _ in range(3):
        (run,) = submit(store, spec, ANNA, 1, rules)
        store.runs.cancel(run)
        store.runs.remove(run)
    store.runs.bury(0.0)
    with pytest.raises(
        Refused, match=r"3 launches of yours came within an hour, and at most 3 may. Try again in 60 min"
    ):
        submit(store, spec, ANNA, 1, rules)
    with store.database.writing() as connection:  # an hour later but for twenty seconds
        connection.execute(sa.update(ASKED).values(at=ASKED.c.at - HOUR_S + 20))
    with pytest.raises(Refused, match="Try again in (19|20) seconds") as caught:
        submit(store, spec, ANNA, 1, rules)
    assert 1 <= caught.value.retry_s <= 20
    with store.database.writing() as connection:
        connection.execute(sa.update(ASKED).values(at=ASKED.c.at - 21))
    assert submit(store, spec, ANNA, 1, rules)
    with store.database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(ASKED)) == 1, "older ones are forgotten"


def test_cancel_and_resume_is_no_way_around(store: Store, spec: RunSpec) -> None:
    rules = limits(waiting=2)
    cancelled = []
    for _ in range(3):
        (run,) = submit(store, spec, ANNA, 1, rules)
        store.runs.cancel(run)
        cancelled.append(run)
    for run in cancelled[:2]:
        assert store.runs.resume(run, by=ANNA, limits=rules)
    with pytest.raises(Refused, match="at most 2 may"):
        store.runs.resume(cancelled[2], by=ANNA, limits=rules)
    assert len(store.queue.waiting()) == 2 and store.runs.state(cancelled[2]) == "cancelled"
    whole = Limits(max_queued=2)
    with pytest.raises(Refused, match="The queue is full"):
        store.runs.resume(cancelled[2], by=BEN, limits=whole)


def test_studies_and_their_resumption_take_a_place_each(store: Store, spec: RunSpec) -> None:
    rules = limits(waiting=2)
    study = store.studies.launch(tiny(), by=ANNA, limits=rules)
    submit(store, spec, ANNA, 1, rules)
    for ask in (
        lambda: store.studies.launch(tiny(3), by=ANNA, limits=rules),
        lambda: store.runs.submit(spec, by=ANNA, limits=rules),
    ):
        with pytest.raises(Refused, match="at most 2 may"):
            ask()
    for run in store.studies.cancel(study.id) or ():
        store.runs.cancel(run)
    submit(store, spec, ANNA, 1, rules)
    with pytest.raises(Refused, match="at most 2 may"):
        store.studies.resume(study.id, by=ANNA, limits=rules)
    after = store.studies.get(study.id)
    assert after and after.state == "cancelled", "what is refused changes nothing"


def test_runs_that_a_study_has_replaced_count_as_single_ones(store: Store) -> None:
    """Else each turn of cancelling and resuming a study would leave more runs that nobody counts."""
    study = store.studies.launch(tiny(), by=ANNA)
    old = store.studies.cancel(study.id) or []
    for run in old:
        store.runs.cancel(run)
    store.studies.resume(study.id, by=ANNA)
    rules = limits(waiting=3)
    for run in old[:2]:
        assert store.runs.resume(run, by=ANNA, limits=rules)
    with pytest.raises(Refused, match="3 runs and studies of yours are waiting"):
        store.runs.resume(old[2], by=ANNA, limits=rules)


def test_what_is_kept_has_a_limit(store: Store, spec: RunSpec) -> None:
    (run,) = submit(store, spec, ANNA)
    with store.database.reading() as connection:
        expected = connection.scalar(sa.select(RUNS.c.disk_bytes).where(RUNS.c.id == run))
    assert expected and expected > 0
    rules = limits(kept=expected * 2 + 10)
    submit(store, spec, ANNA, 1, rules)
    with pytest.raises(Refused, match="would keep .* MB here, and at most .* MB may be kept. Remove runs"):
        submit(store, spec, ANNA, 1, rules)
    with pytest.raises(Refused, match="would keep"):
        store.studies.launch(tiny(), by=ANNA, limits=rules)
    store.runs.cancel(run)
    store.runs.remove(run)
    assert submit(store, spec, ANNA, 1, rules)


def test_evaluations_have_a_share(store: Store) -> None:
    run, rules = done_run(store), limits(evaluations=2)
    for what in (0.1, 0.2):
        store.evaluations.submit(run, asked(what), by=ANNA, limits=rules)
    store.evaluations.submit(run, asked(0.1), by=ANNA, limits=rules)  # the same again costs nothing
    with pytest.raises(Refused, match="2 evaluations of yours are waiting, and at most 2 may"):
        store.evaluations.submit(run, asked(0.3), by=ANNA, limits=rules)
    assert store.evaluations.submit(run, asked(0.3), by=BEN, limits=rules)[1]


def test_a_run_that_may_not_begin_yet_waits_and_others_pass(store: Store, spec: RunSpec) -> None:
    rules = limits(running=1)
    first, second = submit(store, spec, ANNA, 2)
    (other,) = submit(store, spec, BEN)
    taken = [store.claims.take("worker", rules) for _ in range(3)]
    assert [run.id if run else None for run in taken] == [first, other, None]
    assert store.queue.waiting() == [second]
    assert store.claims.finish(first, 1, finished(spec))
    last = store.claims.take("worker", rules)
    assert last and last.id == second


def test_workers_at_once_start_no_more_than_may_run(store: Store, spec: RunSpec) -> None:
    rules = limits(running=2)
    submit(store, spec, ANNA, 12)
    in_threads(8, lambda index: store.claims.take(f"worker {index}", rules))
    assert len(store.claims.held()) == 2


# -- turns -----------------------------------------------------------------------------------------------------


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
    small = submit(store, cheap, BEN, 3)
    (later,) = submit(store, cheap, ANNA)
    assert served(store, 5) == [long, *small, later]


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
    for index in range(200):
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


# -- studies and strangers -------------------------------------------------------------------------------------


def test_a_run_that_a_strangers_study_needs_goes_over_to_it(store: Store) -> None:
    members = study_spec("gamma", "minutes").members
    before = [store.runs.submit(member.spec, by=ANNA) for member in members]
    study = store.studies.launch(study_spec("gamma", "minutes"), by=BEN)
    assert study.new_runs == () and study.token
    running = store.claims.take("worker")
    assert running
    for run, token in before:
        assert store.runs.may_change(run.id, token)
        store.runs.cancel(run.id)
        assert not store.runs.may_change(run.id, token) and store.runs.may_change(run.id, study.token)
    now = store.studies.get(study.id)
    assert now and now.state == "running"
    assert {run.state for run in now.runs} == {"queued", "running"} and not any(
        run.cancel_requested for run in now.runs
    )
    (single,) = submit(store, fake_spec(), CARL)
    assert store.queue.waiting()[0] == single, "they are runs of a study now"
    assert store.claims.record(running.id, 1, Batch(started=started(running.spec))) == "ok"


def test_whoever_launched_the_study_can_still_cancel_all_of_it(store: Store) -> None:
    members = tiny().members
    mine = [store.runs.submit(member.spec, by=ANNA)[0].id for member in members]
    study = store.studies.launch(tiny(), by=BEN)
    for run in mine:
        store.runs.cancel(run)
    for run in store.studies.cancel(study.id) or ():
        store.runs.cancel(run)
    now = store.studies.get(study.id)
    assert now and {run.state for run in now.runs} == {"cancelled"}


def test_no_run_is_cancelled_while_a_study_joins_it(store: Store) -> None:
    """Whatever comes first: the study's runs wait or run."""
    for _ in range(5):
        runs = [store.runs.submit(member.spec)[0].id for member in tiny().members]
        launched: list[str] = []
        barrier = threading.Barrier(2)

        def work(index: int, runs: list[str] = runs, launched: list[str] = launched, barrier: Any = barrier) -> None:
            barrier.wait()
            if index:
                launched.append(store.studies.launch(tiny()).id)
            else:
                for run in runs:
                    store.runs.cancel(run)

        in_threads(2, work)
        study = store.studies.get(launched[0])
        assert study and {run.state for run in study.runs} == {"queued"}
        for run in store.studies.cancel(study.id) or ():
            store.runs.cancel(run)


def test_a_cancelled_copy_hides_no_study_that_goes_on(store: Store) -> None:
    victim = store.studies.launch(tiny(), by=ANNA)
    copy = store.studies.launch(tiny(), by=BEN)
    store.studies.cancel(copy.id)
    assert [study.id for study in store.studies.latest()] == [victim.id]
    store.studies.cancel(victim.id)
    assert [study.id for study in store.studies.latest()] == [copy.id], "where all are cancelled, the newest"


def test_a_copy_whose_runs_were_cancelled_one_by_one_hides_it_neither(store: Store) -> None:
    victim = store.studies.launch(tiny(), by=ANNA)
    copy = store.studies.launch(tiny(3), by=BEN)
    for run in copy.new_runs:
        store.runs.cancel(run)
    assert [study.id for study in store.studies.latest()] == [victim.id]


# -- files to start from ---------------------------------------------------------------------------------------


def test_only_runs_that_wait_or_run_hold_a_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "MAX_STARTS", 100)
    for index in range(5):
        digest = store.starts.keep(bytes([index]) * 20, by=ANNA)
        run, _ = store.runs.submit(fake_spec(start=digest), by=ANNA)
        store.runs.cancel(run.id)
    assert store.starts.keep(b"b" * 20, by=BEN), "hers give way, though they are fresh"
    for index in range(10, 14):
        store.runs.submit(fake_spec(start=store.starts.keep(bytes([index]) * 20, by=CARL)), by=CARL)
    with pytest.raises(StartsFull, match="runs need all of them"):
        store.starts.keep(b"c" * 20, by=CARL)


def test_who_has_less_does_not_lose_a_fresh_file_to_who_has_more(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "MAX_STARTS", 100)
    mine = store.starts.keep(b"m" * 20, by=BEN)
    for index in range(20):
        store.starts.keep(bytes([index]) * 20, by=ANNA)
    assert store.starts.has(mine)


def test_uploads_have_a_share(store: Store) -> None:
    rules = limits(uploads=50)
    first = store.starts.keep(b"1" * 20, by=ANNA, limits=rules)
    second = store.starts.keep(b"2" * 20, by=ANNA, limits=rules)
    store.runs.submit(fake_spec(start=second), by=ANNA)
    third = store.starts.keep(b"3" * 20, by=ANNA, limits=rules)
    assert not store.starts.has(first) and store.starts.has(second)
    store.runs.submit(fake_spec(start=third), by=ANNA)
    with pytest.raises(Refused, match="at most 0 MB may be needed by runs"):
        store.starts.keep(b"4" * 20, by=ANNA, limits=rules)
    assert store.starts.keep(b"4" * 20, by=BEN, limits=rules)
    whole = replace(rules, address_owners=1)
    with pytest.raises(Refused, match="from your network address"):
        store.starts.keep(b"5" * 20, by=Asker("new", ANNA.address), limits=whole)


def test_a_file_that_is_gone_is_said_and_nothing_is_queued(store: Store) -> None:
    with pytest.raises(MissingStart):
        store.runs.submit(fake_spec(start="0" * 64))
    assert store.queue.waiting() == []
