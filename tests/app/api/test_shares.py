"""What a visitor hears of its share before it launches, and of what has been deleted."""

from __future__ import annotations

import time
from typing import Any

from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from jobs.store.store import Store
from tests.app.conftest import HERE, SPEC, Trainer

ANNA, BEN = {"X-Visitor-Token": "anna"}, {"X-Visitor-Token": "ben"}


def site(store: Store, **limits: Any) -> TestClient:
    return TestClient(make_app(Settings(**limits), store, lambda _: None, dict), base_url=HERE)


def share(client: TestClient, visitor: dict[str, str], query: str = "") -> dict[str, Any]:
    said: dict[str, Any] = client.get(f"/api/share{query}", headers=visitor).json()
    return said


def test_without_limits_there_is_nothing_to_say(store: Store) -> None:
    nothing = {"waiting_left": None, "hourly_left": None, "running_most": None, "refusal": None, "retry_s": None}
    assert share(site(store), ANNA) == {"mode": "open", "limited": False, "webhooks": "public", **nothing}


def test_the_refusal_comes_in_advance_and_in_the_same_words(store: Store) -> None:
    client = site(store, owner_waiting=2, owner_hourly=5, owner_running=1)
    seen = share(client, ANNA)
    assert (seen["waiting_left"], seen["hourly_left"], seen["running_most"]) == (2, 5, 1)
    for left in (1, 0):
        assert client.post("/api/runs", json=SPEC, headers=ANNA).status_code == 201
        assert share(client, ANNA)["waiting_left"] == left
    assert share(client, BEN) == seen, "somebody else's launches take nothing away"
    refused, seen = client.post("/api/runs", json=SPEC, headers=ANNA), share(client, ANNA)
    assert refused.status_code == 429 and seen["refusal"] == refused.json()["detail"]
    assert seen["retry_s"] == int(refused.headers["retry-after"]) and seen["hourly_left"] == 3


def test_asking_takes_nothing(store: Store) -> None:
    client = site(store, owner_hourly=2)
    assert [share(client, ANNA)["hourly_left"] for _ in range(3)] == [2, 2, 2]


def test_an_address_has_a_share_too(store: Store) -> None:
    client = site(store, owner_hourly=2, address_owners=1)
    client.post("/api/runs", json=SPEC, headers=ANNA)
    assert share(client, BEN)["hourly_left"] == 1


def test_what_the_next_run_keeps_counts(store: Store) -> None:
    client = site(store, owner_kept_mb=100)
    assert share(client, ANNA, "?disk_bytes=1000000")["refusal"] is None
    assert "would take 200 MB here" in share(client, ANNA, "?disk_bytes=200000000")["refusal"]


def test_a_mode_of_the_queue_is_said_everywhere(store: Store) -> None:
    client = site(store)
    store.switch.turn("drained")
    assert share(client, ANNA)["mode"] == "drained" and "accepts no new runs" in share(client, ANNA)["refusal"]
    assert client.get("/healthz").json()["mode"] == client.get("/api/workers").json()["mode"] == "drained"
    assert client.post("/api/feed", json={"runs": {}}).json()["server"]["mode"] == "drained"


def test_an_evicted_run_says_what_it_lost_and_offers_no_empty_file(store: Store, trainer: Trainer) -> None:
    client = site(store)
    run, _ = trainer.start()
    trainer.say(run, 1, 2)
    trainer.finish(run, capsule=b"a capsule")
    assert client.get(f"/api/runs/{run}").json()["lost"] is None
    now = time.time()
    assert store.keeping.evict([run], now) == [run]
    seen = client.get(f"/api/runs/{run}").json()
    assert seen["lost"] == {"at": now, "curves": True} and seen["result"]["top1"] == 0.75
    for what in ("points", "points?format=csv", "snapshots", "capsule"):
        gone = client.get(f"/api/runs/{run}/{what}")
        assert gone.status_code == 404 and "deleted to make room for newer runs" in gone.json()["detail"]
    assert client.get(f"/api/runs/{run}/report").status_code == 200
    start = client.post("/api/runs", json={**SPEC, "start": {"run": run}})
    assert start.status_code == 422 and "was deleted" in start.json()["detail"]


def test_a_network_that_was_too_large_is_said_too(store: Store, trainer: Trainer) -> None:
    client = site(store)
    run, _ = trainer.start()
    trainer.say(run, 1, 2)
    trainer.finish(run)
    store.keeping.say_dropped(run, 9_000_000)
    assert client.get(f"/api/runs/{run}").json()["lost"]["curves"] is False
    assert client.get(f"/api/runs/{run}/points").status_code == 200
    assert "larger than this server keeps" in client.get(f"/api/runs/{run}/capsule").json()["detail"]


def test_a_resumed_run_has_lost_nothing_any_more(store: Store, trainer: Trainer) -> None:
    run, _ = trainer.start()
    assert store.claims.fail(run, 1, "error", "broken")
    store.keeping.evict([run], time.time())
    resumed = store.runs.resume(run)
    assert resumed and resumed.evicted_at is None and resumed.checkpoint_step is None
