"""The share of disabled features in a run's summary: wherever a run is shown, and by its newest snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.app.conftest import Trainer

Show = Callable[[TestClient, str], dict[str, Any]]

SHOWN: dict[str, Show] = {
    "the run": lambda client, run_id: client.get(f"/api/runs/{run_id}").json(),
    "the list": lambda client, run_id: client.get("/api/runs").json()["runs"][0],
    "the comparison": lambda client, run_id: client.get(f"/api/compare?runs={run_id}").json()["runs"][0],
    "the feed": lambda client, run_id: client.post("/api/feed", json={"runs": {run_id: {"snapshots": 0}}}).json()[
        "runs"
    ][run_id]["run"],
}


@pytest.mark.parametrize("place", SHOWN)
def test_the_newest_snapshot_counts_until_the_end(client: TestClient, trainer: Trainer, place: str) -> None:
    run_id, _ = trainer.start()
    before, _ = trainer.start(name="Has said nothing yet")
    assert SHOWN[place](client, before)["disabled"] is None
    trainer.finish(before)
    run_id, _ = trainer.start()
    trainer.say(run_id, 1, snapshots=(0, 2))
    layers = client.get(f"/api/runs/{run_id}").json()["layers"]
    features = sum(layer["channels"] for layer in layers)
    newest = sum(2 + layer for layer in range(len(layers)))  # as the trainer of the tests says it for step 2
    assert SHOWN[place](client, run_id)["disabled"] == pytest.approx(newest / features, rel=1e-4)


@pytest.mark.parametrize("place", SHOWN)
def test_the_result_counts_at_the_end(client: TestClient, trainer: Trainer, place: str) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, 1, snapshots=(0, 2))
    trainer.finish(run_id)
    ended = SHOWN[place](client, run_id)
    assert ended["disabled"] == pytest.approx(ended["result"]["disabled"], rel=1e-4)
