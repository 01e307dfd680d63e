"""Labels of workers over HTTP: what a launch may ask for, and where one sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from jobs.lease import Identity
from jobs.store.store import Store
from jobs.store.workers import Fit
from tests.app.conftest import HERE, SPEC

QUESTION: dict[str, Any] = {
    "title": "Which policy?",
    "base": {key: SPEC[key] for key in ("architecture", "dataset", "epochs")},
    "vary": {"policy": ["batchnorm", "random-2"]},
    "replicates": 2,
}


@pytest.fixture
def demo(settings: Settings, store: Store) -> Iterator[TestClient]:
    """A server for strangers."""
    strangers = settings.model_copy(update={"profile": "demo"})
    with TestClient(make_app(strangers, store, print, lambda: {"policies": []}), base_url=HERE) as client:
        yield client


def hello(store: Store, *labels: str) -> None:
    store.workers.hello(Identity.of_this_process(), 1, fit=Fit(labels=labels))


def test_a_launch_may_ask_for_a_label(client: TestClient, store: Store) -> None:
    plain = client.post("/api/runs", json=SPEC).json()["id"]
    empty = client.post("/api/runs?label=%20", json=SPEC).json()["id"]
    special = client.post("/api/runs?label=a100", json=SPEC).json()["id"]
    assert [store.runs.get(run_id).label for run_id in (plain, empty, special)] == [None, None, "a100"]
    digests = {store.runs.get(run_id).spec.digest for run_id in (plain, special)}
    assert len(digests) == 1, "where it runs is not what it is"
    listed = client.get("/api/runs").json()["runs"]
    assert [(run["label"], bool(run["waits_for"])) for run in listed] == [("a100", True), (None, False), (None, False)]


@pytest.mark.parametrize("label", ["A100", "a b", "-a", "x" * 33, "ä"])
def test_a_wrong_label_is_refused_at_its_field(client: TestClient, store: Store, label: str) -> None:
    for path, body in (("/api/runs", SPEC), ("/api/studies", QUESTION)):
        refused = client.post(path, params={"label": label}, json=body)
        assert refused.status_code == 422, refused.text
        (problem,) = refused.json()["problems"]
        assert problem["field"] == "label"
        assert problem["sentence"].startswith(f"label: {label[:40]!r} is not a label: at most 32 lower-case letters")
    assert store.queue.waiting() == []


def test_a_question_of_ones_own_may_ask_for_a_label(client: TestClient, store: Store) -> None:
    launched = client.post("/api/studies?label=gpu", json=QUESTION).json()
    runs = store.studies.get(launched["id"]).runs
    assert len(runs) == launched["new_runs"] == 4 and {run.label for run in runs} == {"gpu"}


def test_workers_show_their_labels(client: TestClient, store: Store) -> None:
    hello(store, "a100", "gpu")
    (worker,) = client.get("/api/workers").json()["workers"]
    assert worker["labels"] == ["a100", "gpu"]


def test_strangers_cannot_make_labels_up(demo: TestClient, store: Store) -> None:
    def sentence(label: str) -> str:
        (problem,) = demo.post(f"/api/runs?label={label}", json=SPEC).json()["problems"]
        return str(problem["sentence"])

    assert sentence("rude-word") == "label: no worker here has a label now"
    hello(store, "a100", "gpu")
    assert sentence("rude-word") == "label: no worker here has the label rude-word; there are a100, gpu"
    assert demo.post("/api/runs?label=gpu", json=SPEC).status_code == 201
