"""Runs that a browser trained in the store, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from core.run.capsule import checked
from core.run.tab import read_record
from core.studies.spec import Axis, StudySpec
from jobs.quotas import Asker, Cap, Limits, TooExpensive
from jobs.store import starts
from jobs.store.records import Batch
from jobs.store.runs import MissingStart
from jobs.store.store import Store
from jobs.store.tables import RUNS
from jobs.store.tabs.tabs import FromTab
from tests.events import finished, started
from tests.tabs import SPEC, Sent, made_up

SENT = made_up()


def training(sent: Sent = SENT) -> FromTab:
    capsule = checked(sent.capsule)
    return FromTab(capsule.spec, sent.digest, capsule.result, read_record(sent.body, capsule.spec, capsule.result))


def kept(store: Store, sent: Sent = SENT) -> str:
    """The id of the run of `sent`, which waits."""
    store.starts.keep(sent.capsule)
    return store.tabs.submit(training(sent))[0].id


def test_a_run_knows_what_its_browser_said_and_where_its_capsule_is(store: Store) -> None:
    with pytest.raises(MissingStart):
        store.tabs.submit(training())
    assert store.runs.find() == ([], 0), "a refused one leaves nothing"
    run_id = kept(store)
    run = store.runs.get(run_id)
    assert run and run.claimed == training().result and run.state == "queued" and run.result is None
    assert store.tabs.capsule(run_id) == SENT.capsule and store.tabs.capsule("nothing") is None
    other, _ = store.runs.submit(SPEC)
    assert other.claimed is None and store.tabs.capsule(other.id) is None


def test_a_capsule_has_one_run_unless_another_could_end_otherwise(store: Store) -> None:
    first = kept(store)
    assert kept(store) == first
    store.runs.cancel(first)
    second = kept(store)
    assert second != first
    claimed = store.claims.take("worker")
    assert claimed and claimed.id == second
    store.claims.fail(second, 1, "unverified", "Not verified.")
    assert kept(store) == second
    store.runs.remove(second)
    third = kept(store)
    assert third not in (first, second)
    assert store.claims.take("worker") and store.claims.fail(third, 1, "storage", "The disk is full.")
    assert kept(store) != third


def test_its_curves_stay_when_it_is_verified_and_again(store: Store) -> None:
    run_id = kept(store)
    before = store.curves.points(run_id)
    for attempt in (1, 2):
        assert store.claims.take("worker")
        said = started(SPEC, attempt, resumed_from=SPEC.total_steps).model_copy(update={"verifies": True})
        assert store.claims.record(run_id, attempt, Batch(started=said)) == "ok"
        if attempt == 1:
            store.claims.release(run_id, 1, "The worker was stopped.")
    assert store.curves.points(run_id) == before and len(store.curves.snapshots(run_id)) == 2
    run = store.runs.get(run_id)
    assert run and run.checkpoint_step is None and run.step == SPEC.total_steps
    told = [row.message for row in store.runs.log(run_id) if row.kind == "started"]
    assert len(told) == 2 and told[0].startswith("Drawing its frozen weights again and testing it on cpu")


def test_it_says_nothing_of_this_servers_speed(store: Store) -> None:
    run_id = kept(store)
    here, _ = store.runs.submit(SPEC)
    for _ in range(2):
        run = store.claims.take("worker")
        assert run and store.claims.finish(run.id, 1, finished(SPEC))
    with store.database.reading() as connection:
        speeds = dict(connection.execute(sa.select(RUNS.c.id, RUNS.c.macs_per_s)).all())
    assert speeds[run_id] is None and speeds[here.id] > 0


def test_it_is_no_replicate_of_a_study(store: Store) -> None:
    study = StudySpec(
        study="random-k",
        scale="minutes",
        base=SPEC.model_dump(include={"architecture", "dataset", "epochs", "train_examples"}),
        axes=(Axis(field="policy", values=("batchnorm",)),),
        replicates=1,
    )
    assert [member.digest for member in study.members] == [SPEC.digest]
    run_id = kept(store)
    launched = store.studies.launch(study)
    assert len(launched.new_runs) == 1
    found = store.studies.get(launched.id)
    assert found and [run.id for run in found.runs] == list(launched.new_runs) and run_id not in launched.new_runs


def test_its_capsule_stays_until_it_is_verified(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = kept(store)
    monkeypatch.setattr(starts, "MAX_STARTS", len(SENT.capsule) + 10)
    monkeypatch.setattr(starts, "UNUSED_FOR_S", 0.0)
    with pytest.raises(starts.StartsFull):
        store.starts.keep(b"a file of somebody else")
    assert store.claims.take("worker") and store.claims.finish(run_id, 1, finished(SPEC))
    store.starts.keep(b"a file of somebody else")
    assert store.tabs.capsule(run_id) is None


def test_the_price_is_that_of_the_verification_also_of_another_try(store: Store) -> None:
    run_id = kept(store)
    store.runs.cancel(run_id)
    by = Asker("somebody", "somewhere")
    few = Limits(cap=Cap(processor_s=0.1))
    with pytest.raises(TooExpensive, match="To verify this training would take"):
        store.runs.resume(run_id, by=by, limits=few)
    with pytest.raises(TooExpensive, match="To verify this training would take"):
        store.tabs.submit(replace(training(), capsule="0" * 64), by=by, limits=few)
    assert store.runs.resume(run_id, by=by, limits=Limits(cap=Cap(processor_s=60)))
