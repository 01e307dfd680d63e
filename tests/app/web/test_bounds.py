"""Odd addresses, bodies and hosts are refused before anything parses them, each in one sentence and never with 5xx."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.server import make_app
from app.settings import Settings
from app.web.addresses import Hosts
from app.web.bodies import MAX_DEPTH, BadJson, Held, read_json
from app.web.listen import TIMES_A_MINUTE, Sparing
from jobs.store.store import Store
from tests.app.conftest import HERE, SPEC, Clock
from tests.faults.payloads import CONTENTS, JSON_ROUTES, NESTED, ODD_ADDRESSES, ODD_TEXTS, flat_text, many_errors

HEADERS = ("x-content-type-options", "content-security-policy", "referrer-policy")


def refused(answer: Any) -> str:
    """The sentence of a refusal that is ours."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
    assert all(header in answer.headers for header in HEADERS)
    detail: str = answer.json()["detail"]
    assert detail and len(detail) < 2000 and "Traceback" not in detail
    return detail


@pytest.mark.parametrize("route", JSON_ROUTES)
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 980, 1000, 1023])
def test_deep_json_is_refused(client: TestClient, route: str, depth: int) -> None:
    answer = client.post(route, content=NESTED if depth == 1000 else b'{"a":' * depth + b"1" + b"}" * depth)
    assert any(word in refused(answer) for word in ("nested", "lists", "no run"))


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_yaml_that_is_none_is_refused(client: TestClient, text: bytes) -> None:
    refused(client.post("/api/spec", content=text))


@pytest.mark.parametrize("address", ODD_ADDRESSES)
def test_no_address_is_an_error_of_the_server(client: TestClient, address: str) -> None:
    assert client.get(address).status_code < 500


@pytest.mark.parametrize("address", ["/api/runs?text=%00", "/api/compare?x=%1f", "/api/runs?policy=%7F", "/run%00"])
def test_control_characters_are_refused(client: TestClient, address: str) -> None:
    assert "control character" in refused(client.get(address))


def test_texts_of_specs_are_small_and_few(client: TestClient) -> None:
    assert client.post("/api/spec", content=flat_text(9000)).status_code == 413
    assert "more than 300" in refused(client.post("/api/spec", content=flat_text(7000)))


def test_few_errors_are_told(client: TestClient) -> None:
    began = time.monotonic()
    assert client.post("/api/runs", content=many_errors()).status_code == 413
    fields = {**SPEC, **{f"x{i}": 1 for i in range(500)}}
    assert refused(client.post("/api/runs", json=fields)).endswith("and 495 more")
    assert time.monotonic() - began < 5


def test_json_is_bounded_before_it_is_parsed() -> None:
    assert read_json(b'{"a": "[[[[[[[[[[[[[[[[[[[[[[", "b": []}')["b"] == []
    for body, words in (
        (b"[" * 17 + b"]" * 17, "nested"),
        (b'["' + b"]" * 30 + b'",' + b"[" * 17 + b"]" * 18, "nested"),
        (b"[" + b"[]," * 1000 + b"1]", "lists"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b"[1,]", "not valid JSON"),
    ):
        with pytest.raises(BadJson, match=words):
            read_json(body)


def test_strings_without_an_end_cost_little() -> None:
    began = time.monotonic()
    with pytest.raises(BadJson):
        read_json(b"[" * 20 + b'"\\' * 130_000)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("body", CONTENTS[-2:])
def test_made_up_folders_are_refused(client: TestClient, body: bytes) -> None:
    assert "contents" in refused(client.post("/api/preview", content=body))


def test_no_run_has_more_steps_than_a_database_can_count(client: TestClient) -> None:
    from core.run.spec import RunSpec

    with pytest.raises(ValueError, match="more than 2,147,483,647"):
        RunSpec.model_validate_json(CONTENTS[-1])


def test_uploads_share_a_bounded_memory() -> None:
    held = Held()
    assert all(held.swap(0, 8 << 20) for _ in range(8)) and not held.swap(0, 8 << 20)
    assert held.swap(0, 60_000)  # a small body always has room
    held.swap(8 << 20, 0)
    assert held.swap(0, 8 << 20)


@pytest.mark.parametrize("path", ["/healthz", "/api/runs", "/api/docs", "/static/site.css", "/api/openapi.json"])
def test_head_is_get_without_a_body(client: TestClient, path: str) -> None:
    head, get = client.head(path), client.get(path)
    assert head.status_code == get.status_code == 200 and not head.content
    assert head.headers["content-type"] == get.headers["content-type"]


def test_head_of_what_is_not_here(client: TestClient) -> None:
    assert client.head("/api/runs/NoSuchRun12345").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/runs", "GET, POST, HEAD"),
        ("GET", "/api/feed", "POST"),
        ("PUT", "/healthz", "GET"),
        ("TRACE", "/api/runs", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(client: TestClient, method: str, path: str, allowed: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405 and answer.headers["allow"] == allowed


def test_the_api_describes_our_errors(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    assert "HTTPValidationError" not in json.dumps(described)
    shape = described["paths"]["/api/count"]["get"]["responses"]["422"]["content"]["application/json"]["schema"]
    assert shape == {"$ref": "#/components/schemas/Wrong"}


@pytest.mark.parametrize(
    ("host", "known"),
    [
        *(("localhost:7860", True), ("127.0.0.1:7860", True), ("[::1]:7860", True), ("192.168.1.5", True), ("", True)),
        *(("bn.example.org", True), ("BN.example.org.:443", True), ("web", True), ("x.localhost", True)),
        *(("rebind.example:7860", False), ("localhost.evil.example", False), ("127.0.0.1.evil.example", False)),
        *(("bn.example.org.evil.example", False), ("a@localhost", False), ("localhost:7860:1", False)),
    ],
)
def test_only_names_of_this_site_are_answered(host: str, known: bool) -> None:
    assert Hosts("127.0.0.1", "https://bn.example.org", ["web"]).knows(host) is known


def test_a_rebound_name_reads_and_changes_nothing(client: TestClient, store: Store) -> None:
    lie = {"Host": "rebind.example:7860", "Origin": "http://rebind.example:7860"}
    assert "name" in refused(client.get("/api/runs", headers=lie))
    assert client.post("/api/runs", json=SPEC, headers=lie).status_code == 421
    assert store.runs.find()[1] == 0


def test_a_site_may_have_further_names(store: Store) -> None:
    app = make_app(Settings(hosts="web, lab.example.org"), store, lambda _: None, dict)
    with TestClient(app, base_url=HERE) as client:
        assert client.get("/healthz", headers={"Host": "lab.example.org"}).status_code == 200
        assert client.get("/healthz", headers={"Host": "web:7860"}).status_code == 200
        assert client.get("/healthz", headers={"Host": "other.example.org"}).status_code == 421


def test_nobody_fills_the_log() -> None:
    import logging

    clock = Clock()
    sparing = Sparing(clock)
    record = logging.LogRecord("onlybn", logging.ERROR, "x.py", 1, "The database did not answer %s", ("/",), None)
    assert [sparing(record) for _ in range(5)] == [True] * TIMES_A_MINUTE + [False] * (5 - TIMES_A_MINUTE)
    clock.seconds += 60
    assert sparing(record)
