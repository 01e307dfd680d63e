"""Complaints over HTTP: without a login, in words, and only the operator sees and settles them."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from jobs.store.store import Store
from tests.app.conftest import HERE, SPEC

TOKEN = "a token of the admin"
ADMIN = {"X-Admin-Token": TOKEN}
EVE = {"X-Visitor-Token": "e" * 20}


@pytest.fixture
def site(store: Store) -> TestClient:
    return TestClient(make_app(Settings(admin_token=TOKEN), store, lambda _: None, dict), base_url=HERE)


@pytest.fixture
def run(site: TestClient) -> str:
    """The path of a run with a note and two tags."""
    launched = site.post("/api/runs", json=SPEC, headers=EVE).json()
    path = f"/api/runs/{launched['id']}"
    labels = {"note": "rude\nwords", "tags": ["rude", "depth"]}
    site.patch(path, json=labels, headers={"X-Owner-Token": launched["owner_token"]})
    return path


@pytest.fixture
def room(site: TestClient) -> str:
    """The path of a room with one member."""
    path = f"/api/rooms/{site.post('/api/rooms', json={'title': 'Rude title'}, headers=EVE).json()['id']}"
    site.post(f"{path}/join", json={"nickname": "Rude"}, headers=EVE)
    return path


def report(site: TestClient, path: str, visitor: str = "anna", **what: Any) -> Any:
    return site.post(f"{path}/report", json=what, headers={"X-Visitor-Token": visitor})


def listed(site: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.get("/api/admin/complaints", headers=ADMIN).json()["complaints"]
    return found


def settle(site: TestClient, how: str) -> Any:
    (one,) = listed(site)
    return site.post(f"/api/admin/complaints/{one['number']}/{how}", json={}, headers=ADMIN).json()


def test_a_note_and_a_tag(site: TestClient, run: str) -> None:
    assert report(site, run, kind="note").json() == {"id": run.rpartition("/")[2], "reported": True}
    (one,) = listed(site)
    assert (one["kind"], one["text"], one["complaints"]) == ("note", "rude\nwords", 1)
    assert one["url"] == f"/run?id={one['id']}"
    assert site.get("/api/admin", headers=ADMIN).json()["reports"] == 1
    assert settle(site, "clear")["settled"] == 1 and site.get(run).json()["note"] is None
    assert report(site, run, kind="note").status_code == 409
    assert report(site, run, kind="tag", text="rude").status_code == 200
    assert settle(site, "clear")["settled"] == 1 and site.get(run).json()["tags"] == ["depth"]


def test_a_nickname_and_a_title(site: TestClient, room: str) -> None:
    assert report(site, room, kind="nickname", text="Rude").status_code == 200
    assert listed(site)[0]["url"] == f"/room?id={room.rpartition('/')[2]}"
    settle(site, "clear")
    assert report(site, room, kind="title").status_code == 200
    settle(site, "clear")
    seen = site.get(room).json()
    assert (seen["title"], seen["members"]) == ("Room", [])
    refused = site.post(f"{room}/join", json={"nickname": "Rude"}, headers=EVE)
    assert refused.status_code == 422 and "has removed this nickname" in refused.json()["detail"]


def test_a_dismissal(site: TestClient, room: str) -> None:
    report(site, room, kind="title")
    assert settle(site, "dismiss")["settled"] == 1 and listed(site) == []
    assert report(site, room, "ben", kind="title").status_code == 200 and listed(site) == []
    assert site.get(room).json()["title"] == "Rude title"


def test_what_is_wrong_is_said(site: TestClient, run: str, room: str) -> None:
    for path, what, status, said in (
        (run, {"kind": "tag"}, 422, "text is missing: which tag?"),
        (room, {"kind": "nickname"}, 422, "text is missing: which nickname?"),
        (run, {"kind": "title"}, 422, "kind"),
        (run, {"kind": "tag", "text": "another"}, 409, "there is no such tag"),
        (room, {"kind": "nickname", "text": "Nobody"}, 409, "there is no such nickname"),
        ("/api/runs/NoSuchRun12345", {"kind": "note"}, 404, "there is no run"),
        ("/api/rooms/NoSuchRoom1234", {"kind": "title"}, 404, "there is no room"),
    ):
        refused = report(site, path, **what)
        assert refused.status_code == status and said in refused.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/admin/complaints"),
        ("POST", "/api/admin/complaints/7/clear"),
        ("POST", "/api/admin/complaints/7/dismiss"),
    ],
)
def test_nobody_else_sees_or_settles_them(site: TestClient, method: str, path: str) -> None:
    assert site.request(method, path, headers={"X-Admin-Token": "wrong"}).status_code == 403
    assert site.request(method, path, headers=ADMIN).status_code == (200 if method == "GET" else 404)
