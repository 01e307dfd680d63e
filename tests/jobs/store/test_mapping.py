"""Runs that this version's models refuse: they are named with the reason, and nothing else fails because of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from core.run.spec import RunSpec
from core.studies.catalog.table import study_spec
from jobs.store.mapping import UnreadableRun
from jobs.store.records import Run, Unreadable
from jobs.store.store import Store
from jobs.store.tables import RUNS, STUDIES
from jobs.store.tallies import Filters
from tests.jobs.support import fake_spec


def damage(store: Store, run_id: str, **columns: str) -> None:
    """Write what another version, or a disk that fails, may have left."""
    with store.database.writing() as connection:
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
    (good, _), (bad, token) = store.runs.submit(fake_spec("good")), store.runs.submit(fake_spec("bad"))
    damage(store, bad.id, **columns)
    listed, total = store.runs.listed()
    assert total == 2 and [type(run) for run in listed] == [Unreadable, Run]
    unreadable = listed[0]
    assert isinstance(unreadable, Unreadable)
    assert (unreadable.id, unreadable.name, unreadable.state) == (bad.id, "bad", "queued")
    assert reason in unreadable.reason
    assert store.runs.find()[0] == store.queue.first(5) == [store.runs.get(good.id)]
    assert list(store.runs.many([good.id, bad.id])) == [good.id]
    for look in (lambda: store.runs.get(bad.id), lambda: store.curves.delta(bad.id, 0, 0, 0)):
        with pytest.raises(UnreadableRun, match="cannot read the run"):
            look()
    with pytest.raises(UnreadableRun):
        store.runs.cancel(bad.id)
    assert store.runs.may_change(bad.id, token) and store.runs.remove(bad.id) is None, "it was cancelled all the same"
    assert store.runs.find()[1] == 1
    with pytest.raises(UnreadableRun):
        store.runs.restore(bad.id)
    assert store.runs.listed()[1] == 2


def test_the_queue_goes_on_behind_what_nobody_can_train(store: Store) -> None:
    (bad, _), (good, _) = store.runs.submit(fake_spec()), store.runs.submit(fake_spec())
    damage(store, bad.id, spec=with_field(fake_spec(), dataset="dreams"))
    claimed = store.claims.take("worker")
    assert claimed is not None and claimed.id == good.id
    with pytest.raises(UnreadableRun):
        store.runs.get(bad.id)
    listed, _ = store.runs.listed(Filters(states={"failed"}))
    assert [run.id for run in listed] == [bad.id]
    assert "cannot read" in store.runs.log(bad.id)[-1].message
    assert store.claims.take("worker") is None


def test_the_health_of_an_installation_needs_no_readable_run(store: Store) -> None:
    store.runs.submit(fake_spec())
    run = store.claims.take("worker")
    assert run is not None
    with store.database.writing() as connection:
        connection.execute(sa.update(RUNS).values(spec="{}", images_per_s=100.0))
    health = store.tallies.health()
    assert (health.running, health.macs_per_s) == (1, None)


def test_studies_go_on_without_the_runs_and_grids_that_cannot_be_read(store: Store) -> None:
    launched = store.studies.launch(study_spec("gamma", "minutes"))
    study = store.studies.get(launched.id)
    assert study is not None
    damage(store, study.runs[0].id, spec="{}")
    again = store.studies.get(launched.id)
    assert again is not None and [run.id for run in again.runs] == [run.id for run in study.runs[1:]]
    with store.database.writing() as connection:
        connection.execute(sa.update(STUDIES).values(spec="{}"))
    assert store.studies.get(launched.id) is None and store.studies.latest() == []
