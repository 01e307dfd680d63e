"""What strangers cannot do to each other: to studies, to their cards, to files to start from."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from core.studies.catalog.table import study_spec
from jobs.quotas import Asker, Refused
from jobs.store import starts
from jobs.store.records import Batch
from jobs.store.runs import MissingStart
from jobs.store.starts import StartsFull
from jobs.store.store import Store
from tests.events import started
from tests.jobs.store.shares.support import ANNA, BEN, CARL, limits, submit
from tests.jobs.store.test_studies import tiny
from tests.jobs.support import fake_spec, in_threads


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


def test_only_runs_that_wait_or_run_hold_a_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "MAX_STARTS", 100)
    for index in range(5):
        digest = store.starts.keep(bytes([index]) * 20, by=ANNA)
        run, _ = store.runs.submit(fake_spec(start=digest), by=ANNA)
        store.runs.cancel(run.id)
    assert store.starts.keep(b"b" * 20, by=BEN), "hers give way, though they are fresh"
    for index in range(10, 13):
        by = Asker(f"visitor {index}")
        store.runs.submit(fake_spec(start=store.starts.keep(bytes([index]) * 20, by=by)), by=by)
    with pytest.raises(StartsFull, match="needed by runs or were just uploaded"):
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
    with pytest.raises(Refused, match="the limit for queued and running runs is 0 MB"):
        store.starts.keep(b"4" * 20, by=ANNA, limits=rules)
    assert store.starts.keep(b"4" * 20, by=BEN, limits=rules)
    whole = replace(rules, address_owners=1)
    with pytest.raises(Refused, match="from your network address"):
        store.starts.keep(b"5" * 20, by=Asker("new", ANNA.address), limits=whole)


def test_a_file_that_is_gone_is_said_and_nothing_is_queued(store: Store) -> None:
    with pytest.raises(MissingStart):
        store.runs.submit(fake_spec(start="0" * 64))
    assert store.queue.waiting() == []
