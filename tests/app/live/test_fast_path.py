"""The feed's shortcut says the same as the whole way, and leaves to it what it cannot answer."""

from __future__ import annotations

from threading import get_ident
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from app.api import feed as whole_way
from app.live import fast_path as shortcut
from app.live.batching import Pace
from app.live.feed import Feed
from app.live.messages import Question
from app.web.security import MAX_BODY
from jobs.store.store import Store
from tests.app.conftest import Trainer


@pytest.fixture
def run_id(trainer: Trainer) -> str:
    run_id, _ = trainer.start()
    trainer.say(run_id, 1, snapshots=(0, 12, 24))
    return run_id


def question(run_id: str) -> dict[str, Any]:
    return {"runs": {run_id: {"points": 0, "snapshots": 0, "log": 0}}, "layer": None}


def test_the_whole_way_is_not_gone_and_would_say_the_same(
    client: TestClient, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = client.app.state.services.feed.answer(Question(**question(run_id)))  # type: ignore[attr-defined]
    monkeypatch.setattr(whole_way, "parse", None)  # what the whole way begins with
    answer = client.post("/api/feed", json=question(run_id))
    assert answer.status_code == 200 and answer.content == orjson.dumps(wanted)
    assert answer.headers["cache-control"] == "no-store" and "content-security-policy" in answer.headers


def test_large_answers_are_compressed_for_those_who_can_read_that(client: TestClient, run_id: str) -> None:
    zipped = client.post("/api/feed", json=question(run_id), headers={"Accept-Encoding": "gzip"})
    plain = client.post("/api/feed", json=question(run_id), headers={"Accept-Encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert zipped.json()["runs"] == plain.json()["runs"]
    assert int(zipped.headers["content-length"]) < int(plain.headers["content-length"])


def test_what_takes_long_to_compress_is_compressed_elsewhere(
    client: TestClient, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    original = shortcut._zipped
    monkeypatch.setattr(shortcut, "_zipped", lambda content: threads.append(get_ident()) or original(content))
    monkeypatch.setattr(Feed, "known", lambda feed, asked: threads.append(get_ident()) and None)  # on the event loop
    for large in (10**9, 4000):
        monkeypatch.setattr(shortcut, "LARGE", large)
        assert client.post("/api/feed", json=question(run_id)).headers["content-encoding"] == "gzip"
    assert threads[0] == threads[1] == threads[2] != threads[3]


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


def test_what_is_refused_is_refused_here_too(client: TestClient, run_id: str) -> None:
    foreign = client.post("/api/feed", json=question(run_id), headers={"Origin": "https://elsewhere.example"})
    assert foreign.status_code == 403 and "other web sites" in foreign.json()["detail"]
    large = client.post("/api/feed", content=b" " * (MAX_BODY + 1))
    assert large.status_code == 413 and "larger" in large.json()["detail"]
    for answer in (foreign, large):
        assert "content-security-policy" in answer.headers, "as every answer has"


def test_many_are_answered_in_batches(client: TestClient, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[None] = []
    monkeypatch.setattr(Pace, "rest", lambda pace: rests.append(None))
    client.post("/api/feed", json=question(run_id))
    assert not rests
    monkeypatch.setattr(Feed, "is_crowded", True)
    client.post("/api/feed", json=question(run_id))
    assert len(rests) == 1


def test_what_nobody_expected_is_answered_in_the_form_of_all_errors(
    client: TestClient, store: Store, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.curves, "delta", None)
    answer = client.post("/api/feed", json=question(run_id))
    assert answer.status_code == 500 and answer.json()["detail"]


def test_there_is_one_feed(client: TestClient) -> None:
    client.get("/healthz")
    front = client.app.middleware_stack  # type: ignore[attr-defined]
    assert front.feed is client.app.state.services.feed  # type: ignore[attr-defined]
