"""POST /api/feed: its headers and compression, and what it says where it cannot answer."""

from __future__ import annotations

from threading import get_ident
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError
from starlette.middleware.gzip import GZipResponder

from app.live.feed import Feed
from app.live.messages import Question
from app.web.bodies import MAX_BODY
from jobs.store.store import Store
from tests.app.conftest import Trainer


@pytest.fixture
def run_id(trainer: Trainer) -> str:
    run_id, _ = trainer.start()
    trainer.say(run_id, 1, snapshots=(0, 12, 24))
    return run_id


def question(run_id: str) -> dict[str, Any]:
    return {"runs": {run_id: {"points": 0, "snapshots": 0, "log": 0}}, "layer": None}


def test_an_answer_has_the_headers_of_all_answers(client: TestClient, run_id: str) -> None:
    answer = client.post("/api/feed", json=question(run_id))
    wanted = client.app.state.services.feed.answer(Question(**question(run_id)))  # type: ignore[attr-defined]
    assert answer.status_code == 200 and answer.content == orjson.dumps(wanted)
    assert answer.headers["cache-control"] == "no-store" and "content-security-policy" in answer.headers
    assert answer.headers["content-type"] == "application/json"


def test_large_answers_are_compressed_for_clients_that_can_read_that(client: TestClient, run_id: str) -> None:
    zipped = client.post("/api/feed", json=question(run_id), headers={"Accept-Encoding": "gzip"})
    plain = client.post("/api/feed", json=question(run_id), headers={"Accept-Encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert "Accept-Encoding" in zipped.headers["vary"]
    assert zipped.json()["runs"] == plain.json()["runs"]
    assert int(zipped.headers["content-length"]) < int(plain.headers["content-length"])


@pytest.mark.parametrize(("size", "apart"), [(10_000, False), (200_000, True)])
def test_what_takes_long_to_compress_is_compressed_in_a_thread(
    client: TestClient, size: int, apart: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    original = GZipResponder._compress_body

    def compress(responder: GZipResponder, body: bytes, more_body: bool) -> bytes:
        threads.append(get_ident())
        return original(responder, body, more_body)

    def known(*_: object) -> dict[str, str]:  # on the event loop
        threads.append(get_ident())
        return {"filling": "x" * size}

    monkeypatch.setattr(GZipResponder, "_compress_body", compress)
    monkeypatch.setattr(Feed, "known", known)
    answer = client.post("/api/feed", json={"runs": {}}, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip" and len(answer.json()["filling"]) == size
    assert (threads[0] != threads[1]) is apart


def test_what_is_known_is_answered_without_a_thread(
    client: TestClient, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.app.state.services.feed, "_now", lambda: 100.0)  # type: ignore[attr-defined]
    first = client.post("/api/feed", json=question(run_id)).json()
    monkeypatch.setattr(Feed, "answer", None)
    assert client.post("/api/feed", json=question(run_id)).json() == first


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"runs": {"x": {}}}', b'{"runs": {}, "layer": -1}'])
def test_wrong_questions_get_words(client: TestClient, body: bytes) -> None:
    answer = client.post("/api/feed", content=body)
    assert answer.status_code == 422 and answer.json()["detail"]


def test_without_a_database_it_says_so(
    client: TestClient, store: Store, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("select", {}, Exception("away"))

    monkeypatch.setattr(store.curves, "delta", away)
    answer = client.post("/api/feed", json=question(run_id))
    assert answer.status_code == 503 and "try again" in answer.json()["detail"]


def test_what_is_refused_elsewhere_is_refused_here(client: TestClient, run_id: str) -> None:
    foreign = client.post("/api/feed", json=question(run_id), headers={"Origin": "https://elsewhere.example"})
    assert foreign.status_code == 403 and "other web sites" in foreign.json()["detail"]
    large = client.post("/api/feed", content=b" " * (MAX_BODY + 1))
    assert large.status_code == 413 and "larger" in large.json()["detail"]
    for answer in (foreign, large):
        assert "content-security-policy" in answer.headers, "as every answer has"


def test_what_nobody_expected_is_answered_in_the_form_of_all_errors(
    client: TestClient, store: Store, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.curves, "delta", None)
    answer = client.post("/api/feed", json=question(run_id))
    assert answer.status_code == 500 and answer.json()["detail"]
