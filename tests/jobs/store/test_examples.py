"""The runs that come with the project: what lies in static/examples, and how it comes into a store."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.run.cost import counts
from jobs.store import submission as submitting
from jobs.store.database import open_database
from jobs.store.examples import FOLDER, NOBODY, BadExample, Shipped, names, shipped
from jobs.store.store import Store
from jobs.store.tables import EXAMPLES
from tests.jobs.support import fake_spec, in_threads

SHIPPED, NAMES = shipped(), names()


def test_the_four_policies_are_there_and_small() -> None:
    policies = [given.example.spec.policy for given in SHIPPED]
    assert policies == ["batchnorm", "random-2", "output", "all"]
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_500_000


@pytest.mark.parametrize("given", SHIPPED, ids=lambda given: given.name)
def test_a_file_tells_one_whole_run(given: Shipped) -> None:
    example, spec = given.example, given.example.spec
    started, result = example.started, example.result
    assert (started.spec_digest, started.resumed_from) == (spec.digest, None)
    assert started.counts == counts(spec.plan, spec.trains)
    assert len(started.layers) == len(spec.plan.norms)
    assert result.step == spec.total_steps == example.points[-1].step == example.snapshots[-1].step
    assert example.points[-1].top1 == result.top1
    tests = [point.step for point in example.points if point.split == "test"]
    assert tests == [epoch * spec.steps_per_epoch for epoch in range(spec.epochs + 1)]
    assert example.started_at < example.finished_at
    assert 0 <= example.finished_at - example.started_at - result.seconds < 60
    assert b'"digest":"' + result.digest.encode() in given.capsule.replace(b"\\", b"")


def test_they_differ_in_their_policy_alone() -> None:
    shown = [given.example.spec.model_dump(exclude={"name", "policy", "init"}) for given in SHIPPED]
    assert all(fields == shown[0] for fields in shown)


def test_a_store_that_took_them_in_has_all_of_it(store: Store) -> None:
    assert store.examples.unseen(NAMES) == set(NAMES)
    assert store.examples.take_in(SHIPPED) == NAMES
    runs = store.examples.all()
    assert [run.spec.policy for run in runs] == [given.example.spec.policy for given in SHIPPED]
    for run, given in zip(runs, SHIPPED, strict=True):
        example = given.example
        assert (run.state, run.result, run.started, run.spec) == (
            "finished",
            example.result,
            example.started,
            example.spec,
        )
        assert run.example is not None and run.example.shows == example.shows
        assert len(store.curves.points(run.id)) == len(example.points)
        assert store.curves.details(run.id) == list(example.snapshots)
        assert len(store.curves.speeds(run.id)) == len(example.speeds)
        assert store.results.findings(run.id) == example.findings
        assert store.results.capsule(run.id) == given.capsule
        assert run.finished_at == example.finished_at


def test_they_tell_nothing_of_this_machine_and_nobody_takes_or_owns_them(store: Store) -> None:
    store.examples.take_in(SHIPPED)
    health = store.tallies.health()
    assert (health.macs_per_s, health.queued, health.running) == (None, 0, 0)
    assert store.queue.backlog() == 0
    assert store.claims.take("worker") is None
    run = store.examples.all()[0]
    assert not any(store.runs.may_change(run.id, token) for token in (NOBODY, "x", submitting.new_token()))


def test_again_they_change_nothing(store: Store) -> None:
    assert store.examples.take_in(SHIPPED) == NAMES
    assert store.examples.unseen(NAMES) == set()
    assert store.examples.take_in(SHIPPED) == []
    assert store.runs.find()[1] == len(SHIPPED)


def test_what_was_deleted_stays_so(store: Store) -> None:
    store.examples.take_in(SHIPPED)
    for run in store.examples.all():
        assert store.runs.remove(run.id) is None
    assert store.examples.all() == []
    time.sleep(0.01)
    assert len(store.runs.bury(0)) == len(SHIPPED)
    assert store.examples.take_in(SHIPPED) == []
    assert store.runs.find()[1] == 0
    with store.database.reading() as connection:
        assert sorted(connection.scalars(sa.select(EXAMPLES.c.name))) == NAMES


def test_an_upgrade_brings_what_has_never_been_here_and_nothing_that_was_removed(store: Store) -> None:
    """A store with runs of its own, as an installation has it that an older version made."""
    store.runs.submit(fake_spec())
    assert store.examples.take_in(SHIPPED[:2]) == NAMES[:2]
    gone = store.examples.all()[0]
    assert store.runs.remove(gone.id) is None
    for buried in (False, True):
        if buried:
            time.sleep(0.01)
            assert store.runs.bury(0) == [gone.id]
        assert store.examples.take_in(SHIPPED[:3]) == ([] if buried else NAMES[2:3])
        assert [run.example.name for run in store.examples.all() if run.example] == NAMES[1:3]
    assert store.examples.unseen(NAMES) == set(NAMES[3:])
    assert store.runs.find()[1] == 3


def test_two_servers_that_start_at_once_take_them_in_once(store: Store) -> None:
    url = store.database.engine.url.render_as_string(hide_password=False)
    stores = [Store(open_database(url)) for _ in range(4)]
    took: list[list[str]] = []
    in_threads(4, lambda index: took.append(stores[index].examples.take_in(SHIPPED)))
    for other in stores:
        other.close()
    assert sorted(took) == [[], [], [], NAMES]
    assert store.runs.find()[1] == len(SHIPPED)


def test_a_failure_in_between_leaves_nothing_behind(store: Store) -> None:
    broken = [*SHIPPED[:1], replace(SHIPPED[1], name=SHIPPED[0].name)]
    with pytest.raises(sa.exc.IntegrityError):
        store.examples.take_in(broken)
    assert store.runs.find()[1] == 0
    assert store.examples.take_in(SHIPPED)


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    source = FOLDER / "1-batchnorm.json"
    fields = json.loads(source.read_bytes())
    (tmp_path / "a.json").write_text(json.dumps(fields))
    with pytest.raises(BadExample, match=r"cannot read .*a\.safetensors"):
        shipped(tmp_path)
    (tmp_path / "a.json").write_text(json.dumps({**fields, "machine": 3}))
    with pytest.raises(BadExample, match=r"a\.json: machine: "):
        shipped(tmp_path)
    assert shipped(tmp_path / "nowhere") == []
