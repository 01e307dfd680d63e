"""The gallery's route, and what the pages are told of runs that came with the project."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from app.__main__ import take_in_examples
from app.estimate import Estimator, measured
from jobs import examples
from jobs.examples import BadExample
from jobs.store import Store
from tests.app.conftest import Trainer


def test_without_examples_the_gallery_is_empty(client: TestClient) -> None:
    assert client.get("/api/examples").json() == {"examples": [], "compare": None}


def test_the_gallery_shows_them_and_so_does_everything_else(client: TestClient, store: Store) -> None:
    take_in_examples(store)
    take_in_examples(store)
    gallery = client.get("/api/examples").json()
    cards = gallery["examples"]
    assert [card["run"]["spec"]["policy"] for card in cards] == ["batchnorm", "random-2", "output", "all"]
    ids = [card["run"]["id"] for card in cards]
    assert gallery["compare"] == f"/compare?runs={','.join(ids)}"
    for card in cards:
        run = client.get(f"/api/runs/{card['run']['id']}").json()
        assert run["example"] == card["run"]["example"] and run["example"]["machine"]
        assert card["tests"][-1][0] == run["spec"]["epochs"]
        assert card["tests"][-1][1] == pytest.approx(run["top1"], abs=1e-4)
    assert client.get("/api/runs").json()["total"] == 4
    assert client.get(f"/api/runs/{ids[0]}/findings").status_code == 200
    capsule = client.get(f"/api/runs/{ids[0]}/capsule")
    assert capsule.status_code == 200 and len(capsule.content) > 1000
    assert client.delete(f"/api/runs/{ids[0]}", headers={"X-Owner-Token": "guess"}).status_code == 403


def test_what_was_removed_is_not_in_the_gallery(client: TestClient, store: Store) -> None:
    take_in_examples(store)
    first = store.examples()[0]
    assert store.remove(first.id) is None
    assert first.id not in client.get("/api/examples").text


def test_a_run_of_this_server_is_none(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    assert client.get(f"/api/runs/{run_id}").json()["example"] is None


def test_they_tell_nothing_of_the_speed_here(store: Store) -> None:
    take_in_examples(store)
    runs = store.examples()
    assert [measured(run) for run in runs] == [None] * 4
    assert Estimator(store).estimate(runs[0].spec)["basis"] == "assumed"


def test_a_broken_file_does_not_keep_the_server_from_starting(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> list[examples.Shipped]:
        raise BadExample("a.json: machine: wrong")

    monkeypatch.setattr("app.__main__.shipped", broken)
    take_in_examples(store)
    assert capsys.readouterr().err == "The examples are left out: a.json: machine: wrong\n"
    assert store.runs()[1] == 0
