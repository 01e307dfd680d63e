"""Where a run says that a browser trained it: in its JSON, in words that leave the site, and in what is expected."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from app.sharing.wording import sentence
from core.run.events import Finished
from core.run.spec import RunSpec
from jobs.store.store import Store
from tests.app.api.tabs.test_tabs import send
from tests.tabs import SPEC, made_up


@pytest.fixture
def run_id(client: TestClient, store: Store) -> str:
    """A run whose browser counted one right answer more than the worker, which says that it has verified it."""
    images = SPEC.images[1]
    sent = made_up(top1=180 / images)
    made: str = send(client, sent).json()["id"]
    claimed = store.claims.take("worker")
    assert claimed and claimed.id == made and claimed.claimed
    result: Finished = claimed.claimed.model_copy(update={"top1": 179 / images})
    assert store.claims.finish(made, 1, result, sent.capsule)
    return made


def test_both_measurements_stand_beside_each_other(client: TestClient, run_id: str) -> None:
    for run in (client.get(f"/api/runs/{run_id}").json(), client.get("/api/runs").json()["runs"][0]):
        assert run["browser"] == {"top1": 180 / 359, "images": 359, "correct": 180, "found": 179, "differ": 1}
        assert run["result"]["top1"] == 179 / 359


def test_what_leaves_the_site_says_so(client: TestClient, store: Store, run_id: str) -> None:
    words = "Trained in a browser, verified here: 180 of 359 test images correct in the browser, 179 here."
    run = store.runs.get(run_id)
    assert run and sentence(run).endswith(words)
    assert words in client.get(f"/api/runs/{run_id}/report").text
    assert f"# {words}" in client.get(f"/api/runs/{run_id}/script").text
    assert words in client.get(f"/api/runs/{run_id}/script?format=ipynb").text


def test_a_run_of_this_server_says_nothing_of_browsers(client: TestClient, store: Store) -> None:
    run, _ = store.runs.submit(SPEC)
    assert client.get(f"/api/runs/{run.id}").json()["browser"] is None
    assert "browser" not in sentence(run)


def test_until_it_is_verified_the_words_are_the_browsers_alone(client: TestClient, store: Store) -> None:
    run = store.runs.get(send(client, made_up()).json()["id"])
    assert run and sentence(run).endswith("Trained in a browser, not verified here.")
    assert "Trained in a browser, not verified here." in client.get(f"/api/runs/{run.id}/report").text
    snapshots = client.get(f"/api/runs/{run.id}/snapshots").json()
    assert [layer["channels"] for layer in snapshots["layers"]] == [norm.channels for norm in SPEC.plan.norms]


def test_it_is_nobodys_twin_and_no_measure_of_speed(client: TestClient, run_id: str) -> None:
    other = client.post("/api/runs", json={**SPEC.model_dump(mode="json"), "policy": "random-2"}).json()["id"]
    outlook = client.get(f"/api/runs/{other}/outlook").json()
    assert (outlook["twin"], outlook["basis"]) == (None, "assumed")


def test_what_waits_to_be_verified_takes_no_training(client: TestClient) -> None:
    long = RunSpec(architecture="resnet-20", policy="batchnorm", dataset="digits", epochs=300)
    services = client.app.state.services  # type: ignore[attr-defined]
    training, verifying = services.estimator.estimate(long), services.estimator.estimate(long, trained=True)
    assert verifying["high"] < training["high"] / 5
