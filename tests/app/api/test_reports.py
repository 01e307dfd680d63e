"""Reports of offensive names: without a login, once a visitor, bounded; and what settles them."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from jobs.store.shares import reports
from jobs.store.store import Store
from tests.app.conftest import HERE, SPEC

TOKEN = "a token of the admin"
ADMIN = {"X-Admin-Token": TOKEN}


@pytest.fixture
def site(store: Store) -> TestClient:
    return TestClient(make_app(Settings(admin_token=TOKEN), store, lambda _: None, dict), base_url=HERE)


def named(site: TestClient, name: str | None = "rude") -> str:
    run: str = site.post("/api/runs", json={**SPEC, "name": name}).json()["id"]
    return run


def report(site: TestClient, run: str, visitor: str) -> int:
    return site.post(f"/api/runs/{run}/report-name", json={}, headers={"X-Visitor-Token": visitor}).status_code


def listed(site: TestClient) -> dict[str, int]:
    said = site.get("/api/admin/reports", headers=ADMIN).json()["reports"]
    return {one["id"]: one["reports"] for one in said}


def test_a_visitor_counts_once(site: TestClient) -> None:
    run, other = named(site), named(site, "ruder")
    assert [report(site, run, visitor) for visitor in ("anna", "anna", "ben")] == [200, 200, 200]
    assert report(site, other, "anna") == 200
    assert listed(site) == {run: 2, other: 1} and list(listed(site)) == [run, other]
    assert site.get("/api/admin", headers=ADMIN).json()["reports"] == 2


def test_what_cannot_be_reported(site: TestClient) -> None:
    assert report(site, named(site, None), "anna") == 409 and report(site, "NoSuchRun12345", "anna") == 404
    run = named(site)
    site.post(f"/api/admin/runs/{run}", json={"removed": True}, headers=ADMIN)
    assert report(site, run, "anna") == 404 and listed(site) == {}


def test_an_address_reports_so_many_names_within_an_hour(site: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MAX_HOURLY", 2)
    first, second, third = (named(site, f"rude {k}") for k in range(3))
    assert [report(site, run, f"visitor {run}") for run in (first, second, third)] == [200, 200, 429]
    assert report(site, first, f"visitor {first}") == 200, "it is there already"
    assert set(listed(site)) == {first, second}


def test_of_one_run_no_more_reports_are_kept_than_tell_something(
    site: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MAX_OF_A_RUN", 2)
    run = named(site)
    assert [report(site, run, f"visitor {k}") for k in range(4)] == [200] * 4 and listed(site) == {run: 2}


def test_another_name_or_a_dismissal_settles(site: TestClient) -> None:
    run, other = named(site), named(site, "harmless")
    for one in (run, other):
        report(site, one, "anna")
    site.post(f"/api/admin/runs/{run}", json={"name": "polite"}, headers=ADMIN)
    said = site.post(f"/api/admin/reports/{other}/dismiss", json={}, headers=ADMIN)
    assert said.json() == {"id": other, "dismissed": 1} and listed(site) == {}
    assert report(site, other, "ben") == 200 and listed(site) == {}, "the name was looked at"
    assert report(site, run, "anna") == 200 and listed(site) == {run: 1}, "the new name is another one"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/admin/reports"), ("POST", "/api/admin/reports/NoSuchRun12345/dismiss")]
)
def test_nobody_else_sees_or_settles_them(site: TestClient, method: str, path: str) -> None:
    assert site.request(method, path, headers={"X-Admin-Token": "wrong"}).status_code == 403
    assert site.request(method, path, headers=ADMIN).status_code == (200 if method == "GET" else 404)
