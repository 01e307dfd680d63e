"""Studies over HTTP: the questions, a launch that reuses, progress as one, cancel, resume, and the downloads."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from app.views import questions
from core.run.spec import RunSpec
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.spec import Axis, StudySpec
from jobs.store.records import Batch
from jobs.store.store import Store
from jobs.store.studies import read_study
from tests.app.conftest import HERE
from tests.core.studies.made import finished
from tests.events import started
from tests.pictures import write_pictures

DEPTH = len(study_spec("depth", "minutes").members)


def launch(client: TestClient, name: str = "depth", scale: str = "minutes") -> dict[str, Any]:
    answer = client.post("/api/studies", json={"name": name, "scale": scale})
    assert answer.status_code == 201, answer.text
    launched: dict[str, Any] = answer.json()
    return launched


def test_a_public_server_may_bound_the_scale(store: Store) -> None:
    app = make_app(Settings(largest_study="minutes"), store, lambda _: None, dict)
    with TestClient(app, base_url=HERE) as client:
        scales = client.get("/api/studies").json()["questions"][0]["scales"]
        assert scales["minutes"]["unavailable"] is None
        assert "python -m core studies run depth --scale evening" in scales["evening"]["unavailable"]
        refused = client.post("/api/studies", json={"name": "depth", "scale": "evening"})
        assert refused.status_code == 403 and "up to the scale minutes" in refused.json()["detail"]
        assert client.post("/api/studies", json={"name": "depth", "scale": "minutes"}).status_code == 201


def test_what_never_changes_is_there_before_a_visitor_asks(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    questions.prepare()

    def again(*_: object) -> None:
        raise AssertionError("worked out once more")

    monkeypatch.setattr(questions, "figure", again)
    assert len(client.get("/api/studies").json()["questions"]) == len(STUDIES)


def test_only_runs_of_some_length_tell_the_pace(store: Store) -> None:
    """Of a short run most is not arithmetic: it would make every study look slow."""
    short = RunSpec(architecture="resnet-14", policy="batchnorm", dataset="digits", epochs=30)
    long = RunSpec(architecture="resnet-56", policy="batchnorm", dataset="fashion-mnist", epochs=4)
    for spec, words in ((short, "on two ordinary cores"), (long, "at the speed of this server's last runs")):
        store.runs.submit(spec)
        run = store.claims.take("worker")
        assert run and store.claims.finish(run.id, run.attempt, finished(0.5))
        app = make_app(Settings(), store, lambda _: None, dict)
        with TestClient(app, base_url=HERE) as fresh:
            scales = fresh.get("/api/studies").json()["questions"][0]["scales"]
            assert scales["minutes"]["basis"] == words


def finish_all(store: Store, top1: dict[str, float]) -> None:
    while run := store.claims.take("worker"):
        value = top1[run.spec.architecture] + run.spec.replicate / 100
        assert store.claims.finish(run.id, run.attempt, finished(value))


def test_the_questions_and_what_they_cost(client: TestClient) -> None:
    listed = client.get("/api/studies").json()
    assert [question["name"] for question in listed["questions"]] == list(STUDIES)
    depth = listed["questions"][0]
    minutes = depth["scales"]["minutes"]
    assert (
        minutes["runs"] == DEPTH == 15 and 0 < minutes["seconds"] <= 600 and minutes["basis"] == "on two ordinary cores"
    )
    assert minutes["setting"] == "Fashion-MNIST, 8,000 images, 4 epochs, n=5"
    assert minutes["figure"]["series"] == [] and minutes["figure"]["marks"][0]["tag"] == "D"
    assert listed["studies"] == [] and "±0.5 points" in listed["provenance"]["D"]


def test_a_study_from_its_launch_to_its_verdict(client: TestClient, store: Store, woken: list[str]) -> None:
    launched = launch(client)
    assert launched["new_runs"] == DEPTH and len(woken) == 1 and launched["url"] == f"/paper?study={launched['id']}"
    path = f"/api/studies/{launched['id']}"
    study = client.get(path).json()
    assert (study["state"], study["share"], study["counts"]["queued"]) == ("queued", 0.0, DEPTH)
    assert study["verdict"]["words"] == "undecided"
    assert launched["owner_token"] not in client.get(path).text
    finish_all(store, {"resnet-14": 0.4, "resnet-32": 0.5, "resnet-56": 0.6})
    study = client.get(path).json()
    assert (study["state"], study["share"], study["verdict"]["words"]) == ("finished", 1.0, "holds here")
    assert study["figure"]["series"][0]["mean"] == pytest.approx([42, 52, 62])
    assert study["rows"][0]["finished"] == 5 and study["members"][0]["key"]["architecture"] == "resnet-14"
    assert client.get("/api/studies").json()["studies"][0]["id"] == launched["id"]
    rows = list(csv.DictReader(io.StringIO(client.get(study["csv"]).text)))
    assert {row["architecture"] for row in rows} == {"resnet-14", "resnet-32", "resnet-56"}
    report = client.get(study["report"])
    assert "attachment" in report.headers["content-disposition"] and "holds here" in report.text
    again = client.post("/api/studies", json={"name": "depth", "scale": "minutes"})
    assert again.status_code == 200, "it is there already"
    assert again.json() == {**launched, "owner_token": None, "new_runs": 0}


def test_the_results_say_how_many_processes_trained_a_run(client: TestClient, store: Store) -> None:
    path = f"/api/studies/{launch(client)['id']}"
    for processes in (1, 2):
        run = store.claims.take("worker")
        assert run
        told = started(run.spec).model_copy(update={"processes": processes})
        store.claims.record(run.id, run.attempt, Batch(started=told))
        assert store.claims.finish(run.id, run.attempt, finished(0.5))
    rows = csv.DictReader(io.StringIO(client.get(f"{path}/results").text))
    assert {row["processes"] for row in rows} == {"1", "2"}


def test_cancel_and_resume_need_the_owners_token(client: TestClient, store: Store) -> None:
    launched = launch(client)
    path, token = f"/api/studies/{launched['id']}", {"X-Owner-Token": launched["owner_token"]}
    for action in ("cancel", "resume"):
        assert client.post(f"{path}/{action}", json={}).status_code == 403
        refused = client.post(f"{path}/{action}", json={}, headers={"X-Owner-Token": "other"})
        assert refused.status_code == 403 and "another study" in refused.json()["detail"]
    cancelled = client.post(f"{path}/cancel", json={}, headers=token).json()
    assert cancelled["state"] == "cancelled" and cancelled["counts"]["cancelled"] == DEPTH
    resumed = client.post(f"{path}/resume", json={}, headers=token).json()
    assert resumed["state"] == "queued" and resumed["counts"]["queued"] == DEPTH
    assert len(store.queue.waiting()) == DEPTH


def test_the_token_of_a_study_cancels_the_runs_that_it_launched_and_no_other(client: TestClient, store: Store) -> None:
    joined, _ = store.runs.submit(study_spec("depth", "minutes").members[0].spec)
    launched = launch(client)
    token = {"X-Owner-Token": launched["owner_token"]}
    runs = client.get(f"/api/studies/{launched['id']}").json()["members"]
    assert runs[0]["id"] == joined.id
    said = [client.get(f"/api/runs/{run['id']}").json()["study"] for run in runs]
    assert said == [None, *[launched["id"]] * (DEPTH - 1)], "a run that it joined is somebody else's"
    assert client.post(f"/api/runs/{joined.id}/cancel", json={}, headers=token).status_code == 403
    cancelled = client.post(f"/api/runs/{runs[1]['id']}/cancel", json={}, headers=token)
    assert cancelled.status_code == 200 and cancelled.json()["state"] == "cancelled"


def test_the_three_questions_about_features_share_their_runs(client: TestClient) -> None:
    assert launch(client, "gamma")["new_runs"] == len(study_spec("gamma", "minutes").members)
    assert launch(client, "threshold")["new_runs"] == 0
    assert launch(client, "relu-off")["new_runs"] == 0


def test_a_study_whose_images_are_gone_says_so_and_leaves_the_others_alone(
    client: TestClient, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONLYBN_FOLDER", str(write_pictures(tmp_path / "pictures", 2, 10)))
    axes = (Axis(field="policy", values=("batchnorm", "all")),)
    base = {"architecture": "resnet-8", "dataset": "folder", "epochs": 1}
    spec = StudySpec(study="imagenet", scale="paper", base=base, axes=axes, replicates=1)
    lost = store.studies.launch(spec)
    whole = launch(client)
    monkeypatch.delenv("ONLYBN_FOLDER")
    read_study.cache_clear()  # as after a restart

    shown = {study["id"]: study for study in client.get("/api/studies").json()["studies"]}
    assert shown[whole["id"]]["unavailable"] is None and shown[whole["id"]]["figure"]
    gone = shown[lost.id]
    assert "set ONLYBN_FOLDER" in gone["unavailable"]
    assert (gone["figure"], gone["rows"], gone["counts"]["queued"]) == (None, [], 2)
    assert [member["key"] for member in gone["members"]] == [{"policy": "batchnorm"}, {"policy": "all"}]
    path, token = f"/api/studies/{lost.id}", {"X-Owner-Token": lost.token or ""}
    assert client.post(f"{path}/cancel", json={}, headers=token).json()["state"] == "cancelled"
    assert client.get(f"{path}/results").status_code == 200, "what has finished can still be had"
    for answer in (client.get(f"{path}/report"), client.post(f"{path}/resume", json={}, headers=token)):
        assert answer.status_code == 422 and "set ONLYBN_FOLDER" in answer.json()["detail"]


def test_what_is_refused(client: TestClient, store: Store, settings: Any) -> None:
    for body, message in (
        ({"name": "deep"}, "unknown study 'deep'"),
        ({"name": "depth", "scale": "weeks"}, "scale must be 'minutes', 'evening' or 'paper'"),
        ({}, "name is missing"),
    ):
        answer = client.post("/api/studies", json=body)
        assert answer.status_code == 422 and message in answer.json()["detail"]
    assert client.get("/api/studies/nothing123").status_code == 404
    for _ in range(settings.max_queued):
        client.post("/api/runs", json={"architecture": "resnet-14", "policy": "all", "dataset": "digits", "epochs": 1})
    full = client.post("/api/studies", json={"name": "depth"})
    assert full.status_code == 429 and "The queue is full" in full.json()["detail"]


def test_studies_that_came_with_the_project(store: Store) -> None:
    app = make_app(Settings(examples=True), store, lambda _: None, dict)
    with TestClient(app, base_url=HERE) as client:
        listed = client.get("/api/studies").json()
        assert not listed["studies"] and listed["shipped"]
        first = listed["shipped"][0]
        assert first["id"] == "shipped-depth-minutes" and first["state"] in ("finished", "partial")
        assert first["shipped"]["command"] == "python -m core studies run depth --scale minutes"
        assert client.get(f"/api/studies/{first['id']}").json() == first
        rows = list(csv.DictReader(io.StringIO(client.get(first["csv"]).text)))
        assert {row["study"] for row in rows} == {"depth"}
        page = client.get(first["report"])
        assert page.status_code == 200 and "shipped-depth-minutes" in page.headers["content-disposition"]
        for change in ("cancel", "resume"):
            refused = client.post(f"/api/studies/{first['id']}/{change}", headers={"X-Owner-Token": "mine"})
            assert refused.status_code == 403 and "nobody can change it" in refused.json()["detail"]


def test_a_server_without_examples_ships_no_studies(store: Store) -> None:
    with TestClient(make_app(Settings(examples=False), store, lambda _: None, dict), base_url=HERE) as client:
        assert client.get("/api/studies").json()["shipped"] == []
        assert client.get("/api/studies/shipped-depth-minutes").status_code == 404
