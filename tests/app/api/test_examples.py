"""The gallery's route, and what the pages are told of runs that came with the project."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from app.__main__ import settle_examples
from app.preview.estimate import Estimator, measured
from jobs.store import examples
from jobs.store.examples import NOBODY, BadExample
from jobs.store.store import Store
from tests.app.conftest import Trainer


def test_without_examples_the_gallery_is_empty(client: TestClient) -> None:
    assert client.get("/api/examples").json() == {"examples": [], "compare": None}


def test_the_gallery_shows_them_and_so_does_everything_else(client: TestClient, store: Store) -> None:
    settle_examples(store, True)
    settle_examples(store, True)
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


@pytest.mark.parametrize("headers", [{}, {"X-Owner-Token": "guess"}, {"X-Owner-Token": NOBODY}])
def test_nobody_owns_them_and_a_refusal_says_so(client: TestClient, store: Store, headers: dict[str, str]) -> None:
    settle_examples(store, True)
    run_id = store.examples.all()[0].id
    for refused in (
        client.delete(f"/api/runs/{run_id}", headers=headers),
        client.post(f"/api/runs/{run_id}/cancel", headers=headers),
        client.post(f"/api/runs/{run_id}/resume", headers=headers),
    ):
        assert refused.status_code == 403
        assert f"run {run_id} came with the project and has no owner" in refused.json()["detail"]
        assert "ONLYBN_EXAMPLES=false" in refused.json()["detail"]
    assert client.get(f"/api/runs/{run_id}").status_code == 200


def test_an_installation_with_runs_gets_what_it_has_never_seen(
    client: TestClient, store: Store, trainer: Trainer
) -> None:
    run_id, _ = trainer.start()
    settle_examples(store, True)
    assert len(client.get("/api/examples").json()["examples"]) == 4
    assert client.get("/api/runs").json()["runs"][0]["id"] == run_id, "they are older than what runs here"


def test_the_setting_takes_them_out_for_good(
    client: TestClient, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    settle_examples(store, False)
    settle_examples(store, True)
    assert len(store.examples.all()) == 4
    settle_examples(store, False)
    assert store.examples.all() == [] and capsys.readouterr().err == ""
    settle_examples(store, True)
    assert len(client.get("/api/examples").json()["examples"]) == 0, "who took them out is not asked again"


def test_what_cannot_be_taken_out_is_said(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settle_examples(store, True)
    first, *_ = store.examples.all()
    reasons = {first.id: "a study needs this run, so it cannot be deleted"}
    monkeypatch.setattr(store.runs, "remove", reasons.get)
    settle_examples(store, False)
    assert capsys.readouterr().err == f"The example {first.id} stays: a study needs this run, so it cannot be deleted\n"


def test_what_was_removed_is_not_in_the_gallery(client: TestClient, store: Store) -> None:
    settle_examples(store, True)
    first = store.examples.all()[0]
    assert store.runs.remove(first.id) is None
    assert first.id not in client.get("/api/examples").text


def test_a_run_of_this_server_is_none(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    assert client.get(f"/api/runs/{run_id}").json()["example"] is None


def test_they_tell_nothing_of_the_speed_here(store: Store) -> None:
    settle_examples(store, True)
    runs = store.examples.all()
    assert [measured(run) for run in runs] == [None] * 4
    assert Estimator(store).estimate(runs[0].spec)["basis"] == "assumed"


def test_a_broken_file_does_not_keep_the_server_from_starting(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> list[examples.Shipped]:
        raise BadExample("a.json: machine: wrong")

    monkeypatch.setattr("app.__main__.shipped", broken)
    settle_examples(store, True)
    assert capsys.readouterr().err == "The examples are left unchanged: a.json: machine: wrong\n"
    assert store.runs.find()[1] == 0
