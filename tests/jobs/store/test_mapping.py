"""Runs that this version's models refuse: they are named with the reason, and nothing else fails because of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from core.run.spec import RunSpec
from core.studies.catalog import study_spec
from jobs.store.mapping import UnreadableRun
from jobs.store.records import Run, Unreadable
from jobs.store.store import Store
from jobs.store.tables import RUNS, STUDIES
from tests.jobs.support import fake_spec


def damage(store: Store, run_id: str, **columns: str) -> None:
    """Write what another version, or a disk that fails, may have left."""
    with store.writing() as connection:
        connection.execute(sa.update(RUNS).where(RUNS.c.id == run_id).values(columns))


def with_field(spec: RunSpec, **fields: Any) -> str:
    return json.dumps({**json.loads(spec.model_dump_json()), **fields})


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"spec": with_field(fake_spec(), policy="telepathy")}, "policy"),
        ({"spec": with_field(fake_spec(), colour="red")}, "colour is not a field of a run"),
        ({"spec": '{"architecture": "resn'}, "invalid JSON"),
        ({"counts": "{}"}, "counts.total: Field required"),
        ({"started": "nonsense"}, "started: Invalid JSON"),
        ({"result": "[]"}, "result: "),
    ],
)
def test_a_list_names_what_it_cannot_read(store: Store, columns: dict[str, str], reason: str) -> None:
    (good, _), (bad, token) = store.submit(fake_spec("good")), store.submit(fake_spec("bad"))
    damage(store, bad.id, **columns)
    listed, total = store.listed()
    assert total == 2 and [type(run) for run in listed] == [Unreadable, Run]
    unreadable = listed[0]
    assert isinstance(unreadable, Unreadable)
    assert (unreadable.id, unreadable.name, unreadable.state) == (bad.id, "bad", "queued")
    assert reason in unreadable.reason
    assert store.runs()[0] == store.line(5) == [store.run(good.id)]
    assert list(store.many([good.id, bad.id])) == [good.id]
    for look in (lambda: store.run(bad.id), lambda: store.watch(bad.id, 0, 0, 0)):
        with pytest.raises(UnreadableRun, match="cannot read the run"):
            look()
    with pytest.raises(UnreadableRun):
        store.request_cancel(bad.id)
    assert store.owns(bad.id, token) and store.remove(bad.id) is None, "it was cancelled all the same"
    assert store.runs()[1] == 1
    with pytest.raises(UnreadableRun):
        store.restore(bad.id)
    assert store.listed()[1] == 2


def test_the_queue_goes_on_behind_what_nobody_can_train(store: Store) -> None:
    (bad, _), (good, _) = store.submit(fake_spec()), store.submit(fake_spec())
    damage(store, bad.id, spec=with_field(fake_spec(), dataset="dreams"))
    claimed = store.claim("worker")
    assert claimed is not None and claimed.id == good.id
    with pytest.raises(UnreadableRun):
        store.run(bad.id)
    listed, _ = store.listed(states={"failed"})
    assert [run.id for run in listed] == [bad.id]
    assert "cannot read" in store.log(bad.id)[-1].message
    assert store.claim("worker") is None


def test_the_health_of_an_installation_needs_no_readable_run(store: Store) -> None:
    store.submit(fake_spec())
    run = store.claim("worker")
    assert run is not None
    with store.writing() as connection:
        connection.execute(sa.update(RUNS).values(spec="{}", images_per_s=100.0))
    health = store.health()
    assert (health.running, health.macs_per_s) == (1, None)


def test_studies_go_on_without_the_runs_and_grids_that_cannot_be_read(store: Store) -> None:
    launched = store.launch_study(study_spec("gamma", "minutes"))
    study = store.study(launched.id)
    assert study is not None
    damage(store, study.runs[0].id, spec="{}")
    again = store.study(launched.id)
    assert again is not None and [run.id for run in again.runs] == [run.id for run in study.runs[1:]]
    with store.writing() as connection:
        connection.execute(sa.update(STUDIES).values(spec="{}"))
    assert store.study(launched.id) is None and store.latest_studies() == []
