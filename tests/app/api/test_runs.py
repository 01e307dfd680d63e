"""The REST routes as a script uses them, with everything that they refuse."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.settings import Settings
from core.run.spec import RunSpec
from jobs.store.store import Store
from tests.app.conftest import SPEC, Trainer


def launch(client: TestClient, **fields: Any) -> dict[str, Any]:
    answer = client.post("/api/runs", json={**SPEC, **fields})
    assert answer.status_code == 201, answer.text
    launched: dict[str, Any] = answer.json()
    return launched


def test_a_launched_run_waits_and_the_workers_get_a_hint(client: TestClient, woken: list[str]) -> None:
    launched = launch(client, name="γ moves", train_examples=64, recipe={"lr": 0.05})
    assert launched["url"] == f"/run?id={launched['id']}"
    run = client.get(f"/api/runs/{launched['id']}").json()
    assert (run["state"], run["position"], run["name"], run["attempt"]) == ("queued", 1, "γ moves", 0)
    assert run["counts"]["trainable"] == 1120
    assert run["spec"]["recipe"]["lr"] == 0.05 and run["spec"]["train_examples"] == 64
    assert run["progress"] == {
        "phase": None,
        "step": 0,
        "total_steps": 2,
        "share": 0.0,
        "tested": None,
        "analysed": None,
        "images_per_s": None,
        "elapsed_s": None,
        "eta_s": None,
    }
    assert run["result"] is None and run["error"] is None and run["layers"] is None
    assert woken == [launched["id"]]


def test_the_owner_token_is_in_no_other_answer(client: TestClient) -> None:
    launched = launch(client)
    for path in (f"/api/runs/{launched['id']}", "/api/runs"):
        assert launched["owner_token"] not in client.get(path).text


def test_a_finished_run_shows_its_result(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, 4, 8)
    trainer.test(run_id, 12, 0.5)
    run = client.get(f"/api/runs/{run_id}").json()
    assert (run["state"], run["top1"], run["device"], run["attempt"]) == ("running", 0.5, "cpu", 1)
    assert run["engine"] == "fused (compiled kernels), bf16"
    assert run["progress"]["share"] == 0.5 and run["progress"]["images_per_s"] == 1234.6
    assert [layer["name"] for layer in run["layers"]][:2] == ["stem.norm", "stage1.0.norm1"]
    trainer.finish(run_id, top1=0.75)
    run = client.get(f"/api/runs/{run_id}").json()
    assert run["state"] == "finished" and run["result"]["top1"] == run["top1"] == 0.75
    assert run["finished_at"] >= run["started_at"] >= run["created_at"]


def test_a_failed_run_says_why(client: TestClient, store: Store, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    store.claims.fail(run_id, 1, "diverged", "The loss became infinite at step 3.")
    error = client.get(f"/api/runs/{run_id}").json()["error"]
    assert error == {"kind": "diverged", "message": "The loss became infinite at step 3."}


def test_a_full_queue_refuses(client: TestClient, settings: Settings, store: Store) -> None:
    for _ in range(settings.max_queued):
        launch(client)
    answer = client.post("/api/runs", json=SPEC)
    assert answer.status_code == 429 and "5" in answer.json()["detail"]
    assert store.runs.find()[1] == settings.max_queued


@pytest.mark.parametrize("ending", ["", "/points", "/points?format=csv", "/snapshots"])
def test_an_unknown_run_is_said_kindly(client: TestClient, ending: str) -> None:
    answer = client.get(f"/api/runs/NoSuchRun12345{ending}")
    assert answer.status_code == 404 and "no run NoSuchRun12345" in answer.json()["detail"]


@pytest.mark.parametrize("run_id", ["x", "a" * 41, "semi;colon", "' OR 1=1 --"])
def test_what_cannot_be_an_id_is_refused(client: TestClient, run_id: str) -> None:
    answer = client.get(f"/api/runs/{run_id}")
    assert answer.status_code == 422 and "run_id" in answer.json()["detail"]
    assert client.get(f"/api/runs/{run_id}%00").status_code == 400


def test_lists_filter_sort_and_page(client: TestClient, trainer: Trainer) -> None:
    first, _ = trainer.start(name="one")
    trainer.finish(first, top1=0.4)
    second, _ = trainer.start(name="two", policy="random-2")
    trainer.finish(second, top1=0.9)
    third = launch(client, name="three", architecture="resnet-20")["id"]

    def ids(query: str) -> list[str]:
        answer = client.get(f"/api/runs?{query}")
        assert answer.status_code == 200, answer.text
        return [run["id"] for run in answer.json()["runs"]]

    assert ids("") == [third, second, first]
    assert ids("state=finished") == [second, first]
    assert ids("state=finished&state=queued&order=asc") == [first, second, third]
    assert ids("policy=random-2") == [second]
    assert ids("architecture=resnet-20&dataset=digits") == [third]
    assert ids("text=thr") == [third]
    assert ids("sort=top1&order=desc")[:2] == [second, first]
    assert ids("limit=1&offset=1") == [second]
    assert client.get("/api/runs?limit=1").json()["total"] == 3
    assert "layers" not in client.get("/api/runs").json()["runs"][0]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("state=done", "queued"),
        ("sort=spec", "created_at"),
        ("order=up", "asc"),
        ("limit=0", "limit must be greater than or equal to 1, got '0'"),
        ("limit=201", "limit"),
        ("limit=many", "limit must be a whole number"),
        ("offset=-1", "offset"),
        ("text=" + "x" * 101, "text"),
    ],
)
def test_a_wrong_list_question_is_refused_in_words(client: TestClient, query: str, words: str) -> None:
    answer = client.get(f"/api/runs?{query}")
    assert answer.status_code == 422 and words in answer.json()["detail"]


def test_points_as_json_and_csv_are_the_same_and_exact(client: TestClient, store: Store, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, *range(1, 12))
    trainer.test(run_id, 12, 1 / 3)
    points = client.get(f"/api/runs/{run_id}/points").json()
    answer = client.get(f"/api/runs/{run_id}/points?format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="onlybn-{run_id}-points.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert points["id"] == run_id and len(rows) == len(points["points"]) == 12
    for row, point, stored in zip(rows, points["points"], store.curves.points(run_id), strict=True):
        assert (int(row["step"]), row["split"]) == (point["step"], point["split"]) == (stored.step, stored.split)
        assert float(row["loss"]) == point["loss"] == stored.loss
        assert float(row["top1"]) == point["top1"] == stored.top1
        assert (float(row["lr"]) if row["lr"] else None) == point["lr"] == stored.lr
    assert rows[-1]["lr"] == "" and points["points"][-1]["lr"] is None
    refused = client.get(f"/api/runs/{run_id}/points?format=xml")
    assert refused.status_code == 422 and "csv" in refused.json()["detail"]


def test_a_run_without_points_gives_an_empty_file(client: TestClient) -> None:
    run_id = launch(client)["id"]
    assert client.get(f"/api/runs/{run_id}/points").json() == {"id": run_id, "points": []}
    assert client.get(f"/api/runs/{run_id}/points?format=csv").text == "step,epoch,split,loss,top1,top5,lr\r\n"
    assert client.get(f"/api/runs/{run_id}/snapshots").json()["snapshots"] == []


def test_snapshots_have_every_layer(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, 1, snapshots=(0, 12, 24))
    answer = client.get(f"/api/runs/{run_id}/snapshots", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    got = answer.json()
    assert len(got["edges"]) == 66 and len(got["quantiles"]) == 7 and got["disabled_below"] == 0.01
    assert [s["step"] for s in got["snapshots"]] == [0, 12, 24]
    last = got["snapshots"][-1]
    assert len(last["gamma"]["counts"]) == len(got["layers"]) == len(last["disabled"])
    assert last["gamma"]["counts"][3][25] == 3 and sum(last["gamma"]["counts"][3]) == 3
    assert len(last["beta"]["quantiles"][0]) == 7


def test_only_the_owner_cancels(client: TestClient) -> None:
    mine, other = launch(client), launch(client)
    path = f"/api/runs/{mine['id']}/cancel"
    without = client.post(path)
    assert without.status_code == 403 and "X-Owner-Token" in without.json()["detail"]
    for wrong in ("", "guess", other["owner_token"], "é" * 10):
        refused = client.post(path, headers={"X-Owner-Token": wrong.encode()})
        assert refused.status_code == 403 and isinstance(refused.json()["detail"], str)
    assert client.get(f"/api/runs/{mine['id']}").json()["state"] == "queued"
    cancelled = client.post(path, headers={"X-Owner-Token": mine["owner_token"]})
    assert cancelled.status_code == 200 and cancelled.json()["state"] == "cancelled"
    again = client.post(path, headers={"X-Owner-Token": mine["owner_token"]})
    assert again.status_code == 200 and again.json()["state"] == "cancelled"
    unknown = client.post("/api/runs/NoSuchRun12345/cancel", headers={"X-Owner-Token": mine["owner_token"]})
    assert unknown.status_code == 404


def test_a_running_run_is_asked_to_stop(client: TestClient, trainer: Trainer) -> None:
    run_id, token = trainer.start()
    answer = client.post(f"/api/runs/{run_id}/cancel", headers={"X-Owner-Token": token})
    assert answer.json()["state"] == "running" and answer.json()["cancel_requested"]


def test_health(client: TestClient, trainer: Trainer) -> None:
    trainer.start()
    launch(client)
    assert client.get("/healthz").json() == {
        "status": "degraded",
        "workers": 0,
        "queued": 1,
        "running": 1,
        "mode": "open",
        "troubles": ["No worker accepts runs: launched runs stay in the queue."],
    }


def test_unknown_addresses_and_methods_answer_in_json(client: TestClient) -> None:
    for path in ("/api", "/api/nothing", "/api/runs/a/b/c/d"):
        answer = client.get(path)
        assert answer.status_code == 404 and isinstance(answer.json()["detail"], str)
    answer = client.put("/api/runs", json={})
    assert answer.status_code == 405 and answer.json()["detail"] == "/api/runs takes GET or POST, not PUT"


def test_a_broken_server_says_so_without_a_trace(client: TestClient, store: Store) -> None:
    from jobs.store.tables import METADATA

    METADATA.drop_all(store.database.engine)
    answer = client.get("/api/runs")
    assert answer.status_code == 503 and "again" in answer.json()["detail"] and "sql" not in answer.text.lower()


def test_the_documentation_is_complete_and_asks_no_other_host(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    schemas = described["components"]["schemas"]
    text = json.dumps(described)
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(schemas)
    assert set(schemas["RunSpec"]["properties"]) == set(RunSpec.model_fields)
    page = client.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    for path, methods in described["paths"].items():
        assert path in page.text
        assert all(operation["summary"] for operation in methods.values())
    assert not re.findall(r'(?:src|<link [^>]*href)="(?!/static/)', page.text), "everything comes from here"


def test_the_schedule_of_the_whole_run(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start(epochs=40, recipe={"lr": 0.4, "lr_drops": [0.5], "warmup_epochs": 2})
    view = client.get(f"/api/runs/{run_id}/schedule").json()
    rates = dict(zip(view["epochs"], view["lr"], strict=True))
    assert len(rates) <= 402 and rates[0.0] == 0 and rates[1.0] == 0.2 and rates[10.0] == 0.4 and rates[30.0] == 0.04
    assert max(rates) < 40
