"""Removing a run over HTTP: only its owner, only what has ended, and back within the hour."""

from __future__ import annotations

from starlette.testclient import TestClient

from tests.app.conftest import Trainer


def test_only_the_owner_removes_and_restores(client: TestClient, trainer: Trainer) -> None:
    run_id, token = trainer.start()
    mine, address = {"X-Owner-Token": token}, f"/api/runs/{run_id}"
    assert client.delete(address, headers=mine).status_code == 409
    trainer.finish(run_id)
    assert client.delete(address).status_code == 403
    assert client.delete(address, headers={"X-Owner-Token": "another"}).status_code == 403
    question = {"runs": {run_id: {}}}
    assert client.post("/api/feed", json=question).json()["runs"][run_id]
    assert client.delete(address, headers=mine).json() == {"id": run_id, "restorable_s": 3600.0}
    assert client.get(address).status_code == 404 and client.get("/api/runs").json()["total"] == 0
    assert client.post("/api/feed", json=question).json()["runs"][run_id] is None, "the feed does not remember it"
    assert client.post(f"{address}/restore").status_code == 403
    assert client.post(f"{address}/restore", headers=mine).json()["id"] == run_id
    assert client.get(address).status_code == 200
