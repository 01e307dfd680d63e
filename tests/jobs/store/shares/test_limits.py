"""Limits are checked in the transaction that writes, whatever way something is asked for."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from core.run.spec import RunSpec
from jobs.quotas import HOUR_S, Asker, Limits, Refused
from jobs.store.shares.tables import ASKED
from jobs.store.store import Store
from jobs.store.tables import RUNS
from tests.events import finished
from tests.jobs.store.shares.support import ANNA, BEN, limits, submit
from tests.jobs.store.test_studies import tiny
from tests.jobs.support import in_threads
from tests.jobs.worker.test_evaluations import asked, done_run


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
    assert "the limit is 40" in str(refused[0]) and refused[0].retry_s >= 1


def test_an_owners_share_leaves_that_of_others(store: Store, spec: RunSpec) -> None:
    rules = limits(waiting=3)
    submit(store, spec, ANNA, 3, rules)
    with pytest.raises(Refused, match="3 runs and studies of yours are waiting; the limit is 3"):
        submit(store, spec, ANNA, 1, rules)
    assert submit(store, spec, BEN, 3, rules)


def test_an_address_counts_as_some_owners_whatever_tokens_it_sends(store: Store, spec: RunSpec) -> None:
    rules = limits(waiting=3)
    for index in range(12):
        submit(store, spec, Asker(f"token {index}", "one address"), 1, rules)
    with pytest.raises(Refused, match="12 runs and studies from your network address are waiting; the limit is 12"):
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
        Refused, match=r"3 launches of yours were made within an hour; the limit is 3. Try again in 60 min"
    ):
        submit(store, spec, ANNA, 1, rules)
    with store.database.writing() as connection:  # an hour later but for twenty seconds
        connection.execute(sa.update(ASKED).values(at=ASKED.c.at - HOUR_S + 20))
    with pytest.raises(Refused, match=r"Try again in (1?\d|20) seconds") as caught:
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
    with pytest.raises(Refused, match="the limit is 2"):
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
        with pytest.raises(Refused, match="the limit is 2"):
            ask()
    for run in store.studies.cancel(study.id) or ():
        store.runs.cancel(run)
    submit(store, spec, ANNA, 1, rules)
    with pytest.raises(Refused, match="the limit is 2"):
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
    with pytest.raises(Refused, match=r"would take .* MB here; the limit is .* MB. Delete runs"):
        submit(store, spec, ANNA, 1, rules)
    with pytest.raises(Refused, match="would take"):
        store.studies.launch(tiny(), by=ANNA, limits=rules)
    store.runs.cancel(run)
    store.runs.remove(run)
    assert submit(store, spec, ANNA, 1, rules)


def test_evaluations_have_a_share(store: Store) -> None:
    run, rules = done_run(store), limits(evaluations=2)
    for what in (0.1, 0.2):
        store.evaluations.submit(run, asked(what), by=ANNA, limits=rules)
    store.evaluations.submit(run, asked(0.1), by=ANNA, limits=rules)  # the same again costs nothing
    with pytest.raises(Refused, match="2 evaluations of yours are waiting; the limit is 2"):
        store.evaluations.submit(run, asked(0.3), by=ANNA, limits=rules)
    assert store.evaluations.submit(run, asked(0.3), by=BEN, limits=rules)[1]


def test_a_run_that_may_not_begin_yet_waits_and_others_pass(store: Store, spec: RunSpec) -> None:
    rules = limits(running=1)
    first, second = submit(store, spec, ANNA, 2)
    (other,) = submit(store, spec, BEN)
    taken = [store.claims.take("worker", limits=rules) for _ in range(3)]
    assert [run.id if run else None for run in taken] == [first, other, None]
    assert store.queue.waiting() == [second]
    assert store.claims.finish(first, 1, finished(spec))
    last = store.claims.take("worker", limits=rules)
    assert last and last.id == second


def test_workers_at_once_start_no_more_than_may_run(store: Store, spec: RunSpec) -> None:
    rules = limits(running=2)
    submit(store, spec, ANNA, 12)
    in_threads(8, lambda index: store.claims.take(f"worker {index}", limits=rules))
    assert len(store.claims.held()) == 2
