"""Submitting, listing, cancelling and reading curves, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from core.run.cost import keeps_snapshot, run_macs
from core.run.events import BINS, QUANTILES, Checkpointed, Distribution, Point, Progress, Snapshot, Warned
from core.run.spec import RunSpec
from jobs.store.records import Batch, Run
from jobs.store.store import Store
from jobs.store.tallies import Filters
from jobs.worker.inbox import Inbox
from tests.events import finished, started
from tests.jobs.support import fake_spec


def train_point(step: int, loss: float = 1.0) -> Point:
    return Point(step=step, epoch=step / 10, split="train", loss=loss, top1=0.2, lr=0.1)


def test_point(step: int, top1: float) -> Point:
    return Point(step=step, epoch=step / 10, split="test", loss=2.0, top1=top1, top5=0.5)


test_point.__test__ = False


def snapshot(step: int) -> Snapshot:
    counts = ((step, *[1] * (BINS + 1)), (1, *[2] * (BINS + 1)))
    both = Distribution(counts=counts, quantiles=((0.5,) * len(QUANTILES),) * 2)
    return Snapshot(step=step, epoch=step / 10, gamma=both, beta=both, disabled=(step, 3))


def claimed(store: Store, spec: RunSpec) -> Run:
    store.runs.submit(spec)
    run = store.claims.take("worker")
    assert run is not None
    return run


def test_a_submitted_run_can_be_read_back(store: Store) -> None:
    spec = fake_spec("γ at depth 14", recipe={"lr": 0.05})
    run, _ = store.runs.submit(spec)
    assert len(run.id) >= 12
    assert run.id.isalnum()
    assert store.runs.get(run.id) == run
    assert (run.spec, run.state, run.attempt, run.position) == (spec, "queued", 0, 1)
    assert (run.step, run.total_steps, run.counts.trainable) == (0, 24, 1120)
    assert [row.kind for row in store.runs.log(run.id)] == ["submitted"]
    assert store.runs.get("nothing") is None


def test_only_the_token_of_a_run_opens_it(store: Store, spec: RunSpec) -> None:
    (one, token), (_, other_token) = store.runs.submit(spec), store.runs.submit(spec)
    assert store.runs.may_change(one.id, token)
    assert not store.runs.may_change(one.id, other_token)
    assert not store.runs.may_change("nothing", token)
    assert not store.runs.may_change(one.id, "")
    again, kept = store.runs.submit(spec, owner_token=token)
    assert kept == token
    assert store.runs.may_change(again.id, token)


def test_runs_are_claimed_in_the_order_of_their_submission(store: Store, spec: RunSpec) -> None:
    ids = [store.runs.submit(spec)[0].id for _ in range(3)]
    assert [store.runs.get(i).position for i in ids] == [1, 2, 3]
    assert store.queue.waiting() == ids
    assert [store.claims.take("w").id for _ in ids] == ids
    assert store.claims.take("w") is None
    run = store.runs.get(ids[0])
    assert run is not None
    assert (run.state, run.attempt, run.worker, run.position) == ("running", 1, "w", None)
    assert run.started_at is not None


def test_what_the_trainer_says_appears_in_the_run(store: Store, spec: RunSpec) -> None:
    run = claimed(store, spec)
    progress = Progress(step=3, total_steps=24, tested=0.25, images_per_s=50, elapsed_s=4, eta_s=9)
    checkpoint = Checkpointed(step=2, file="f", sha256="0", size_bytes=1)
    batch = Batch((test_point(0, 0.1), train_point(2)), (snapshot(0),), progress, started(fake_spec()), checkpoint)
    assert store.claims.record(run.id, 1, batch) == "ok"
    now = store.runs.get(run.id)
    assert now is not None
    assert (now.step, now.tested, now.images_per_s, now.elapsed_s, now.eta_s) == (3, 0.25, 50, 4, 9)
    assert (now.checkpoint_step, now.top1) == (2, 0.1)
    assert now.started == started(fake_spec())
    assert store.claims.finish(run.id, 1, finished(fake_spec(), 0.9))
    now = store.runs.get(run.id)
    assert now is not None
    assert (now.state, now.top1, now.result, now.eta_s) == ("finished", 0.9, finished(fake_spec(), 0.9), None)
    assert now.finished_at is not None
    assert [row.kind for row in store.runs.log(run.id)] == ["submitted", "claimed", "started", "checkpoint", "finished"]


def test_points_come_once_and_in_order(store: Store, spec: RunSpec) -> None:
    run = claimed(store, spec)
    store.claims.record(run.id, 1, Batch((test_point(0, 0.1), train_point(1, 3.0), train_point(2))))
    store.claims.record(run.id, 1, Batch((test_point(0, 0.1), train_point(1, 3.0), train_point(2), train_point(3))))
    points = store.curves.points(run.id)
    assert [(p.split, p.step) for p in points] == [("test", 0), ("train", 1), ("train", 2), ("train", 3)]
    assert (points[1].loss, points[1].top1, points[1].lr, points[0].lr) == (3.0, 0.2, 0.1, None)
    assert (points[0].top5, points[1].top5) == (0.5, None)
    delta = store.curves.delta(run.id, 0, 0, 0)
    assert delta and [point for _, point in delta.points] == points
    later = store.curves.delta(run.id, delta.points[2][0], 0, 0)
    assert later and later.points == delta.points[3:]
    assert list(store.curves.pages(run.id, size=3)) == [points[:3], points[3:]]
    assert store.curves.tests(run.id) == points[:1]
    other = claimed(store, spec)
    store.claims.record(other.id, 1, Batch((train_point(1),)))
    assert len(store.curves.points(other.id)) == 1
    assert store.curves.points("nothing") == []


def test_snapshots_are_summed_for_polls_and_whole_on_demand(store: Store, spec: RunSpec) -> None:
    run = claimed(store, spec)
    store.claims.record(run.id, 1, Batch(snapshots=(snapshot(0), snapshot(12))))
    first, last = store.curves.snapshots(run.id)
    assert (last.step, last.gamma, last.disabled) == (12, [13, *[3] * (BINS + 1)], [12, 3])
    assert [s.step for s in store.curves.snapshots(run.id, after=first.id)] == [12]
    assert store.curves.details(run.id) == [snapshot(0), snapshot(12)]
    assert store.curves.details(run.id, steps=[12]) == [snapshot(12)]


def test_a_run_keeps_the_same_snapshots_whether_or_not_it_was_resumed(store: Store) -> None:
    spec = fake_spec(epochs=400)
    steps = range(0, spec.total_steps + 1, 4)
    kept = [step for step in steps if keeps_snapshot(spec, step)]
    assert 100 < len(kept) <= 300 < len(steps)
    straight, resumed = claimed(store, spec), claimed(store, spec)
    for run in (straight, resumed):
        for first in range(0, len(steps) // 2, 50):
            store.claims.record(run.id, 1, Batch(snapshots=tuple(map(snapshot, steps[first : first + 50]))))
    newest = store.curves.snapshots(straight.id)[-1]
    assert newest.step not in kept  # the newest can be watched although it will not stay
    for first, run in ((len(steps) // 2 // 50 * 50, straight), (0, resumed)):
        store.claims.record(run.id, 1, Batch(snapshots=tuple(map(snapshot, steps[first:]))))
        assert [s.step for s in store.curves.snapshots(run.id)] == kept
        assert store.curves.snapshots(run.id)[-1].id > newest.id


def test_a_resumed_run_shows_where_it_is_and_not_where_it_was(store: Store, spec: RunSpec) -> None:
    run = claimed(store, spec)
    progress = Progress(step=9, total_steps=24, tested=0.25, images_per_s=50, elapsed_s=4, eta_s=9)
    store.claims.record(run.id, 1, Batch((train_point(8),), progress=progress, started=started(fake_spec())))
    store.claims.crash(run.id, 1, "It fell over.")
    waiting = store.runs.get(run.id)
    assert waiting is not None
    assert (waiting.state, waiting.tested, waiting.images_per_s, waiting.eta_s) == ("queued", None, None, None)
    assert (waiting.worker, waiting.position) == (None, 1)
    again = store.claims.take("other")
    assert again is not None
    assert again.attempt == 2
    store.claims.record(run.id, 2, Batch(started=started(fake_spec(), resumed_from=6)))
    store.claims.record(run.id, 2, Batch((train_point(2), train_point(4))))  # the curves so far, told again
    now = store.runs.get(run.id)
    assert now is not None
    assert (now.step, now.checkpoint_step) == (6, 6)
    assert store.runs.log(run.id)[-1].message.startswith("Resumed from step 6 on cpu")


def test_of_checkpoints_the_log_tells_the_newest(store: Store, spec: RunSpec) -> None:
    run = claimed(store, spec)
    for step in (1, 2, 3):
        store.claims.record(run.id, 1, Batch(checkpointed=Checkpointed(step=step, file="f", sha256="0", size_bytes=1)))
    rows = store.runs.log(run.id)
    assert [row.message for row in rows if row.kind == "checkpoint"] == ["Checkpoint at step 3."]
    assert store.runs.log(run.id, after=rows[1].id) == rows[2:]


def test_the_log_tells_what_a_trainer_warns_of(store: Store, spec: RunSpec) -> None:
    run = claimed(store, spec)
    inbox = Inbox()
    inbox.take(Warned(step=7, message="The data is the bottleneck.").model_dump_json().encode())
    store.claims.record(run.id, 1, inbox.batch())
    inbox.clear()
    store.claims.record(run.id, 1, inbox.batch())
    assert [(row.kind, row.message) for row in store.runs.log(run.id)][2:] == [
        ("warning", "The data is the bottleneck.")
    ]


def test_cancelling(store: Store, spec: RunSpec) -> None:
    waiting, _ = store.runs.submit(spec)
    assert store.runs.cancel(waiting.id).state == "cancelled"
    running = claimed(store, spec)
    asked = store.runs.cancel(running.id)
    assert asked is not None
    assert (asked.state, asked.cancel_requested) == ("running", True)
    assert store.claims.record(running.id, 1, Batch((train_point(1),))) == "cancel"
    assert store.claims.cancel(running.id, 1)
    assert store.runs.get(running.id).state == "cancelled"
    assert len(store.curves.points(running.id)) == 1  # the partial curve stays
    assert store.runs.cancel(running.id).state == "cancelled"
    assert store.runs.cancel("nothing") is None
    done = claimed(store, spec)
    store.claims.finish(done.id, 1, finished(fake_spec()))
    assert store.runs.cancel(done.id).state == "finished"
    assert not store.runs.get(done.id).cancel_requested


@pytest.mark.parametrize("way", ["crash", "release", "lose"])
def test_a_run_that_was_cancelled_does_not_run_again(store: Store, spec: RunSpec, way: str) -> None:
    run = claimed(store, spec)
    store.runs.cancel(run.id)
    if way == "lose":
        assert store.claims.lose(store.claims.held()[0], "Its worker is gone.") == "cancelled"
    else:
        assert getattr(store.claims, way)(run.id, 1, "It ended.") == "cancelled"
    assert store.claims.take("w") is None
    assert store.runs.get(run.id).finished_at is not None


def test_a_list_filters_sorts_and_pages(store: Store) -> None:
    names = {
        "depth_100": {"policy": "batchnorm", "architecture": "resnet-20"},
        "Depth 1001": {"policy": "output"},
        "none": {"policy": "none", "dataset": "fashion-mnist"},
    }
    ids = {name: store.runs.submit(fake_spec(name, **fields))[0].id for name, fields in names.items()}

    def found(sort: str = "created_at", descending: bool = True, **query: Any) -> list[str | None]:
        runs, total = store.runs.find(filters=Filters(**query), sort=sort, descending=descending)
        assert total == len(runs)
        return [run.spec.name for run in runs]

    assert found() == ["none", "Depth 1001", "depth_100"]
    assert found(descending=False) == ["depth_100", "Depth 1001", "none"]
    assert found(policies=["output", "none"], sort="policy", descending=False) == ["none", "Depth 1001"]
    assert found(architectures=["resnet-20"]) == ["depth_100"]
    assert found(datasets=["fashion-mnist"]) == ["none"]
    assert found(text="DEPTH") == ["Depth 1001", "depth_100"]
    assert found(text="depth_") == ["depth_100"]  # a wildcard of SQL is a letter like any other
    assert found(text=ids["none"][2:8]) == ["none"]
    assert found(states=["running"]) == []
    assert found(states=[]) == []
    page, total = store.runs.find(limit=1, offset=1)
    assert ([run.spec.name for run in page], total) == (["Depth 1001"], 3)
    store.claims.take("w")
    store.claims.record(ids["depth_100"], 1, Batch((test_point(0, 0.4),)))
    assert found(sort="top1")[0] == "depth_100"
    assert found(sort="top1", descending=False)[0] == "depth_100"  # no value yet: last either way
    with pytest.raises(ValueError, match=r"sort must be one of created_at, .*; got 'spec; drop'"):
        store.runs.find(sort="spec; drop")


def test_many_runs_in_one_question(store: Store, spec: RunSpec) -> None:
    ids = [store.runs.submit(spec)[0].id for _ in range(3)]
    assert store.runs.many([*ids[:2], "nothing"]).keys() == set(ids[:2])
    assert store.runs.many([]) == {}


def test_health_tells_numbers_and_speed(store: Store, spec: RunSpec) -> None:
    from jobs.lease import Identity

    assert store.tallies.health() == store.tallies.health().__class__(0, 0, 0, None)
    me = Identity.of_this_process()
    store.workers.hello(me, 1)
    store.workers.hello(me, 1)
    store.runs.submit(spec)
    run = claimed(store, spec)
    assert (store.tallies.health().workers, store.tallies.health().queued, store.tallies.health().running) == (1, 1, 1)
    for seconds in (1.0, 2.0, 100.0):
        store.claims.finish(run.id, run.attempt, finished(fake_spec(), seconds=seconds))
        run = claimed(store, spec)
    assert store.tallies.health().macs_per_s == pytest.approx(run_macs(spec) / 2.0)
    store.workers.bye([me.name])
    assert store.tallies.health().workers == 0


def test_before_the_first_end_the_speed_is_that_of_what_runs(store: Store, spec: RunSpec) -> None:
    run = claimed(store, spec)
    progress = Progress(step=1, total_steps=24, tested=0.25, images_per_s=100, elapsed_s=1, eta_s=1)
    store.claims.record(run.id, 1, Batch(progress=progress))
    from core.run.cost import step_macs

    assert store.tallies.health().macs_per_s == 100 * step_macs(spec.plan, spec.trains)


def test_of_a_long_run_some_speeds_are_kept(store: Store) -> None:
    run = claimed(store, fake_spec())
    for step in range(0, 5000, 3):
        progress = Progress(step=step, total_steps=5000, images_per_s=step / 2, elapsed_s=1.0, eta_s=None)
        assert store.claims.record(run.id, 1, Batch(progress=progress)) == "ok"
    speeds = store.curves.speeds(run.id)
    assert len(speeds) == 500 and speeds[0].step == 3 and speeds[0].images_per_s == 1.5
    assert [row.id for row in store.curves.speeds(run.id, after=speeds[-3].id)] == [row.id for row in speeds[-2:]]
