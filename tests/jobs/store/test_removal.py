"""Removing a run: out of sight, back on demand, gone for good after an hour, and never what a study needs."""

from __future__ import annotations

from core.run.spec import RunSpec
from core.studies.catalog import study_spec
from jobs.store.store import Store

SPEC = RunSpec.model_validate({"architecture": "resnet-14", "policy": "none", "dataset": "digits", "epochs": 1})


def ended(store: Store) -> str:
    run, _ = store.submit(SPEC)
    store.request_cancel(run.id)
    return run.id


def test_a_removed_run_is_out_of_sight_and_comes_back(store: Store) -> None:
    run_id = ended(store)
    assert store.remove(run_id) is None and store.remove(run_id) is None
    assert store.run(run_id) is None and store.many([run_id]) == {} and store.runs() == ([], 0)
    assert store.bury(3600) == []
    restored = store.restore(run_id)
    assert restored is not None and restored.id == run_id and store.runs()[1] == 1


def test_a_run_that_was_removed_long_ago_is_gone(store: Store) -> None:
    run_id, other = ended(store), ended(store)
    store.remove(run_id)
    assert store.bury(0) == [run_id]
    assert store.restore(run_id) is None and store.run(other) is not None and store.log(run_id) == []


def test_what_goes_on_or_belongs_to_a_study_stays(store: Store) -> None:
    run, _ = store.submit(SPEC)
    assert "queued; cancel it first" in (store.remove(run.id) or "")
    store.request_cancel(run.id)
    store.launch_study(study_spec("gamma", "minutes"))
    member = store.waiting()[0]
    store.request_cancel(member)
    assert "study" in (store.remove(member) or "")
