"""A run that this version cannot read, over HTTP: named in lists, refused in words, deleted by its owner."""

from __future__ import annotations

import sqlalchemy as sa
from starlette.testclient import TestClient

from jobs.store.store import Store
from jobs.store.tables import RUNS
from tests.app.conftest import SPEC, Trainer


def test_lists_and_pages_go_on(client: TestClient, store: Store, trainer: Trainer) -> None:
    bad, token = trainer.start(name="From the future")
    trainer.finish(bad)
    good = client.post("/api/runs", json=SPEC).json()["id"]
    with store.database.writing() as connection:
        connection.execute(sa.update(RUNS).where(RUNS.c.id == bad).values(spec='{"policy": "telepathy"}'))
    page = client.get("/api/runs").json()
    assert [run["id"] for run in page["runs"]] == [good] and page["total"] == 2
    (unreadable,) = page["unreadable"]
    assert (unreadable["id"], unreadable["name"], unreadable["state"]) == (bad, "From the future", "finished")
    assert "policy" in unreadable["reason"] and "telepathy" in unreadable["reason"]
    assert client.post("/api/feed", json={"runs": {bad: {}, good: {}}}).json()["runs"][bad] is None
    for path in ("", "/points", "/outlook", "/report", "/findings"):
        answer = client.get(f"/api/runs/{bad}{path}")
        assert answer.status_code == 409 and "cannot read the run" in answer.json()["detail"], path
    compared = client.get(f"/api/compare?runs={bad},{good},nosuchrun1234").json()
    assert [run["id"] for run in compared["runs"]] == [good] and compared["missing"] == ["nosuchrun1234"]
    (problem,) = compared["problems"]
    assert problem.startswith(f"This version of OnlyBN cannot read the run {bad}: ")
    for path in (f"/api/compare?runs={bad},{good}", "/api/studies", "/healthz", f"/api/runs/{good}/outlook"):
        assert client.get(path).status_code == 200, path
    assert client.post("/api/preview", json=SPEC).status_code == 200
    assert client.delete(f"/api/runs/{bad}").status_code == 403
    assert client.delete(f"/api/runs/{bad}", headers={"X-Owner-Token": token}).status_code == 200
    assert client.get("/api/runs").json()["unreadable"] == []
    assert client.delete("/api/runs/nosuchrun1234", headers={"X-Owner-Token": token}).status_code == 404
