"""Removing a run: out of sight, back on demand, gone for good after an hour, and never what a study needs."""

from __future__ import annotations

from core.run.spec import RunSpec
from core.studies.catalog.table import study_spec
from jobs.store.store import Store

SPEC = RunSpec.model_validate({"architecture": "resnet-14", "policy": "none", "dataset": "digits", "epochs": 1})


def ended(store: Store) -> str:
    run, _ = store.runs.submit(SPEC)
    store.runs.cancel(run.id)
    return run.id


def test_a_removed_run_is_out_of_sight_and_comes_back(store: Store) -> None:
    run_id = ended(store)
    assert store.runs.remove(run_id) is None and store.runs.remove(run_id) is None
    assert store.runs.get(run_id) is None and store.runs.many([run_id]) == {} and store.runs.find() == ([], 0)
    assert store.runs.bury(3600) == []
    restored = store.runs.restore(run_id)
    assert restored is not None and restored.id == run_id and store.runs.find()[1] == 1


def test_a_run_that_was_removed_long_ago_is_gone(store: Store) -> None:
    run_id, other = ended(store), ended(store)
    store.runs.remove(run_id)
    assert store.runs.bury(0) == [run_id]
    assert store.runs.restore(run_id) is None and store.runs.get(other) is not None and store.runs.log(run_id) == []


def test_what_goes_on_or_belongs_to_a_study_stays(store: Store) -> None:
    run, _ = store.runs.submit(SPEC)
    assert "queued; cancel it first" in (store.runs.remove(run.id) or "")
    store.runs.cancel(run.id)
    store.studies.launch(study_spec("gamma", "minutes"))
    member = store.queue.waiting()[0]
    store.runs.cancel(member)
    assert "study" in (store.runs.remove(member) or "")
