"""Names, notes and tags over HTTP: only the owner changes them, everybody reads them."""

from __future__ import annotations

from starlette.testclient import TestClient

from tests.app.conftest import Trainer


def test_only_the_owner_labels_a_run_and_the_feed_tells_it(client: TestClient, trainer: Trainer) -> None:
    run_id, token = trainer.start()
    mine, address = {"X-Owner-Token": token}, f"/api/runs/{run_id}"
    labels = {"name": "Mine", "note": "It works.", "tags": ["Depth"]}
    assert client.patch(address, json=labels).status_code == 403
    assert client.patch(address, json=labels, headers={"X-Owner-Token": "another"}).status_code == 403
    assert client.post("/api/feed", json={"runs": {run_id: {}}}).json()["runs"][run_id]["run"]["name"] is None
    answer = client.patch(address, json=labels, headers=mine).json()
    assert (answer["name"], answer["note"], answer["tags"]) == ("Mine", "It works.", ["depth"])
    told = client.post("/api/feed", json={"runs": {run_id: {}}}).json()["runs"][run_id]["run"]
    assert (told["name"], told["note"], told["tags"]) == ("Mine", "It works.", ["depth"])
    assert client.patch(address, json={"note": None}, headers=mine).json()["name"] == "Mine", "the rest stays"
    assert client.get("/api/runs?tag=depth").json()["total"] == 1
    assert client.get("/api/runs?tag=dept").json()["total"] == 0
    assert client.get("/api/compare?tag=depth").json()["total"] == 1
    assert client.get("/api/tags").json() == [{"tag": "depth", "runs": 1}]
    assert client.patch("/api/runs/nosuchrun1234", json={}, headers=mine).status_code == 404


def test_a_bad_label_is_refused_in_words(client: TestClient, trainer: Trainer) -> None:
    run_id, token = trainer.start()
    for labels, said in (
        ({"tags": ["two words"]}, "a tag is a word"),
        ({"name": "<b>"}, "name"),
        ({"note": "x" * 1001}, "at most 1,000 characters"),
        ({"colour": "red"}, "colour"),
    ):
        refused = client.patch(f"/api/runs/{run_id}", json=labels, headers={"X-Owner-Token": token})
        assert refused.status_code == 422 and said in refused.json()["detail"], refused.text


def test_mine_is_what_this_browser_launched(client: TestClient) -> None:
    spec = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 1}
    me, you = {"X-Visitor-Token": "m" * 20}, {"X-Visitor-Token": "y" * 20}
    ids = [client.post("/api/runs", json=spec, headers=who).json()["id"] for who in (me, you)]
    for who, run_id in zip((me, you), ids, strict=True):
        page = client.get("/api/runs?mine=true", headers=who).json()
        assert [run["id"] for run in page["runs"]] == [run_id]


def test_a_run_knows_its_question(client: TestClient) -> None:
    spec = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "digits", "epochs": 1}
    name = client.get("/api/experiments").json()[1]["name"]
    client.post("/api/runs", json=spec)
    run_id = client.post(f"/api/runs?question={name}", json=spec).json()["id"]
    assert client.get(f"/api/runs/{run_id}").json()["question"] == name
    page = client.get("/api/runs?group=question").json()["runs"]
    assert [run["question"] for run in page] == [name, None]
    assert client.get(f"/api/runs?question={name}").json()["total"] == 1
    assert client.post("/api/runs?question=nonsense", json=spec).status_code == 422
