"""Files to start from: upload, refusals, and the capsule of another run in their place."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import torch
from safetensors.torch import save
from starlette.testclient import TestClient
from torchvision import models

from app.settings import Settings
from app.web.bodies import MAX_START
from jobs.store import starts
from jobs.store.store import Store
from tests.app.conftest import SPEC, Trainer
from tests.faults.payloads import many_tensors


def file_of(metadata: dict[str, str] | None = None, floats: int = 4) -> bytes:
    """A safetensors file with one tensor."""
    rows: dict[str, Any] = {"stem.norm.weight": {"dtype": "F32", "shape": [floats], "data_offsets": [0, 4 * floats]}}
    text = json.dumps(rows | ({"__metadata__": metadata} if metadata else {})).encode()
    return len(text).to_bytes(8, "little") + text + b"\0" * 4 * floats


def upload(client: TestClient, content: bytes) -> Any:
    return client.post("/api/starts", content=content, headers={"Content-Type": "application/octet-stream"})


def test_an_uploaded_file_can_be_started_from(client: TestClient, store: Store, woken: list[str]) -> None:
    content = file_of()
    digest = hashlib.sha256(content).hexdigest()
    spec = {**SPEC, "start": digest}
    early = client.post("/api/runs", json=spec)
    assert early.status_code == 422 and "upload it first" in early.json()["detail"] and not woken
    assert client.get(f"/api/starts/{digest}").status_code == 404
    answer = upload(client, content)
    expected = {
        "digest": digest,
        "kind": "state dict",
        "tensors": 1,
        "size_bytes": len(content),
        "architecture": None,
    }
    assert answer.status_code == 201 and answer.json() == expected
    assert upload(client, content).json() == client.get(f"/api/starts/{digest}").json() == expected
    assert upload(client, file_of({"format": "onlybn-capsule"})).json()["kind"] == "capsule"
    launched = client.post("/api/runs", json=spec)
    assert launched.status_code == 201
    assert client.get(f"/api/runs/{launched.json()['id']}").json()["spec"]["start"] == digest
    assert store.starts.get(digest) == client.get(f"/api/starts/{digest}/file").content == content
    assert client.get(f"/api/starts/{'0' * 64}/file").status_code == 404


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is not a safetensors file: it has only 0 bytes"),
        (b"\x80\x04" * 100, "not a safetensors file"),
        (file_of()[:-1], "the file is cut short"),
        (b"\x02" + b"\0" * 7 + b"{}", "the file has no tensors"),
        (many_tensors(10_050), "more than 10,000 tensors"),
        (many_tensors(1, "a\0b"), "a tensor whose name is not plain text"),
        (many_tensors(2, "a\n\x1b[31m"), "a tensor whose name is not plain text"),
    ],
)
def test_what_is_no_tensor_file_is_refused(client: TestClient, content: bytes, words: str) -> None:
    answer = upload(client, content)
    assert answer.status_code == 422 and words in answer.json()["detail"]


def torchvision_like(depth: int) -> bytes:
    """A file with the names and shapes of one of torchvision's ResNets, in bytes of one each."""
    with torch.device("meta"):
        state = getattr(models, f"resnet{depth}")().state_dict()
    return save({name: torch.zeros(tensor.shape, dtype=torch.uint8) for name, tensor in state.items()})


def test_a_network_of_torchvision_names_its_architecture_and_fits_no_other(client: TestClient) -> None:
    view = upload(client, torchvision_like(18)).json()
    assert view["kind"] == "state dict" and view["architecture"] == "imagenet-resnet-18"
    spec = {**SPEC, "dataset": "cifar-10", "start": view["digest"]}
    for path in ("/api/preview", "/api/runs"):
        other = client.post(path, json=spec)
        assert other.status_code == 422 and [problem["field"] for problem in other.json()["problems"]] == ["start"]
        assert "resnet18: choose the architecture imagenet-resnet-18, not resnet-14" in other.json()["detail"]
        grey = client.post(path, json={**spec, "architecture": "imagenet-resnet-18", "dataset": "digits"})
        assert grey.status_code == 422 and "for images of 3 channels, and these have 1" in grey.json()["detail"]
    question = {
        "title": "Which depth?",
        "base": {key: value for key, value in spec.items() if key not in ("architecture", "replicate")},
        "vary": {"architecture": ["imagenet-resnet-18", "imagenet-resnet-34"]},
    }
    study = client.post("/api/studies", json=question)
    assert study.status_code == 422 and "not imagenet-resnet-34" in study.json()["detail"]
    fitting = {**spec, "architecture": "imagenet-resnet-18"}
    assert client.post("/api/preview", json=fitting).status_code == 200
    assert client.post("/api/runs", json=fitting).status_code == 201


@pytest.mark.parametrize("settings", [Settings(max_queued=5, largest_start_mb=8)])
def test_a_large_file_is_refused_and_other_addresses_stay_small(client: TestClient) -> None:
    assert upload(client, file_of(floats=MAX_START // 4 - 100)).status_code == 201
    too_large = upload(client, file_of(floats=MAX_START // 4))
    assert too_large.status_code == 413 and "8192 KB" in too_large.json()["detail"]
    assert client.post("/api/runs", content=b" " * 300_000).status_code == 413


@pytest.mark.parametrize("settings", [Settings(max_queued=5, largest_start_mb=8)])
def test_a_finished_run_can_be_started_from(client: TestClient, trainer: Trainer, settings: Settings) -> None:
    run_id, _ = trainer.start()
    spec = {**SPEC, "start": {"run": run_id}}
    early = client.post("/api/preview", json=spec)
    assert early.status_code == 422 and "only a finished run can be started from" in early.json()["detail"]
    content = file_of({"format": "onlybn-capsule"})
    trainer.finish(run_id, capsule=content)
    assert client.post("/api/preview", json=spec).status_code == 200
    launched = client.post("/api/runs", json=spec).json()["id"]
    assert client.get(f"/api/runs/{launched}").json()["spec"]["start"] == hashlib.sha256(content).hexdigest()
    trainer.store.claims.cancel(launched, 0)

    client.post(f"/api/runs/{launched}/cancel")
    large, _ = trainer.store.runs.submit(trainer.store.runs.get(run_id).spec)  # type: ignore[union-attr]
    for waiting in trainer.store.queue.waiting():
        trainer.store.claims.take("worker")
        trainer.finish(waiting)
    away = client.post("/api/runs", json={**SPEC, "start": {"run": large.id}})
    assert away.status_code == 422 and "not on this machine" in away.json()["detail"]
    folder = settings.runs_folder / large.id
    folder.mkdir(parents=True)
    (folder / "final.safetensors").write_bytes(content)
    assert client.post("/api/runs", json={**SPEC, "start": {"run": large.id}}).status_code == 201
    (folder / "final.safetensors").write_bytes(file_of(floats=MAX_START // 4))
    big = client.post("/api/runs", json={**SPEC, "start": {"run": large.id}})
    assert big.status_code == 422 and "has 8 MB, more than the 8 allowed" in big.json()["detail"]


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ({"run": "NoSuchRun12345"}, "there is no run NoSuchRun12345"),
        ({"run": "a\tNoSuchRun"}, "start must be the SHA-256 of an uploaded file"),
        ({"run": 7}, "start must be the SHA-256 of an uploaded file"),
        ({"file": "x"}, "start must be the SHA-256 of an uploaded file"),
        ("abc", "start"),
        (7, "start"),
    ],
)
def test_a_start_that_means_nothing_is_refused(client: TestClient, start: object, words: str) -> None:
    for path in ("/api/runs", "/api/preview"):
        answer = client.post(path, json={**SPEC, "start": start})
        assert answer.status_code == 422 and words in answer.json()["detail"]


def test_room_is_made_by_files_that_no_run_starts_from(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starts, "MAX_STARTS", 600)
    monkeypatch.setattr(starts, "UNUSED_FOR_S", -1.0)
    used, unused = (upload(client, file_of(floats=count)).json()["digest"] for count in (40, 41))
    assert client.post("/api/runs", json={**SPEC, "start": used}).status_code == 201
    assert upload(client, file_of(floats=42)).status_code == 201
    assert store.starts.has(used) and not store.starts.has(unused)
    full = upload(client, file_of(floats=120))
    assert full.status_code == 429 and "--start on the command line" in full.json()["detail"]
