"""Runs that ask for a label are left to the workers that have it, and everything else of the queue still holds."""

from __future__ import annotations

import pytest

from core.run.spec import RunSpec
from jobs.label import MOST, read_labels
from jobs.lease import Identity
from jobs.settings import WorkerSettings
from jobs.store.store import Store
from jobs.store.workers import Fit
from tests.jobs.store.shares.support import ANNA, BEN, limits, submit
from tests.jobs.store.test_studies import tiny

GPU, A100 = Fit(labels=("gpu",)), Fit(labels=("a100", "gpu"))


def hello(store: Store, name: str, fit: Fit) -> None:
    store.workers.hello(Identity(name, "host", None, 1, None), 1, None, fit)


def asks(store: Store, spec: RunSpec, label: str | None) -> str:
    return store.runs.submit(spec, label=label)[0].id


def taken(store: Store, worker: str, fit: Fit) -> str | None:
    run = store.claims.take(worker, fit)
    return run.id if run else None


def test_labels_are_short_words() -> None:
    assert read_labels(" gpu, a100,gpu ,x_1-b,") == ("a100", "gpu", "x_1-b")
    assert read_labels("") == () == WorkerSettings(labels="").worker_labels
    assert WorkerSettings(labels="gpu,a100").labels == "a100,gpu"
    for wrong in ("GPU", "a b", "-a", "_a", "ü", "a" * 33, "a%", 'a"'):
        with pytest.raises(ValueError, match="is not a label: at most 32 lower-case letters"):
            read_labels(f"gpu,{wrong}")
    with pytest.raises(ValueError, match=f"at most {MOST} labels; got {MOST + 1}"):
        read_labels(",".join(f"a{number}" for number in range(MOST + 1)))


def test_a_run_with_a_label_is_left_to_a_worker_that_has_it(store: Store, spec: RunSpec) -> None:
    special, plain, other = asks(store, spec, "a100"), asks(store, spec, None), asks(store, spec, "gpu")
    assert store.queue.waiting() == [special, plain, other]
    assert store.queue.waiting(()) == [plain] and store.queue.waiting(("gpu",)) == [plain, other]
    assert taken(store, "cpu", Fit()) == plain
    assert taken(store, "cpu", Fit()) is None
    assert not store.claims.may_come("cpu") and store.claims.may_come("big", GPU)
    assert taken(store, "big", GPU) == other and taken(store, "big", GPU) is None
    assert taken(store, "bigger", A100) == special
    assert store.runs.get(special).label == "a100"


def test_letters_of_labels_are_compared_as_they_are(store: Store, spec: RunSpec) -> None:
    run = asks(store, spec, "a_1")
    for name, labels in (("one", ("ab1",)), ("two", ("a_12",)), ("three", ("xa_1",)), ("four", ("a", "_1"))):
        hello(store, name, Fit(labels=labels))
        assert taken(store, name, Fit(labels=labels)) is None
        assert store.runs.get(run).no_worker, name
    hello(store, "five", Fit(labels=("a", "a_1", "z")))
    assert not store.runs.get(run).no_worker
    assert taken(store, "five", Fit(labels=("a", "a_1", "z"))) == run


def test_why_a_run_waits_follows_the_workers(store: Store, spec: RunSpec) -> None:
    special, plain = asks(store, spec, "a100"), asks(store, spec, None)
    assert [store.runs.get(run).no_worker for run in (special, plain)] == [True, False]
    hello(store, "cpu", Fit())
    assert store.runs.get(special).no_worker
    hello(store, "big", A100)
    assert not store.runs.get(special).no_worker
    assert store.workers.alive()[1].labels == ("a100", "gpu") and store.workers.alive()[0].labels == ()
    hello(store, "big", Fit(trouble="It is ill.", labels=("a100",)))
    assert store.runs.get(special).no_worker
    hello(store, "big", A100)
    store.workers.bye(["big"])
    assert store.runs.get(special).no_worker
    assert taken(store, "late", A100) == special
    assert not store.runs.get(special).no_worker, "it waits no longer"


def test_turns_limits_and_the_mode_of_the_queue_still_hold(store: Store, spec: RunSpec) -> None:
    mine = [store.runs.submit(spec, by=ANNA, label="gpu")[0].id for _ in range(3)]
    (theirs,) = submit(store, spec, BEN)
    assert taken(store, "big", GPU) == mine[0]
    assert taken(store, "big", GPU) == theirs, "who has had the least is next"
    one = limits(running=1)
    assert store.claims.take("big", GPU, one) is None and not store.claims.may_come("big", GPU, one)
    store.switch.turn("paused")
    assert taken(store, "big", GPU) is None and not store.claims.may_come("big", GPU)
    store.switch.turn("drained")
    assert [taken(store, "big", GPU) for _ in range(3)] == [*mine[1:], None]


def test_a_run_keeps_its_label_when_it_comes_back(store: Store, spec: RunSpec) -> None:
    run_id = asks(store, spec, "gpu")
    run = store.claims.take("big", GPU)
    assert run is not None
    store.claims.release(run_id, run.attempt, "the worker stopped")
    assert taken(store, "cpu", Fit()) is None
    store.runs.cancel(run_id)
    assert store.runs.resume(run_id).label == "gpu"
    assert taken(store, "cpu", Fit()) is None and taken(store, "big", GPU) == run_id


def test_a_crash_waits_only_for_another_worker_with_the_label(store: Store, spec: RunSpec) -> None:
    run_id = asks(store, spec, "gpu")
    hello(store, "big", GPU)
    hello(store, "cpu", Fit())
    store.claims.take("big", GPU)
    store.claims.crash(run_id, 1, "It died.")
    assert taken(store, "big", GPU) == run_id, "the other worker could not take it"
    hello(store, "big too", GPU)
    store.claims.crash(run_id, 2, "It died.")
    assert taken(store, "big", GPU) is None and store.claims.may_come("big", GPU)


def test_images_are_looked_for_on_workers_with_the_label(store: Store, spec: RunSpec) -> None:
    run_id = asks(store, spec, "gpu")
    lacking = Fit(lacks=("digits",), labels=("gpu",))
    hello(store, "big", lacking)
    hello(store, "cpu", Fit())
    assert not store.workers.others_have("big", "digits", "gpu") and store.workers.others_have("big", "digits")
    hello(store, "big too", GPU)
    assert store.workers.others_have("big", "digits", "gpu")
    assert taken(store, "big", lacking) is None
    store.workers.bye(["big too"])
    assert taken(store, "big", lacking) == run_id, "nobody else could, so it says what is missing"


def test_a_study_asks_for_a_label_for_its_new_runs_also_later(store: Store) -> None:
    spec = tiny()
    joined = store.runs.submit(spec.members[0].spec, label="a100")[0].id
    study = store.studies.launch(spec, label="gpu")
    runs = store.studies.get(study.id).runs
    assert {run.label for run in runs} == {"gpu"} and joined not in {run.id for run in runs}
    again = store.studies.launch(spec, label="gpu")
    assert again.new_runs == (), "it joins runs that wait for the same label"
    free = store.studies.launch(spec)
    assert len(free.new_runs) == len(runs), "for a worker with a label it does not wait"
    for study_id in (free.id, again.id, study.id):
        for run_id in store.studies.cancel(study_id):
            store.runs.cancel(run_id)
    assert store.studies.get(study.id).state == "cancelled"
    store.studies.resume(study.id)
    assert {run.label for run in store.studies.get(study.id).runs} == {"gpu"}
