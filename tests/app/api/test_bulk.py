"""Several runs changed by one request: each by its own token, and of each that stays the reason."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from jobs.store.store import Store
from jobs.store.tables import RUNS
from tests.app.conftest import SPEC, Trainer


def change(client: TestClient, action: str, runs: dict[str, str]) -> Any:
    answer = client.post("/api/runs/changes", json={"action": action, "runs": runs})
    assert answer.status_code == 200
    return answer.json()


def test_each_run_is_cancelled_or_says_why_not(client: TestClient, store: Store, trainer: Trainer) -> None:
    done, done_token = trainer.start()
    trainer.finish(done)
    running, running_token = trainer.start()
    waiting = client.post("/api/runs", json=SPEC).json()
    theirs = client.post("/api/runs", json=SPEC).json()
    said = change(
        client,
        "cancel",
        {
            waiting["id"]: waiting["owner_token"],
            theirs["id"]: waiting["owner_token"],
            done: done_token,
            running: running_token,
            "nosuchrun1234": "token",
        },
    )
    assert said["done"] == [waiting["id"], running]
    assert {refused["id"]: refused["reason"] for refused in said["refused"]} == {
        theirs["id"]: "this owner token belongs to another run",
        done: "it is already finished",
        "nosuchrun1234": "this owner token belongs to another run",
    }
    assert store.runs.state(waiting["id"]) == "cancelled" and store.runs.state(theirs["id"]) == "queued"
    run = store.runs.get(running)
    assert run is not None and run.state == "running" and run.cancel_requested


def test_what_is_removed_comes_back(client: TestClient, store: Store, trainer: Trainer) -> None:
    ended = dict(trainer.start() for _ in range(2))
    for run_id in ended:
        trainer.finish(run_id)
    (broken, _), running = list(ended.items())[1], trainer.start()
    with store.database.writing() as connection:
        connection.execute(sa.update(RUNS).where(RUNS.c.id == broken).values(counts="{}"))
    said = change(client, "remove", {**ended, running[0]: running[1]})
    assert said["done"] == list(ended)
    assert said["refused"] == [{"id": running[0], "reason": "the run is running; cancel it first"}]
    assert client.get("/api/runs").json()["total"] == 1
    assert change(client, "cancel", ended)["refused"][0]["reason"] == "it is no longer here"
    assert change(client, "restore", ended) == {"done": list(ended), "refused": []}
    assert client.get("/api/runs").json()["total"] == 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"action": "paint", "runs": {"abcdef": "t"}}, "action"),
        ({"action": "cancel", "runs": {}}, "runs"),
        ({"action": "cancel", "runs": {"x": "t"}}, "runs"),
        ({"action": "cancel", "runs": {f"run{k:06}": "t" for k in range(201)}}, "at most 200"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(client: TestClient, body: Any, words: str) -> None:
    answer = client.post("/api/runs/changes", json=body)
    assert answer.status_code == 422 and words in answer.json()["detail"]


def test_only_ones_own_runs_are_reordered(client: TestClient, store: Store) -> None:
    first, theirs, last = (client.post("/api/runs", json=SPEC).json() for _ in range(3))
    tokens = {run["id"]: run["owner_token"] for run in (first, last)}
    order = {"runs": [last["id"], first["id"]], "tokens": tokens}
    assert client.post("/api/runs/order", json=order).json() == {"runs": [last["id"], first["id"]]}
    assert store.queue.waiting() == [last["id"], theirs["id"], first["id"]]
    assert client.get(f"/api/runs/{first['id']}").json()["position"] == 3
    stolen = {"runs": [theirs["id"], last["id"]], "tokens": {**tokens, theirs["id"]: first["owner_token"]}}
    answer = client.post("/api/runs/order", json=stolen)
    assert answer.status_code == 403 and "another run" in answer.json()["detail"]
    del stolen["tokens"]
    assert client.post("/api/runs/order", json={**stolen, "tokens": tokens}).status_code == 403
    assert client.post("/api/runs/order", json=stolen).status_code == 422
    assert store.queue.waiting() == [last["id"], theirs["id"], first["id"]]
