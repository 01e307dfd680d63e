"""What an address of /compare shows, and what of it cannot be followed."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.views.comparison import MAX_RUNS, usual
from core.run.spec import RunSpec
from core.studies.catalog.table import study_spec
from jobs.store.store import Store
from tests.app.conftest import SPEC, Trainer


@pytest.fixture
def ids(store: Store) -> list[str]:
    """Three runs: two replicates, and another policy."""
    fields: tuple[dict[str, Any], ...] = ({}, {"replicate": 1}, {"policy": "all"})
    return [store.runs.submit(RunSpec.model_validate({**SPEC, **own}))[0].id for own in fields]


def look(client: TestClient, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/compare{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def shown(found: dict[str, Any]) -> list[str]:
    return [run["id"] for run in found["runs"]]


def test_nothing_asked_for_is_no_problem(client: TestClient, ids: list[str]) -> None:
    found = look(client)
    assert (found["runs"], found["missing"], found["problems"]) == ([], [], [])
    assert found["view"] == found["usual"] == usual()
    assert found["view"]["scatter"] == ["trainable", "test"] and found["view"]["log"] == "x", "the paper's own figure"


def test_runs_come_in_the_order_of_the_address_and_a_missing_one_is_named(client: TestClient, ids: list[str]) -> None:
    found = look(client, f"?runs={ids[2]},nosuchrun1234,{ids[0]},{ids[2]}")
    assert shown(found) == [ids[2], ids[0]]
    assert found["missing"] == ["nosuchrun1234"] and not found["problems"]


@pytest.mark.parametrize(
    ("query", "places"),
    [("policy=all", [2]), ("state=queued&without={0}", [2, 1]), ("policy=all,batchnorm&dataset=digits", [2, 1, 0])],
)
def test_runs_by_a_filter(client: TestClient, ids: list[str], query: str, places: list[int]) -> None:
    assert shown(look(client, "?" + query.format(*ids))) == [ids[place] for place in places]


def test_runs_of_a_study(client: TestClient, store: Store) -> None:
    study = study_spec("gamma", "minutes")
    launched = store.studies.launch(study)
    assert len(look(client, f"?study={launched.id}")["runs"]) == len(study.members)
    assert "no study nosuchstudy" in look(client, "?study=nosuchstudy")["problems"][0]


def test_every_wish_of_an_address_is_followed(client: TestClient, ids: list[str]) -> None:
    found = look(
        client,
        f"?runs={ids[0]},{ids[1]}&group=policy,norm.kind&metric=loss&x=step&band=sd&smooth=0.6&singles=1"
        f"&base={ids[1]}&scatter=epochs,seconds&log=none&sort=-test&columns=policy,test&find=res&question=depth",
    )
    assert not found["problems"]
    assert found["view"] == {
        "question": "depth",
        "group": ["policy", "norm.kind"],
        "metric": "loss",
        "x": "step",
        "band": "sd",
        "smooth": 0.6,
        "singles": True,
        "base": ids[1],
        "scatter": ["epochs", "seconds"],
        "log": "none",
        "sort": "-test",
        "columns": ["policy", "test"],
        "find": "res",
    }


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("group=colour", "group cannot be 'colour'. Allowed: setting, run, architecture"),
        ("group=run,policy", "group can be setting or run alone"),
        ("metric=f1", "metric must be one of test, train"),
        ("smooth=1", "smooth must be a number in 0..0.99, got '1'"),
        ("smooth=nan", "smooth must be a number"),
        ("scatter=test", "scatter needs 2 names, got 1"),
        ("scatter=test,colour", "scatter cannot be 'colour'"),
        ("policy=everything", "policy: "),
        ("architecture=resnet-15", "architecture: "),
        ("state=asleep", "state cannot be 'asleep'"),
        ("runs=a b", "runs must be ids of runs; these are not: 'a b'"),
        ("base=nosuchrun1234", "The baseline nosuchrun1234 is not among these runs"),
        ("colour=red", "This page has no option 'colour'"),
        ("columns=colour", "columns cannot be 'colour'"),
    ],
)
def test_what_cannot_be_followed_is_said_and_left_out(client: TestClient, query: str, words: str) -> None:
    found = look(client, f"?{query}")
    assert len(found["problems"]) == 1 and words in found["problems"][0], found["problems"]
    assert found["view"] == usual()


def test_parameters_of_the_frame_are_none_of_ours(client: TestClient) -> None:
    assert not look(client, "?embed=1&theme=dark&__theme=dark&utm_source=mail&fbclid=1")["problems"]


def test_more_runs_than_a_page_compares(client: TestClient, ids: list[str]) -> None:
    many = [*ids, *(f"nosuchrun{k:04}" for k in range(MAX_RUNS))]
    found = look(client, f"?runs={','.join(many)}")
    assert len(found["runs"]) + len(found["missing"]) == MAX_RUNS and found["total"] == MAX_RUNS + 3
    assert "203 runs match; these are 200" in found["problems"][0]


def test_the_feed_tells_the_disabled_share_without_histograms(client: TestClient, trainer: Trainer) -> None:
    run_id, _ = trainer.start()
    trainer.say(run_id, 1, snapshots=(0, 2))
    cursors = {"points": None, "disabled": 0}
    news = client.post("/api/feed", json={"runs": {run_id: cursors}}).json()["runs"][run_id]
    whole = client.post("/api/feed", json={"runs": {run_id: {"snapshots": 0}}}).json()["runs"][run_id]
    features = sum(layer["channels"] for layer in whole["run"]["layers"])
    assert news["snapshots"] == [] and len(news["disabled"]) == 2
    for (cursor, step, _, share), row in zip(news["disabled"], whole["snapshots"], strict=True):
        assert (cursor, step) == (row["id"], row["step"])
        assert share == pytest.approx(sum(row["disabled"]) / features, rel=1e-4)
    again = client.post("/api/feed", json={"runs": {run_id: news["cursor"]}}).json()["runs"][run_id]
    assert again["disabled"] == []
