"""What there is to know before a launch, over HTTP: counts, experiments that can run."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from app.form.experiments import EXPERIMENTS


def test_count_and_preview_say_the_same(client: TestClient) -> None:
    counted = client.get("/api/count?architecture=resnet-110&policy=batchnorm&dataset=cifar-10&epochs=2").json()
    assert counted["counts"]["total"] == 1_730_714 and counted["counts"]["trainable"] == 8288
    spec = {"architecture": "resnet-110", "policy": "batchnorm", "dataset": "cifar-10", "epochs": 2}
    assert client.post("/api/preview", json=spec).json() == counted
    wrong = client.get("/api/count?architecture=resnet-111&policy=batchnorm")
    assert wrong.status_code == 422 and "resnet-110" in wrong.json()["detail"]
    assert "policy is missing" in client.get("/api/count?architecture=resnet-14").json()["detail"]


def test_every_experiment_can_be_launched_and_says_how_long_it_takes(client: TestClient) -> None:
    shown = client.get("/api/experiments").json()
    assert [one["name"] for one in shown] == list(EXPERIMENTS)
    for one in shown:
        assert len(one["runs"]) > 1 and 0 < one["estimate_s"]["low"] < one["estimate_s"]["high"] < 30 * 60
        single = [client.post("/api/preview", json=run).json()["estimate_s"] for run in one["runs"]]
        assert one["estimate_s"]["low"] == pytest.approx(sum(estimate["low"] for estimate in single), abs=0.2)
