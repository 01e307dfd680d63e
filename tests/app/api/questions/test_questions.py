"""Somebody's own question over HTTP: preview, launch, order, verdict, data, and what is refused."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from core.run.spec import RunSpec
from core.studies.asked.question import read_question
from jobs.store.store import Store
from jobs.store.webhooks.tables import WEBHOOKS
from tests.app.conftest import HERE
from tests.core.studies.made import finished

YAML = """
title: Which rate?
question: Does a smaller rate help random weights?
claim: {kind: beats, field: recipe.lr, value: 0.01, margin: 1}
base: {architecture: resnet-14, policy: random-2, dataset: digits, epochs: 2}
vary:
  recipe.lr: [0.01, 0.1]
replicates: 3
order: 4
"""
QUESTION: dict[str, Any] = json.loads(read_question(YAML.encode()).model_dump_json(exclude_defaults=True))


def ask(client: TestClient, **fields: Any) -> dict[str, Any]:
    answer = client.post("/api/studies", json={**QUESTION, **fields})
    assert answer.status_code == 201, answer.text
    launched: dict[str, Any] = answer.json()
    return launched


def finish_all(store: Store, good: float = 0.6) -> list[RunSpec]:
    """Train all that waits; returns the specs in the order in which workers take them."""
    taken = []
    while run := store.claims.take("worker"):
        taken.append(run.spec)
        value = (good if run.spec.recipe.lr == 0.01 else 0.5) + run.spec.replicate / 100
        assert store.claims.finish(run.id, run.attempt, finished(value))
    return taken


def test_a_preview_says_runs_time_and_price_and_starts_nothing(client: TestClient, store: Store) -> None:
    seen = client.post("/api/studies/preview", json=QUESTION).json()
    assert (seen["runs"], seen["settings"], seen["replicates"], seen["scale"]) == (6, 2, 3, "minutes")
    one = client.post("/api/preview", json=QUESTION["base"] | {"recipe": {"lr": 0.1}}).json()
    assert seen["price"]["processor_s"] == pytest.approx(6 * one["price"]["processor_s"], abs=4)
    assert seen["estimate_s"]["high"] == pytest.approx(6 * one["estimate_s"]["high"], rel=0.05)
    assert seen["claim"] == "Test accuracy: recipe.lr 0.01 beats every other value of recipe.lr by more than 1 point."
    assert seen["refusal"] is None and seen["warnings"] == []
    assert read_question(seen["yaml"].encode()).study() == read_question(YAML.encode()).study()
    assert client.post("/api/studies/preview", json=seen["question"]).json() == seen
    few = client.post("/api/studies/preview", json={**QUESTION, "replicates": 2}).json()
    assert few["warnings"] == ["A verdict needs 3 replicates; this question has 2."]
    assert store.claims.take("worker") is None


def test_from_the_question_to_the_verdict(client: TestClient, store: Store, woken: list[str]) -> None:
    launched = ask(client)
    assert launched["new_runs"] == 6 and len(woken) == 1
    assert launched["url"] == f"/compare?study={launched['id']}&group=lr"
    path = f"/api/studies/{launched['id']}"
    study = client.get(path).json()
    assert (study["state"], study["verdict"]["words"]) == ("queued", "not enough runs")
    assert study["asked"]["title"] == "Which rate?" and study["asked"]["varies"] == ["recipe.lr"]
    assert read_question(study["asked"]["yaml"].encode()).study() == read_question(YAML.encode()).study()
    taken = finish_all(store)
    wanted = [member.spec.digest for member in read_question(YAML.encode()).study().members]
    assert [spec.digest for spec in taken] == wanted, "in the shuffled order"
    study = client.get(path).json()
    assert (study["state"], study["verdict"]["words"]) == ("finished", "holds here")
    assert "+10.0 points" in study["verdict"]["sentence"] and study["rows"][0]["finished"] == 3
    shown = client.get(f"/api/compare?study={launched['id']}&group=lr").json()
    assert len(shown["runs"]) == 6 and shown["view"]["group"] == ["lr"] and not shown["problems"]
    report = client.get(study["report"])
    assert report.status_code == 200 and "Which rate?" in report.text and "recipe.lr" in report.text
    again = client.post("/api/studies", content=YAML)
    assert again.status_code == 200 and again.json()["id"] == launched["id"], "YAML asks the same"
    assert client.get("/api/studies").json()["studies"] == [], "the Paper page has none of it"


def test_all_its_data(client: TestClient, store: Store) -> None:
    launched = ask(client)
    run = store.claims.take("worker")
    assert run and store.claims.finish(run.id, run.attempt, finished(0.5))
    path = f"/api/studies/{launched['id']}/results"
    data = client.get(f"{path}.json").json()
    assert (data["title"], data["quantity"], len(data["runs"])) == ("Which rate?", "top1", 6)
    states = [row["state"] for row in data["runs"]]
    assert states.count("finished") == 1 and states.count("queued") == 5
    done = next(row for row in data["runs"] if row["state"] == "finished")
    assert done["result"]["top1"] == 0.5 and done["values"]["top1"] == 50 and done["interval"]["n"] == 1
    assert RunSpec.model_validate(done["spec"]).digest == done["digest"] == run.spec.digest
    finish_all(store)
    answer = client.get(f"{path}.csv")
    assert "attachment" in answer.headers["content-disposition"] and answer.headers["content-type"].startswith(
        "text/csv"
    )
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 6 and {row["recipe.lr"] for row in rows} == {"0.01", "0.1"}
    assert all(float(row["top1_low"]) <= float(row["top1_mean"]) <= float(row["top1_high"]) for row in rows)
    assert all(row["top1_n"] == "3" and row["top1"] and row["policy"] == "random-2" for row in rows)
    assert "Which rate" not in answer.text, "no text of somebody's in a table that a spreadsheet may run"


def test_cancel_and_resume_as_any_study(client: TestClient) -> None:
    launched = ask(client)
    path, token = f"/api/studies/{launched['id']}", {"X-Owner-Token": launched["owner_token"]}
    assert client.post(f"{path}/cancel").status_code == 403
    assert client.post(f"{path}/cancel", headers=token).json()["state"] == "cancelled"
    assert client.post(f"{path}/resume", headers=token).json()["counts"]["queued"] == 6


def test_the_data_of_a_study_that_came_with_the_project(store: Store) -> None:
    with TestClient(make_app(Settings(examples=True), store, lambda _: None, dict), base_url=HERE) as client:
        data = client.get("/api/studies/shipped-depth-minutes/results.json").json()
        assert data["runs"] and data["runs"][0]["id"] is None
        assert len(client.get("/api/studies/shipped-depth-minutes/results.csv").text.splitlines()) > 10


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({**QUESTION, "vary": {"recipe.lr": [-1, 1]}}, "vary.recipe.lr: recipe.lr must be a number above 0"),
        ({**QUESTION, "replicates": 150}, "replicates: must be less than or equal to 100, got 150"),
        ({**QUESTION, "vary": {"epochs": list(range(1, 90))}}, "are 267 runs; a question may have at most 200"),
        ({**QUESTION, "title": "<script>"}, "title: must be 1 to 60 letters"),
        ({**QUESTION, "claim": {"kind": "beats", "field": "recipe.lr", "value": 7}}, "claim.value: 7 is not among"),
        ({"title": "x"}, "base is missing; vary is missing"),
        ({**QUESTION, "base": {**QUESTION["base"], "contents": {"classes": 10}}}, "base.contents: "),
        ({**QUESTION, "base": {**QUESTION["base"], "start": {"run": "nosuchrun"}}}, "start: there is no run nosuchrun"),
        ({**QUESTION, "base": {**QUESTION["base"], "start": "0" * 64}}, "start: this server has no file"),
        ("[1]", "must"),
        ("title: [", "not valid YAML: line"),
        ("title: x\nbase: *a", "aliases (*) are not allowed"),
        ("vary: 3", "title is missing"),
        ("depth", "must name fields"),
    ],
)
def test_what_is_refused_is_said_in_a_sentence(client: TestClient, body: Any, words: str) -> None:
    sent = {"content": body} if isinstance(body, str) else {"json": body}
    for path in ("/api/studies", "/api/studies/preview"):
        answer = client.post(path, **sent)
        assert answer.status_code == 422, answer.text
        assert words in answer.json()["detail"]
    assert client.get("/api/runs").json()["total"] == 0


def test_what_is_wrong_is_said_field_by_field(client: TestClient) -> None:
    wrong = {**QUESTION, "base": {**QUESTION["base"], "epochs": 0}, "replicates": 3}
    (base,) = client.post("/api/studies/preview", json=wrong).json()["problems"]
    assert base["field"] == "base.epochs" and base["sentence"].startswith("base: epochs must be")
    several = {**QUESTION, "title": "", "replicates": 0, "claim": {"kind": "same", "field": "recipe.lr"}}
    answer = client.post("/api/studies/preview", json=several).json()
    assert {row["field"] for row in answer["problems"]} == {"title", "replicates", "claim.margin"}
    assert answer["detail"] == "; ".join(row["sentence"] for row in answer["problems"])
    (value,) = client.post("/api/studies", json={**QUESTION, "vary": {"policy": ["bn"]}, "claim": None}).json()[
        "problems"
    ]
    assert value["field"] == "vary.policy" and "unknown policy 'bn'" in value["sentence"]


def test_a_named_study_has_no_preview(client: TestClient) -> None:
    answer = client.post("/api/studies/preview", json={"name": "depth"})
    assert answer.status_code == 422 and "has a title, base and vary" in answer.json()["detail"]


def test_a_body_has_at_most_eight_kilobytes(client: TestClient) -> None:
    assert client.post("/api/studies", content=YAML + "#" * 9000).status_code == 413


def test_what_a_question_starts_from(client: TestClient, store: Store) -> None:
    """A start of a run that has not finished is refused as for a run."""
    run = client.post("/api/runs", json=QUESTION["base"]).json()["id"]
    body = {**QUESTION, "vary": {"start": [{"run": run}, None]}, "claim": None}
    answer = client.post("/api/studies", json=body)
    assert answer.status_code == 422 and "only a finished run can be started from" in answer.json()["detail"]


def test_limits_are_those_of_named_studies(store: Store) -> None:
    long = {**QUESTION, "base": {**QUESTION["base"], "epochs": 400, "architecture": "resnet-110"}}
    with TestClient(make_app(Settings(largest_study="minutes"), store, lambda _: None, dict), base_url=HERE) as client:
        refused = client.post("/api/studies", json=long)
        assert (
            refused.status_code == 403 and "this server runs questions of up to 10 minutes" in refused.json()["detail"]
        )
        assert client.post("/api/studies/preview", json=long).json()["refusal"] == refused.json()["detail"]
        assert client.post("/api/studies", json=QUESTION).status_code == 201
    with TestClient(make_app(Settings(run_minutes=1), store, lambda _: None, dict), base_url=HERE) as client:
        refused = client.post("/api/studies", json=long)
        assert refused.status_code == 422 and "of one processor core" in refused.json()["detail"]
        assert client.post("/api/studies/preview", json=long).json()["refusal"] == refused.json()["detail"]
    with TestClient(make_app(Settings(owner_hourly=1), store, lambda _: None, dict), base_url=HERE) as client:
        anna = {"X-Visitor-Token": "anna"}
        assert client.post("/api/studies", json={**QUESTION, "order": 1}, headers=anna).status_code == 201
        assert client.post("/api/studies", json={**QUESTION, "order": 2}, headers=anna).status_code == 429


def test_the_operator_takes_offensive_words_away_with_the_name_of_a_run(client: TestClient, store: Store) -> None:
    claim = {**QUESTION["claim"], "says": "Something rude."}
    launched = ask(client, title="Rude", question="Rude?", claim=claim)
    path = f"/api/studies/{launched['id']}"
    seen = client.get(path).json()
    assert (seen["asked"]["title"], seen["asked"]["claim"]) == ("Rude", "Something rude.")
    store.switch.rename(seen["members"][0]["id"], None)
    for address in (path, f"{path}/results.json", f"{path}/report", f"/compare?study={launched['id']}"):
        answer = client.get(address)
        assert "ude" not in answer.text.replace("include", "").replace("exclude", ""), address
    seen = client.get(path).json()
    assert seen["asked"]["title"] == "A question" and seen["asked"]["claim"].startswith("Test accuracy: recipe.lr 0.01")
    finish_all(store)
    assert client.get(path).json()["verdict"]["words"] == "holds here", "the answer stays"


def test_every_run_says_whose_question_it_is(client: TestClient) -> None:
    launched = ask(client)
    (*_, run) = client.get("/api/runs").json()["runs"]
    assert (run["study"], run["study_name"]) == (launched["id"], "own")
    assert run["name"].startswith("Which rate: 0.")


def test_a_webhook_of_a_question_has_the_link_to_its_comparison(store: Store) -> None:
    settings = Settings(webhooks="public")
    with TestClient(make_app(settings, store, lambda _: None, dict), base_url=HERE) as client:
        asked = client.post("/api/studies", json=QUESTION, headers={"X-Webhook": "https://8.8.8.8/hook"})
        assert asked.status_code == 201, asked.text
        with store.runs.database.reading() as connection:
            link = connection.scalar(sa.select(WEBHOOKS.c.link))
        assert link == f"{HERE}/compare?study={asked.json()['id']}&group=lr"
