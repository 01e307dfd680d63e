"""Going on after a failed or a cancelled run, over HTTP."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from core.run.events import FailureKind
from jobs.store.records import Batch
from jobs.store.store import Store
from tests.app.conftest import Trainer
from tests.events import started


def test_who_launched_a_failed_run_can_let_it_go_on(
    client: TestClient, store: Store, trainer: Trainer, woken: list[str]
) -> None:
    run_id, token = trainer.start()
    trainer.say(run_id, 1)
    path = f"/api/runs/{run_id}/resume"
    assert client.post(path).status_code == 403
    assert client.post(path, headers={"X-Owner-Token": "somebody"}).status_code == 403
    answer = client.post(path, headers={"X-Owner-Token": token})
    assert answer.status_code == 409 and "only a failed or cancelled run" in answer.json()["detail"]
    store.claims.fail(run_id, 1, "out_of_memory", "no memory")
    answer = client.post(path, headers={"X-Owner-Token": token})
    assert answer.status_code == 200 and answer.json()["state"] == "queued" and answer.json()["error"] is None
    assert woken == [run_id]
    again = store.claims.take("another")
    assert again is not None and again.id == run_id and again.attempt == 2 and again.finished_at is None
    seen = client.get(f"/api/runs/{run_id}").json()
    assert (seen["attempt"], seen["began_at"]) == (2, None), "the new attempt has not said where it began"
    store.claims.record(run_id, 2, Batch(started=started(again.spec, 2, resumed_from=1)))
    assert client.get(f"/api/runs/{run_id}").json()["began_at"] == 1


def test_a_cancelled_run_goes_on(client: TestClient, store: Store, trainer: Trainer) -> None:
    run_id, token = trainer.start()
    trainer.say(run_id, 1)
    store.runs.cancel(run_id)
    store.claims.cancel(run_id, 1)
    answer = client.post(f"/api/runs/{run_id}/resume", headers={"X-Owner-Token": token})
    assert answer.json()["state"] == "queued" and not answer.json()["cancel_requested"]
    again = store.claims.take("another")
    assert again is not None and again.id == run_id and len(store.curves.points(run_id)) == 1


def test_a_removed_run_is_not_resumed(store: Store, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    store.runs.cancel(run_id)
    store.claims.cancel(run_id, 1)
    assert store.runs.remove(run_id) is None
    assert store.runs.resume(run_id) is None


@pytest.mark.parametrize(("kind", "status"), [("diverged", 409), ("error", 200), ("crash_loop", 200)])
def test_what_would_fail_again_is_not_resumed(
    client: TestClient, store: Store, trainer: Trainer, kind: FailureKind, status: int
) -> None:
    run_id, token = trainer.start()
    store.claims.fail(run_id, 1, kind, "it failed")
    answer = client.post(f"/api/runs/{run_id}/resume", headers={"X-Owner-Token": token})
    assert answer.status_code == status
    assert status == 200 or "lower learning rate" in answer.json()["detail"]
