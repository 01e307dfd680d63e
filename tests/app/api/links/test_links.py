"""A network in a link over HTTP: as trained and edited, what cannot be carried, and the cost once it is measured."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from core.run.edits import SurgeryRequest
from core.run.link.link import decode
from core.run.link.text import content_of
from core.run.spec import RunSpec
from jobs.lease import Identity
from jobs.store.store import Store
from tests.app.api.test_evaluations import capsule_of
from tests.app.conftest import HERE, SPEC, Trainer

RUN = RunSpec.model_validate(SPEC)
ZERO = {"action": "zero", "layer": "stem.norm", "features": [1, 4]}
SCORES = {"loss": 1.0, "top1": 0.75, "top5": 0.9}


@pytest.fixture
def run_id(trainer: Trainer, store: Store) -> str:
    """A finished run with a capsule, while a worker is there."""
    store.workers.hello(Identity.of_this_process(), 1)
    run_id, _ = trainer.start()
    trainer.finish(run_id, capsule=capsule_of(RUN)[0])
    return run_id


def test_the_link_opens_the_network(client: TestClient, run_id: str) -> None:
    said = client.get(f"/api/runs/{run_id}/link").json()
    assert said["link"] == f"{HERE}/player/#{said['text']}" and said["obstacle"] is None and said["cost"] is None
    content = content_of(said["link"])
    assert said["size_bytes"] == len(content) <= 1500
    found = decode(content)
    assert found.spec == RUN and found.told.top1 == 0.75 and found.told.edited == 0
    assert said["qr"]["svg"].startswith("<svg ") and said["qr"]["modules"] == 17 + 4 * said["qr"]["version"]
    assert said["qr_obstacle"] is None


def test_edits_are_in_the_link(client: TestClient, run_id: str) -> None:
    said = client.post(f"/api/runs/{run_id}/link", json={"edits": [ZERO]}).json()
    found = decode(content_of(said["text"]))
    assert (found.told.top1, found.told.edited) == (None, 2)
    assert [i for i, gamma in enumerate(found.tensors["stem.norm.weight"]) if gamma == 0] == [1, 4]
    plain = client.post(f"/api/runs/{run_id}/link", json={}).json()
    assert plain == client.get(f"/api/runs/{run_id}/link").json()


def test_the_cost_is_shown_once_it_is_measured(client: TestClient, store: Store, run_id: str) -> None:
    request = {"edits": [ZERO], "link": True}
    asked = client.post(f"/api/runs/{run_id}/evaluations", json=request)
    assert asked.status_code == 201 and asked.json()["request"]["link"] is True
    path = f"/api/runs/{run_id}/link"
    assert client.post(path, json={"edits": [ZERO]}).json()["cost"] is None, "it is queued"
    taken = store.evaluations.take("worker")
    assert taken is not None and taken.request == SurgeryRequest.model_validate(request)
    result = {"exact": SCORES, "link": SCORES, "size_bytes": 1326, "images": 359, "test_images": 359}
    assert store.evaluations.finish(taken, result)
    assert client.post(path, json={"edits": [ZERO]}).json()["cost"] == result
    assert client.get(path).json()["cost"] is None, "that of other edits"


def test_a_link_that_no_qr_code_holds_says_so(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start(architecture="resnet-56")
    deep = RunSpec.model_validate({**SPEC, "architecture": "resnet-56"})
    trainer.finish(run_id, capsule=capsule_of(deep)[0])
    said = client.get(f"/api/runs/{run_id}/link").json()
    assert said["qr"] is None and "too many for a QR code: the largest holds 2,9" in said["qr_obstacle"]
    assert decode(content_of(said["link"])).spec == deep


def test_what_no_link_carries(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start(policy="all")
    trainer.finish(run_id, capsule=capsule_of(RunSpec.model_validate({**SPEC, "policy": "all"}))[0])
    said = client.get(f"/api/runs/{run_id}/link").json()
    assert "weights trained too" in said["obstacle"] and said["text"] is said["link"] is said["qr"] is None
    measured = client.post(f"/api/runs/{run_id}/evaluations", json={"link": True})
    assert measured.status_code == 422 and "weights trained too" in measured.json()["detail"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"edits": [{"action": "zero", "layer": "nowhere"}]}, "must be a norm layer of resnet-14"),
        ({"edits": [{"action": "burn"}]}, "action"),
        ({"edit": []}, "edit"),
    ],
)
def test_edits_that_do_not_fit_are_refused(client: TestClient, run_id: str, body: object, words: str) -> None:
    refused = client.post(f"/api/runs/{run_id}/link", json=body)
    assert refused.status_code == 422 and words in refused.json()["detail"]


def test_runs_without_a_readable_capsule(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    early = client.get(f"/api/runs/{run_id}/link")
    assert early.status_code == 404 and "only a finished run has a capsule" in early.json()["detail"]
    trainer.finish(run_id, capsule=b"nonsense")
    broken = client.get(f"/api/runs/{run_id}/link")
    assert broken.status_code == 404 and "not a safetensors file" in broken.json()["detail"]


def test_one_evaluation_measures_one_thing(client: TestClient, run_id: str) -> None:
    refused = client.post(f"/api/runs/{run_id}/evaluations", json={"link": True, "adapt": {}})
    assert refused.status_code == 422 and "one evaluation does one thing" in refused.json()["detail"]
