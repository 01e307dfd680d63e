"""Rooms over HTTP: who is in them launches into them, and only the teacher changes them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

SPEC = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 1}
ADA, BOB = {"X-Visitor-Token": "a" * 20}, {"X-Visitor-Token": "b" * 20}


@pytest.fixture
def room(client: TestClient) -> dict[str, str]:
    """The answer to the request that opens a room."""
    opened: dict[str, str] = client.post("/api/rooms", json={"title": "Course", "question": "depth"}).json()
    return opened


def test_from_the_opening_to_the_board(client: TestClient, room: dict[str, str]) -> None:
    path = f"/api/rooms/{room['id']}"
    assert room["url"].endswith(f"/room?id={room['id']}")
    outside = client.post(f"/api/runs?room={room['id']}", json=SPEC, headers=ADA)
    assert outside.status_code == 422 and "join it first" in outside.json()["detail"]
    joined = client.post(f"{path}/join", json={"nickname": "Ada"}, headers=ADA).json()
    assert (joined["me"], joined["members"], joined["question"]) == ("Ada", ["Ada"], "depth")
    run = client.post(f"/api/runs?room={room['id']}", json=SPEC, headers=ADA).json()["id"]
    seen = client.get(path, headers=BOB).json()
    assert seen["me"] is None and seen["runs"] == [{"id": run, "nickname": "Ada"}]
    assert [one["id"] for one in client.get(f"/api/compare?room={room['id']}").json()["runs"]] == [run]
    assert client.post(f"{path}/leave", json={}, headers=ADA).json()["runs"] == [{"id": run, "nickname": None}]


def test_only_the_teacher_changes_and_closes_a_room(client: TestClient, room: dict[str, str]) -> None:
    path, teacher = f"/api/rooms/{room['id']}", {"X-Owner-Token": room["owner_token"]}
    client.post(f"{path}/join", json={"nickname": "Bob"}, headers=BOB)
    for method, address in (("PATCH", path), ("DELETE", f"{path}/members/Bob"), ("DELETE", path)):
        body = {"title": "Mine"} if method == "PATCH" else None
        assert client.request(method, address, json=body, headers={"X-Owner-Token": "another"}).status_code == 403
        assert client.request(method, address, json=body).status_code == 403
    changed = client.patch(path, json={"title": "Better", "question": None}, headers=teacher).json()
    assert (changed["title"], changed["question"]) == ("Better", None)
    assert client.delete(f"{path}/members/Bob", headers=teacher).json()["members"] == []
    assert client.delete(f"{path}/members/Bob", headers=teacher).status_code == 404
    assert client.delete(path, headers=teacher).status_code == 204
    assert client.get(path).status_code == 404


def test_what_is_wrong_is_said(client: TestClient, room: dict[str, str]) -> None:
    path = f"/api/rooms/{room['id']}"
    for body, said in (({"title": "<b>"}, "title"), ({"question": "nonsense"}, "question"), ({"colour": 1}, "colour")):
        refused = client.post("/api/rooms", json=body)
        assert refused.status_code == 422 and said in refused.json()["detail"]
    refused = client.post(f"{path}/join", json={"nickname": "<b>"}, headers=ADA)
    assert refused.status_code == 422 and "a nickname has 1 to 24 letters" in refused.json()["detail"]
    assert client.post("/api/rooms/nosuchroom/join", json={"nickname": "A"}).status_code == 404


def test_a_class_that_loads_the_page_at_once_is_not_refused(client: TestClient, room: dict[str, str]) -> None:
    """Everybody is behind one address, and what costs much has 43 places."""
    path = f"/api/rooms/{room['id']}"
    client.post(f"{path}/join", json={"nickname": "Ada"}, headers=ADA)
    paths = [path, f"/api/compare?room={room['id']}&group=run"] * 60
    with ThreadPoolExecutor(len(paths)) as pool:
        answers = list(pool.map(lambda asked: client.get(asked, headers=ADA), paths))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["me"] for answer in answers[::2]} == {"Ada"}


def test_what_has_not_changed_is_not_sent_again(client: TestClient, room: dict[str, str]) -> None:
    path = f"/api/rooms/{room['id']}"
    first = client.get(path, headers=ADA)
    known = {"If-None-Match": first.headers["etag"]}
    again = client.get(path, headers={**ADA, **known})
    assert again.status_code == 304 and again.content == b"" and again.headers["etag"] == first.headers["etag"]
    assert "X-Visitor-Token" in first.headers["vary"] and "private" in first.headers["cache-control"]
    client.post(f"{path}/join", json={"nickname": "Ada"}, headers=ADA)
    assert client.get(path, headers={**ADA, **known}).json()["me"] == "Ada"
    assert client.get(path, headers={**BOB, **known}).json()["me"] is None, "each visitor has an answer of their own"
    listed = client.get(f"/api/compare?room={room['id']}", headers=ADA)
    known = {"If-None-Match": listed.headers["etag"]}
    assert client.get(f"/api/compare?room={room['id']}", headers=known).status_code == 304
    run = client.post(f"/api/runs?room={room['id']}", json=SPEC, headers=ADA).json()["id"]
    assert [one["id"] for one in client.get(path, headers={**BOB, **known}).json()["runs"]] == [run]
    assert client.get(f"/api/compare?room={room['id']}", headers=known).json()["total"] == 1
    client.delete(path, headers={"X-Owner-Token": room["owner_token"]})
    assert client.get(path, headers=ADA).status_code == 404
