"""No run is held twice, and who lost a run cannot change it: on SQLite and on PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from core.run.spec import RunSpec
from jobs.lease import MAX_CRASHES, MAX_LOSSES
from jobs.store.records import Batch
from jobs.store.store import Store
from tests.events import finished, started
from tests.jobs.store.test_store import claimed, train_point
from tests.jobs.support import fake_spec, in_threads

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[3]
CLAIM_ALL = """
import sys
from jobs.store.database import open_database
from jobs.store.store import Store
store = Store(open_database(sys.argv[1]))
while run := store.claims.take(sys.argv[2]):
    print(run.id)
store.close()
"""


def test_each_run_goes_to_one_of_many_threads(store: Store, spec: RunSpec) -> None:
    ids = [store.runs.submit(spec)[0].id for _ in range(24)]
    taken: list[str] = []

    def claim_all(index: int) -> None:
        while run := store.claims.take(f"worker-{index}"):
            assert run.attempt == 1
            taken.append(run.id)

    in_threads(6, claim_all)
    assert Counter(taken) == Counter(ids)


def test_each_run_goes_to_one_of_several_processes(store: Store, spec: RunSpec) -> None:
    ids = [store.runs.submit(spec)[0].id for _ in range(40)]
    url = store.database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", CLAIM_ALL, url]
    workers = [
        subprocess.Popen([*command, f"w{index}"], cwd=ROOT, stdout=subprocess.PIPE, text=True) for index in range(2)
    ]
    taken = [line for worker in workers for line in worker.communicate(timeout=60)[0].split()]
    assert Counter(taken) == Counter(ids)


def test_a_zombie_changes_nothing(store: Store, spec: RunSpec) -> None:
    """Worker one is stopped past its lease, worker two takes over, worker one wakes up."""
    run = claimed(store, spec)
    assert store.claims.record(run.id, 1, Batch((train_point(1), train_point(2)))) == "ok"
    assert store.claims.lose(store.claims.held()[0], "No sign of life.") == "queued"
    zombie = Batch((train_point(3, loss=99.0),), started=started(fake_spec()))
    assert store.claims.record(run.id, 1, zombie) == "lost"  # while nobody holds it
    assert store.claims.take("two").attempt == 2
    assert store.claims.record(run.id, 1, zombie) == "lost"
    assert not store.claims.finish(run.id, 1, finished(fake_spec()))
    assert not store.claims.fail(run.id, 1, "error", "x")
    assert not store.claims.cancel(run.id, 1)
    assert store.claims.release(run.id, 1, "x") is None
    assert store.claims.crash(run.id, 1, "x") is None
    before = store.runs.get(run.id)
    assert (before.state, before.worker, before.started) == ("running", "two", None)
    assert store.claims.record(run.id, 2, Batch((train_point(3),))) == "ok"
    assert store.claims.finish(run.id, 2, finished(fake_spec(), 0.8))
    assert not store.claims.finish(run.id, 1, finished(fake_spec(), 0.1))
    assert [(p.step, p.loss) for p in store.curves.points(run.id)] == [(1, 1.0), (2, 1.0), (3, 1.0)]
    assert store.runs.get(run.id).top1 == 0.8


def test_a_sign_of_life_saves_a_run_from_the_reaper(store: Store, spec: RunSpec) -> None:
    run = claimed(store, spec)
    (seen,) = store.claims.held()
    store.claims.record(run.id, 1, Batch())
    assert store.claims.lose(seen, "No sign of life.") is None
    assert store.runs.get(run.id).state == "running"


def test_of_many_reapers_one_takes_a_run_away(store: Store, spec: RunSpec) -> None:
    run = claimed(store, spec)
    (seen,) = store.claims.held()
    answers: list[str | None] = []
    in_threads(6, lambda _: answers.append(store.claims.lose(seen, "No sign of life.")))
    assert sorted(map(str, answers)) == ["None"] * 5 + ["queued"]
    assert [row.kind for row in store.runs.log(run.id)] == ["submitted", "claimed", "lost"]


def test_a_run_that_comes_back_keeps_its_place(store: Store) -> None:
    first = claimed(store, fake_spec("first"))
    store.runs.submit(fake_spec("second"))
    store.claims.release(first.id, 1, "The worker was stopped.")
    assert store.claims.take("w").spec.name == "first"
    assert store.claims.take("w").spec.name == "second"


def crash(store: Store, run_id: str, attempt: int) -> str | None:
    return store.claims.crash(run_id, attempt, "The training process was killed.")


def test_a_run_that_only_crashes_is_given_up(store: Store, spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.lease.WAITS_S", (0.0,))
    run = claimed(store, spec)
    states = []
    for attempt in range(1, MAX_CRASHES + 1):
        states.append(crash(store, run.id, attempt))
        store.claims.take("w")
    assert states == [*["queued"] * (MAX_CRASHES - 1), "failed"]
    now = store.runs.get(run.id)
    assert (now.state, now.error_kind) == ("failed", "crash_loop")
    assert f"{MAX_CRASHES} failed attempts in a row" in now.error_message
    assert now.error_message.endswith("The training process was killed.")


def test_crashes_do_not_add_up_while_the_run_gets_further(store: Store, spec: RunSpec) -> None:
    run = claimed(store, spec)
    for attempt in range(1, 8):
        assert crash(store, run.id, attempt) == "queued"
        store.claims.take("w")
        store.claims.record(run.id, attempt + 1, Batch(started=started(fake_spec(), resumed_from=attempt)))


@pytest.mark.parametrize(("way", "limit"), [("lost", MAX_LOSSES), ("released", None)])
def test_other_ends_count_less_or_not_at_all(store: Store, spec: RunSpec, way: str, limit: int | None) -> None:
    run = claimed(store, spec)
    for attempt in range(1, MAX_LOSSES + 2):
        if way == "lost":
            state = store.claims.lose(store.claims.held()[0], "Its worker has died.")
        else:
            state = store.claims.release(run.id, attempt, "The worker was stopped.")
        assert state == ("failed" if attempt == limit else "queued")
        if store.claims.take("w") is None:
            break
    assert attempt == (limit or MAX_LOSSES + 1)
