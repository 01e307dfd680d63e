"""/metrics: for who has the token only, in Prometheus' format, also while the database is away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from app.web.auth.tries import TRIES
from jobs.lease import Identity
from jobs.store.store import Store
from tests.app.conftest import HERE, Trainer

TOKEN = "a token of metrics"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def measured(store: Store) -> Iterator[TestClient]:
    app = make_app(Settings(metrics_token=SecretStr(TOKEN)), store, lambda run_id: None, dict)
    with TestClient(app, base_url=HERE, raise_server_exceptions=False) as client:
        yield client


def numbers(client: TestClient) -> dict[tuple[str, str], float]:
    answer = client.get("/metrics", headers=BEARER)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {(s.name, s.labels.get("state") or s.labels.get("status", "")): s.value for s in samples}


def test_they_say_what_is(measured: TestClient, store: Store, trainer: Trainer) -> None:
    store.workers.hello(Identity.of_this_process(), 3)
    trainer.start()
    assert measured.get("/api/runs").status_code == 200
    assert measured.get("/api/nothing").status_code == 404
    said = numbers(measured)
    assert said["onlybn_runs", "running"] == 1 and said["onlybn_workers", ""] == 1 and said["onlybn_slots", ""] == 3
    assert said["onlybn_requests_total", "200"] == said["onlybn_requests_total", "404"] == 1
    assert said["onlybn_request_seconds_count", ""] == 2
    assert said["onlybn_database_up", ""] == 1 and said["onlybn_disk_free_bytes", ""] > 0
    assert said["process_resident_memory_bytes", ""] > 0


@pytest.mark.parametrize("header", [{}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Basic {TOKEN}"}])
def test_only_the_token_opens_them(measured: TestClient, header: dict[str, str]) -> None:
    answer = measured.get("/metrics", headers=header)
    assert answer.status_code == 401 and "onlybn_" not in answer.text
    assert measured.post("/metrics", headers=BEARER).status_code == 405


def test_they_are_not_there_without_the_setting(client: TestClient) -> None:
    assert client.get("/metrics", headers=BEARER).status_code == 404


def test_behind_a_gate_the_token_is_enough(store: Store) -> None:
    password = SecretStr("correct horse battery")
    settings = Settings(metrics_token=SecretStr(TOKEN), auth="password", auth_password=password)
    with TestClient(make_app(settings, store, lambda run_id: None, dict), base_url=HERE) as client:
        assert client.get("/metrics", headers=BEARER).status_code == 200
        assert client.get("/metrics").status_code == 401


def test_strange_methods_make_no_new_row(measured: TestClient) -> None:
    for number in range(5):
        measured.request(f"BREW{number}", "/api/runs")
    text = measured.get("/metrics", headers=BEARER).text
    assert "BREW" not in text


def test_a_database_that_is_away_is_said(measured: TestClient, store: Store) -> None:
    with store.database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE evaluations")
    assert numbers(measured)["onlybn_database_up", ""] == 0


def test_a_token_that_is_guessed_too_often_opens_nothing_for_a_minute(measured: TestClient) -> None:
    for number in range(TRIES):
        assert measured.get("/metrics", headers={"Authorization": f"Bearer {number}"}).status_code == 401
    refused = measured.get("/metrics", headers=BEARER)
    assert refused.status_code == 429 and refused.headers["retry-after"] == "60"
    assert measured.get("/healthz").status_code == 200
