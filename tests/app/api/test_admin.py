"""What the operator may do over HTTP, and nobody else."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from app.web.auth.tries import TRIES
from jobs.store.store import Store
from tests.app.conftest import HERE, SPEC

TOKEN = "a token of the admin"
ADMIN = {"X-Admin-Token": TOKEN}


@pytest.fixture
def site(store: Store) -> TestClient:
    return TestClient(make_app(Settings(admin_token=TOKEN), store, lambda _: None, dict), base_url=HERE)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/admin", None),
        ("POST", "/api/admin/queue", {"mode": "paused"}),
        ("POST", "/api/admin/runs/NoSuchRun12345", {"name": "x"}),
    ],
)
def test_nobody_else_may(site: TestClient, client: TestClient, method: str, path: str, body: object) -> None:
    for headers in ({}, {"X-Admin-Token": ""}, {"X-Admin-Token": TOKEN[:-1]}, {"X-Owner-Token": TOKEN}):
        refused = site.request(method, path, json=body, headers=headers)
        assert refused.status_code == 403 and TOKEN not in refused.text
    without = client.request(method, path, json=body, headers={"X-Admin-Token": ""})
    assert without.status_code == 403 and "python -m jobs admin" in without.json()["detail"]


def test_an_offensive_name_goes(site: TestClient) -> None:
    run = site.post("/api/runs", json={**SPEC, "name": "rude"}).json()["id"]
    assert site.post(f"/api/admin/runs/{run}", json={"name": "polite"}, headers=ADMIN).status_code == 200
    seen = site.get(f"/api/runs/{run}").json()
    assert seen["name"] == "polite" and seen["spec"]["name"] == "polite"
    bad = site.post(f"/api/admin/runs/{run}", json={"name": "<b>"}, headers=ADMIN)
    assert bad.status_code == 422 and "name" in bad.json()["detail"]
    site.post(f"/api/admin/runs/{run}", json={"name": None}, headers=ADMIN)
    assert site.get(f"/api/runs/{run}").json()["name"] is None
    assert site.post("/api/admin/runs/NoSuchRun12345", json={}, headers=ADMIN).status_code == 404


def test_any_run_can_be_removed_and_comes_back(site: TestClient, store: Store) -> None:
    waits = site.post("/api/runs", json=SPEC).json()["id"]
    assert site.post(f"/api/admin/runs/{waits}", json={"removed": True}, headers=ADMIN).status_code == 200
    assert site.get(f"/api/runs/{waits}").status_code == 404 and store.queue.waiting() == []
    site.post(f"/api/admin/runs/{waits}", json={"removed": False}, headers=ADMIN)
    assert site.get(f"/api/runs/{waits}").json()["state"] == "cancelled"
    runs = site.post("/api/runs", json=SPEC).json()["id"]
    claimed = store.claims.take("worker")
    assert claimed and claimed.id == runs
    site.post(f"/api/admin/runs/{runs}", json={"removed": True}, headers=ADMIN)
    assert store.claims.cancel(runs, 1), "its trainer is asked to stop"
    assert site.get("/api/runs").json()["total"] == 1


def test_also_out_of_a_study(site: TestClient, store: Store) -> None:
    study = site.post("/api/studies", json={"name": "gamma"}).json()
    first, *others = [member["id"] for member in site.get(f"/api/studies/{study['id']}").json()["members"]]
    site.post(f"/api/admin/runs/{first}", json={"removed": True}, headers=ADMIN)
    left = site.get(f"/api/studies/{study['id']}").json()
    assert [member["id"] for member in left["members"]] == others


def test_a_paused_queue_starts_nothing_and_a_drained_one_takes_nothing(site: TestClient, store: Store) -> None:
    run = site.post("/api/runs", json=SPEC).json()["id"]
    assert site.post("/api/admin/queue", json={"mode": "paused"}, headers=ADMIN).json()["mode"] == "paused"
    assert store.claims.take("worker") is None and site.post("/api/runs", json=SPEC).status_code == 201
    site.post("/api/admin/queue", json={"mode": "drained"}, headers=ADMIN)
    for path, body in (("/api/runs", SPEC), ("/api/studies", {"name": "gamma"})):
        refused = site.post(path, json=body)
        assert refused.status_code == 429 and "accepts no new runs until" in refused.json()["detail"]
        assert refused.headers["retry-after"] == "3600"
    claimed = store.claims.take("worker")
    assert claimed and claimed.id == run
    seen = site.get("/api/admin", headers=ADMIN).json()
    assert (seen["mode"], seen["waiting"], seen["running"], seen["evicted_at"]) == ("drained", 1, 1, None)
    assert site.post("/api/admin/queue", json={"mode": "open"}, headers=ADMIN).json()["mode"] == "open"
    assert site.post("/api/runs", json=SPEC).status_code == 201
    wrong = site.post("/api/admin/queue", json={"mode": "closed"}, headers=ADMIN)
    assert wrong.status_code == 422 and "mode" in wrong.json()["detail"]


def test_a_token_that_is_guessed_too_often_opens_nothing_for_a_minute(site: TestClient) -> None:
    for _ in range(2 * TRIES):
        assert site.get("/api/admin").status_code == 403, "to send none is no guess"
    for number in range(TRIES):
        assert site.get("/api/admin", headers={"X-Admin-Token": str(number)}).status_code == 403
    refused = site.get("/api/admin", headers=ADMIN)
    assert refused.status_code == 429 and refused.headers["retry-after"] == "60"
    assert site.get("/api/runs").status_code == 200
