"""Surgery over HTTP: γ and β to the digit, evaluations of anybody, and everything that is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from core.catalog.corruptions import CORRUPTIONS
from core.run.layout import layout
from core.run.spec import RunSpec
from jobs.lease import Identity
from jobs.store.store import Store
from tests.app.conftest import SPEC, Trainer

RUN = RunSpec.model_validate(SPEC)
ZERO = {"edits": [{"action": "zero", "below": 0.01}]}


def capsule_of(run: RunSpec) -> tuple[bytes, dict[str, Any]]:
    """A capsule's bytes without torch; every number in it is made up: and the flat tensors in it."""
    random = np.random.default_rng(0)
    sizes: dict[str, int] = {}
    for slot in layout(run):
        sizes[slot.group] = sizes.get(slot.group, 0) + int(np.prod(slot.shape))
    tensors = {group: random.normal(size=size).astype("<f4") for group, size in sizes.items()}
    if "running_var" in tensors:
        tensors["running_var"] = abs(tensors["running_var"])
    metadata = {"format": "onlybn-capsule", "spec": run.model_dump_json(), "frozen": "made up"}
    header: dict[str, Any] = {"__metadata__": metadata}
    reached = 0
    for group, values in tensors.items():
        header[group] = {"dtype": "F32", "shape": [len(values)], "data_offsets": [reached, reached + values.nbytes]}
        reached += values.nbytes
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(v.tobytes() for v in tensors.values()), tensors


@pytest.fixture
def run_id(trainer: Trainer, store: Store) -> str:
    """A finished run with a capsule, while a worker is there."""
    store.workers.hello(Identity.of_this_process(), 1)
    run_id, _ = trainer.start()
    trainer.finish(run_id, capsule=capsule_of(RUN)[0])
    return run_id


def test_parameters_come_to_the_digit(client: TestClient, run_id: str) -> None:
    answer = client.get(f"/api/runs/{run_id}/parameters").json()
    flat = capsule_of(RUN)[1]
    assert [layer["name"] for layer in answer["layers"]] == [norm.name for norm in RUN.plan.norms]
    for part in ("gamma", "beta"):
        told = np.array([value for layer in answer["layers"] for value in layer[part]], dtype=np.float32)
        assert np.array_equal(told, flat[part])
    assert (answer["shape"], answer["classes"], answer["images"], answer["test_images"]) == (
        [1, 8, 8],
        list("0123456789"),
        359,
        359,
    )


def test_parameters_that_are_not_there_are_said_so(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    early = client.get(f"/api/runs/{run_id}/parameters")
    assert early.status_code == 404 and "only a finished run has a capsule" in early.json()["detail"]
    trainer.finish(run_id, capsule=b"nonsense")
    broken = client.get(f"/api/runs/{run_id}/parameters")
    assert broken.status_code == 404 and "not a safetensors file" in broken.json()["detail"]
    assert client.get("/api/runs/NoSuchRun12345/parameters").status_code == 404


def test_an_evaluation_from_its_launch_to_its_result(
    client: TestClient, store: Store, run_id: str, woken: list[str]
) -> None:
    answer = client.post(f"/api/runs/{run_id}/evaluations", json=ZERO)
    view = answer.json()
    assert answer.status_code == 201 and (view["state"], view["run"], view["workers"]) == ("queued", run_id, 1)
    assert woken[-1] == view["id"], "the workers got a hint"
    again = client.post(f"/api/runs/{run_id}/evaluations", json=ZERO)
    assert (again.status_code, again.json()["id"], len(woken)) == (200, view["id"], 1)
    held = store.evaluations.take("worker")
    assert held is not None and held.request.model_dump(mode="json") == view["request"]
    store.evaluations.beat(held, 0.5)
    assert client.get(f"/api/evaluations/{view['id']}").json()["share"] == 0.5
    store.evaluations.finish(held, {"edited": {"top1": 0.25}})
    done = client.get(f"/api/evaluations/{view['id']}").json()
    assert (done["state"], done["result"], done["error"]) == ("finished", {"edited": {"top1": 0.25}}, None)
    assert client.get("/api/evaluations/NoSuchOne12345").status_code == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("nonsense", "not valid JSON"),
        ({"edit": []}, "edit is not a known field"),
        ({"edits": [{"action": "burn"}]}, "edits.0.action must be 'zero', 'flip' or 'reset'"),
        ({"edits": [{"action": "zero", "layer": "nowhere"}]}, "edits.0.layer must be a norm layer of resnet-14"),
        ({"edits": [{"action": "zero"}] * 201}, "edits"),
        ({"look": {"layer": "stem.norm"}}, "either index, its number in the test set, or pixels"),
        ({"look": {"layer": "stem.norm", "pixels": base64.b64encode(bytes(65)).decode()}}, "64 bytes (1 × 8 × 8)"),
        ({"look": {"layer": "stem.norm", "index": 359}}, "look.index must be 0..358, got 359"),
    ],
)
def test_bad_requests_are_refused_in_words(client: TestClient, run_id: str, body: Any, words: str) -> None:
    content = body if isinstance(body, str) else json.dumps(body)
    answer = client.post(f"/api/runs/{run_id}/evaluations", content=content)
    assert answer.status_code == 422 and words in answer.json()["detail"], answer.json()


def test_an_image_that_is_too_large_is_not_even_read(client: TestClient, run_id: str) -> None:
    look = {"layer": "stem.norm", "pixels": "A" * 300_000}
    answer = client.post(f"/api/runs/{run_id}/evaluations", json={"look": look})
    assert answer.status_code == 413


def test_a_run_that_is_not_finished_is_refused(client: TestClient, trainer: Trainer, store: Store) -> None:
    store.workers.hello(Identity.of_this_process(), 1)
    run_id, _ = trainer.start()
    answer = client.post(f"/api/runs/{run_id}/evaluations", json=ZERO)
    assert answer.status_code == 422 and "only a finished run can be edited" in answer.json()["detail"]


def test_without_a_worker_it_says_so_at_once(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    trainer.finish(run_id, capsule=capsule_of(RUN)[0])
    answer = client.post(f"/api/runs/{run_id}/evaluations", json=ZERO)
    assert answer.status_code == 503 and answer.json()["detail"].startswith("this needs a worker")


def test_too_many_are_refused(client: TestClient, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.quotas.MAX_EVALUATIONS", 1)
    assert client.post(f"/api/runs/{run_id}/evaluations", json=ZERO).status_code == 201
    other = {"edits": [{"action": "flip"}]}
    answer = client.post(f"/api/runs/{run_id}/evaluations", json=other)
    assert answer.status_code == 429 and "1 evaluations are waiting" in answer.json()["detail"]


def test_an_adaptation_is_asked_for_and_refused_at_its_field(
    client: TestClient, store: Store, trainer: Trainer, run_id: str
) -> None:
    told = client.get(f"/api/runs/{run_id}/parameters").json()["adaptation"]
    assert told["obstacle"] is None and told["worst"] == 5 and told["defaults"]["lr"] == 0.001
    assert [row["name"] for row in told["corruptions"]] == list(CORRUPTIONS)
    body = {"adapt": {"corruptions": ["blur"], "severities": [2], "lr": 0.01}}
    view = client.post(f"/api/runs/{run_id}/evaluations", json=body).json()
    assert view["request"]["adapt"] == {**told["defaults"], **body["adapt"]} and "sight" not in view["request"]
    held = store.evaluations.take("worker")
    assert held is not None and held.request.adapt is not None and held.request.adapt.lr == 0.01
    for changes, field, words in (
        ({"lr": "abc"}, "adapt.lr", "adapt.lr must be a number, got 'abc'"),
        ({"batch_size": 359}, "adapt.batch_size", "adapt.batch_size must be below the 359 test images"),
        ({"severities": [6]}, "adapt.severities", "adapt.severities must be 0..5, got 6"),
        ({"corruptions": ["fog"]}, "adapt.corruptions.0", "unknown corruption 'fog'"),
    ):
        answer = client.post(f"/api/runs/{run_id}/evaluations", json={"adapt": changes})
        (problem,) = answer.json()["problems"]
        assert answer.status_code == 422 and problem["field"] == field and words in problem["sentence"], problem

    other = {**SPEC, "norm": {"kind": "layer"}}
    layered, _ = trainer.start(norm={"kind": "layer"})
    trainer.finish(layered, capsule=capsule_of(RunSpec.model_validate(other))[0])
    why = client.get(f"/api/runs/{layered}/parameters").json()["adaptation"]["obstacle"]
    answer = client.post(f"/api/runs/{layered}/evaluations", json={"adapt": {}})
    assert "LayerNorm normalises each image by its own statistics" in why
    assert (answer.status_code, answer.json()["problems"]) == (422, [{"field": "adapt", "sentence": why}])


def test_only_the_visitor_who_asked_for_it_can_cancel_an_evaluation(
    client: TestClient, store: Store, run_id: str
) -> None:
    mine, other = {"X-Visitor-Token": "mine"}, {"X-Visitor-Token": "somebody's"}
    view = client.post(f"/api/runs/{run_id}/evaluations", json=ZERO, headers=mine).json()
    path = f"/api/evaluations/{view['id']}/cancel"
    held = store.evaluations.take("worker")
    assert held is not None and store.evaluations.beat(held, 0.1)
    refused = client.post(path, headers=other)
    assert refused.status_code == 403 and "only the visitor who asked" in refused.json()["detail"]
    assert store.evaluations.beat(held, 0.2)
    done = client.post(path, headers=mine).json()
    assert (done["state"], done["error"]) == ("failed", "It was cancelled by the visitor who asked for it.")
    assert not store.evaluations.beat(held, 0.3), "its worker notices"
    assert not store.evaluations.finish(held, {"edited": {}}), "and its result comes too late"
    again = client.post(f"/api/runs/{run_id}/evaluations", json=ZERO, headers=mine)
    assert again.status_code == 201 and again.json()["id"] != view["id"]
    assert client.post("/api/evaluations/NoSuchOne12345/cancel", headers=mine).status_code == 404


def test_one_that_has_ended_stays_as_it_is(client: TestClient, store: Store, run_id: str) -> None:
    mine = {"X-Visitor-Token": "mine"}
    view = client.post(f"/api/runs/{run_id}/evaluations", json=ZERO, headers=mine).json()
    held = store.evaluations.take("worker")
    assert held is not None and store.evaluations.finish(held, {"edited": {"top1": 0.5}})
    kept = client.post(f"/api/evaluations/{view['id']}/cancel", headers=mine).json()
    assert (kept["state"], kept["result"]) == ("finished", {"edited": {"top1": 0.5}})


def test_it_is_described(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    assert {
        "/api/runs/{run_id}/parameters",
        "/api/runs/{run_id}/evaluations",
        "/api/evaluations/{evaluation_id}",
    } <= set(described["paths"])
    assert {"SurgeryRequest", "Edit", "Look", "EvaluationView"} <= set(described["components"]["schemas"])
    assert "/api/evaluations/{evaluation_id}" in client.get("/api/docs").text
