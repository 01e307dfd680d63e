"""Limits over HTTP: who asks, refusals in words with a time to try again, and profiles."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from app.web.visitor import network_of
from core.studies.catalog.table import study_spec
from jobs.store.store import Store
from tests.app.api.test_starts import file_of
from tests.app.conftest import HERE, SPEC, Trainer

ANNA, BEN = {"X-Visitor-Token": "a" * 36}, {"X-Visitor-Token": "b" * 36}


def site(store: Store, **settings: Any) -> TestClient:
    return TestClient(
        make_app(Settings(**settings), store, lambda _: None, dict), base_url=HERE, raise_server_exceptions=False
    )


def refused(answer: Any, words: str) -> None:
    assert answer.status_code == 429 and words in answer.json()["detail"], answer.text
    assert 1 <= int(answer.headers["retry-after"]) <= 3600


def test_one_visitor_cannot_take_the_place_of_another(store: Store) -> None:
    client = site(store, owner_waiting=2)
    runs = [client.post("/api/runs", json=SPEC, headers=ANNA).json() for _ in range(2)]
    refused(client.post("/api/runs", json=SPEC, headers=ANNA), "of yours are waiting; the limit is 2")
    refused(client.post("/api/studies", json={"name": "gamma"}, headers=ANNA), "the limit is 2")
    owner = {"X-Owner-Token": runs[0]["owner_token"], **ANNA}
    assert client.post(f"/api/runs/{runs[0]['id']}/cancel", json={}, headers=owner).status_code == 200
    assert client.post("/api/runs", json=SPEC, headers=ANNA).status_code == 201
    refused(client.post(f"/api/runs/{runs[0]['id']}/resume", json={}, headers=owner), "the limit is 2")
    assert client.post("/api/runs", json=SPEC, headers=BEN).status_code == 201


def test_new_tokens_do_not_help_one_address(store: Store) -> None:
    client = site(store, owner_waiting=2, address_owners=3)
    answers = [client.post("/api/runs", json=SPEC, headers={"X-Visitor-Token": f"{i}" * 9}) for i in range(7)]
    assert [answer.status_code for answer in answers] == [201] * 6 + [429]
    refused(answers[-1], "6 runs and studies from your network address are waiting; the limit is 6")


def test_only_a_trusted_proxy_names_the_visitor(store: Store) -> None:
    """`testclient` is the address from which the tests ask."""
    for trusted, expected in (("", [201, 429, 429]), ("10.0.0.0/8", [201, 429, 429]), ("127.0.0.1", [201, 201, 429])):
        for run in store.queue.waiting():
            store.runs.cancel(run)
        app = make_app(Settings(owner_waiting=1, trusted_proxies=trusted), store, lambda _: None, dict)
        client = TestClient(app, base_url=HERE, client=("127.0.0.1", 5000))
        hops = ("198.51.100.1", "6.6.6.6, 198.51.100.2", "7.7.7.7, 198.51.100.2")
        said = [client.post("/api/runs", json=SPEC, headers={"X-Forwarded-For": hop}).status_code for hop in hops]
        assert said == expected, trusted


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("testclient", "testclient"),
    ],
)
def test_a_network_stands_for_a_visitor(host: str, network: str) -> None:
    assert network_of(host) == network


def test_no_token_and_no_address_is_kept(store: Store, settings: Settings) -> None:
    client = site(store)
    client.post("/api/runs", json=SPEC, headers=ANNA)
    client.post("/api/starts", content=file_of(), headers=ANNA)
    store.database.close()
    for path in settings.data.iterdir():
        content = path.read_bytes() if path.is_file() else b""
        assert ANNA["X-Visitor-Token"].encode() not in content and b"testclient" not in content


def test_evaluations_and_uploads_have_shares(store: Store, trainer: Trainer) -> None:
    run, _ = trainer.start()
    trainer.finish(run, capsule=file_of())
    from jobs.lease import Identity

    store.workers.hello(Identity.of_this_process(), 1)
    client = site(store, owner_evaluations=1)
    edits = [{"edits": [{"action": "zero", "below": below}]} for below in (0.1, 0.2)]
    path = f"/api/runs/{run}/evaluations"
    assert client.post(path, json=edits[0], headers=ANNA).status_code == 201
    refused(client.post(path, json=edits[1], headers=ANNA), "1 evaluations of yours are waiting; the limit is 1")
    assert client.post(path, json=edits[1], headers=BEN).status_code == 201


def test_a_strangers_cancel_leaves_a_study_alone(store: Store) -> None:
    client = site(store)
    specs = [
        member.spec.model_dump(mode="json", exclude_none=True) for member in study_spec("gamma", "minutes").members
    ]
    mine = [client.post("/api/runs", json=spec).json() for spec in specs]
    study = client.post("/api/studies", json={"name": "gamma"}).json()
    assert study["new_runs"] == 0
    first, *others = mine
    said = client.post(f"/api/runs/{first['id']}/cancel", json={}, headers={"X-Owner-Token": first["owner_token"]})
    assert said.status_code == 409 and "Somebody else's study needs it" in said.json()["detail"]
    bulk = {"action": "cancel", "runs": {run["id"]: run["owner_token"] for run in others}}
    changed = client.post("/api/runs/changes", json=bulk).json()
    assert changed["done"] == [] and all("else's study" in run["reason"] for run in changed["refused"])
    now = client.get(f"/api/studies/{study['id']}").json()
    assert now["state"] == "queued" and now["counts"]["queued"] == len(mine)


def test_a_profile_sets_what_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    local, demo, lab = Settings(), Settings(profile="demo"), Settings(profile="lab")
    assert local.limits.owner == Settings(profile="local").limits.owner and local.limits.owner.waiting == 0
    assert (local.max_queued, local.budget_mb, local.largest_study) == (200, 0, "paper")
    assert 0 < demo.limits.owner.waiting < lab.limits.owner.waiting and demo.largest_study == "minutes"
    assert demo.limits.cap.processor_s > 0 and demo.budget_mb > 0
    monkeypatch.setenv("ONLYBN_PROFILE", "demo")
    monkeypatch.setenv("ONLYBN_OWNER_WAITING", "0")
    monkeypatch.setenv("ONLYBN_LARGEST_STUDY", "")
    own = Settings()
    assert own.limits.owner.waiting == 0 and own.largest_study == "minutes"
    assert own.limits.owner.hourly == demo.limits.owner.hourly


def test_a_run_that_costs_too_much_is_refused_and_previewed_in_words(store: Store) -> None:
    client = site(store, run_minutes=1)
    dear = {**SPEC, "architecture": "resnet-110", "epochs": 400}
    answer = client.post("/api/runs", json=dear)
    assert answer.status_code == 422 and "epochs instead of 400 would fit" in answer.json()["detail"]
    seen = client.post("/api/preview", json=dear).json()
    assert seen["refusal"] == answer.json()["detail"] and seen["price"]["processor_s"] > 60
    study = client.post("/api/studies", json={"name": "depth", "scale": "paper"})
    assert study.status_code == 422 and "at most 60 seconds are allowed here" in study.json()["detail"]
    assert store.queue.waiting() == [] and client.post("/api/runs", json=SPEC).status_code == 201


def test_it_is_said_how_long_runs_are_kept(store: Store) -> None:
    kept = site(store, profile="demo").get("/api/kept").json()
    assert (kept["profile"], kept["keep_days"], kept["keep_failed_days"]) == ("demo", 14, 2)
    assert kept["budget_mb"] == 5000 and kept["evicted_at"] is None
    local = site(store).get("/api/kept").json()
    assert (local["keep_days"], local["budget_mb"]) == (0, 0)
