"""Packs over HTTP: which runs share a random network, their file, and every refusal in words."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from core.run.layout import kept_bytes
from core.run.pack import unpack
from core.run.spec import RunSpec
from jobs.lease import Identity
from jobs.store.store import Store
from tests.app.api.test_evaluations import capsule_of
from tests.app.conftest import SPEC, Trainer


def done(trainer: Trainer, **changes: Any) -> str:
    run_id, _ = trainer.start(**changes)
    trainer.finish(run_id, capsule=capsule_of(RunSpec.model_validate({**SPEC, **changes}))[0])
    return run_id


@pytest.fixture
def three(trainer: Trainer, store: Store) -> list[str]:
    store.workers.hello(Identity.of_this_process(), 1)
    return [done(trainer, task=task) for task in ("whole", "rotated-1", "half-1")]


def listed(client: TestClient, ids: list[str]) -> list[dict[str, Any]]:
    answer = client.get("/api/packs", params={"runs": ",".join(ids)})
    assert answer.status_code == 200, answer.json()
    found: list[dict[str, Any]] = answer.json()["packs"]
    return found


def test_runs_are_grouped_by_their_random_network(client: TestClient, trainer: Trainer, three: list[str]) -> None:
    other = [done(trainer, replicate=1, task=task) for task in ("whole", "permuted-5")]
    apart = [done(trainer, policy="all"), trainer.start(task="rotated-3")[0]]
    first, second = listed(client, [*apart, *other, *three])
    assert [row["run"] for row in first["tasks"]] == three and [row["run"] for row in second["tasks"]] == other
    assert [row["title"] for row in second["tasks"]] == ["Digits", "Digits, pixels permuted, order 5"]
    assert (first["network"], first["replicate"], second["replicate"]) == ("ResNet-14 · BatchNorm only", 0, 1)
    spec = RunSpec.model_validate(SPEC)
    assert {row["kept_bytes"] for row in first["tasks"]} == {kept_bytes(spec)} and first["whole_bytes"] > 600_000
    assert listed(client, three[:1]) == []


def test_the_file_has_the_capsules_of_the_runs(client: TestClient, three: list[str]) -> None:
    answer = client.get("/api/packs/file", params={"runs": ",".join(three)})
    assert answer.status_code == 200 and "onlybn-3-tasks.pack.safetensors" in answer.headers["content-disposition"]
    capsules = [client.get(f"/api/runs/{run_id}/capsule").content for run_id in three]
    assert [member.content for member in unpack("x", answer.content)] == capsules


def test_what_makes_no_pack_is_refused_in_words(client: TestClient, trainer: Trainer, three: list[str]) -> None:
    twin, wide = done(trainer, task="half-1"), done(trainer, task="half-0", replicate=1)
    unfinished, _ = trainer.start(task="rotated-2")
    for ids, status, words in (
        (three[:1], 422, "a pack has from 2 to 64 runs, got 1"),
        ([*three, twin], 422, f"run {twin} has the same task as run {three[2]}"),
        ([*three, wide], 422, f"run {wide} has another weight seed"),
        ([*three, unfinished], 404, "only a finished run has a capsule"),
        ([*three, "NoSuchRun12345"], 404, "there is no run NoSuchRun12345 here"),
        (["no such"], 422, "runs"),
    ):
        answer = client.get("/api/packs/file", params={"runs": ",".join(ids)})
        assert answer.status_code == status and words in answer.json()["detail"], answer.json()


def test_a_picture_is_asked_for_as_other_tasks(client: TestClient, three: list[str]) -> None:
    look = {"layer": "stem.norm", "index": 3, "task": "rotated-2", "views": ["whole", "permuted-9"]}
    answer = client.post(f"/api/runs/{three[0]}/evaluations", json={"look": look})
    assert answer.status_code == 201 and answer.json()["request"]["look"]["task"] == "rotated-2"
    plain = client.post(f"/api/runs/{three[0]}/evaluations", json={"look": {"layer": "stem.norm", "index": 3}})
    assert "task" not in plain.json()["request"]["look"], "as before there were tasks"
    wrong = client.post(f"/api/runs/{three[0]}/evaluations", json={"look": {**look, "task": "rotated-9"}})
    assert wrong.status_code == 422 and "unknown task 'rotated-9'" in wrong.json()["detail"]
    there = client.get(f"/api/runs/{three[2]}/parameters").json()
    assert there["test_images"] == 191, "of the second half"
