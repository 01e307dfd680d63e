"""The queue on its three servers, and what it refuses."""

from __future__ import annotations

import json
import pickle
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from huey import Huey
from huey.registry import Message

from jobs.queue import MAX_MESSAGE_BYTES, RefusedMessage, SignedJson, make_queue, shown, waker
from jobs.settings import WorkerSettings

SERVICES = [pytest.param(name, marks=pytest.mark.services) for name in ("redis", "postgresql")]


@pytest.fixture(params=["sqlite", *SERVICES])
def huey(request: pytest.FixtureRequest, settings: WorkerSettings) -> Iterator[Huey]:
    """An empty queue on each of the servers."""
    if request.param == "redis":
        settings = settings.model_copy(update={"queue_url": request.getfixturevalue("redis_url")})
    elif request.param == "postgresql":
        settings = settings.model_copy(update={"queue_url": request.getfixturevalue("postgres_url")})
    huey = make_queue(settings)
    yield huey
    huey.flush()
    if request.param == "redis":
        huey.storage.pool.disconnect()
    else:
        huey.storage.close()


class Exploit:
    def __reduce__(self) -> tuple[object, ...]:
        return Path("exploited").touch, ()


def test_a_hint_arrives_once_and_in_order(huey: Huey) -> None:
    heard: list[str] = []
    wake = waker(huey, heard.append)
    assert wake("one")
    assert wake("two")
    assert huey.pending_count() == 2
    while task := huey.dequeue():
        huey.execute(task)
    assert heard == ["one", "two"]
    assert huey.pending_count() == 0


def test_the_web_server_sends_and_the_worker_serves(huey: Huey, settings: WorkerSettings) -> None:
    """Two processes share nothing but the queue; the second Huey stands for the other one."""
    waker(huey)("run-1")
    heard: list[str] = []
    other = type(huey)(settings.queue_name, results=False, serializer=huey.serializer, **huey.storage_kwargs)
    waker(other, heard.append)
    other.execute(other.dequeue())
    assert heard == ["run-1"]
    if hasattr(other.storage, "pool"):
        other.storage.pool.disconnect()
    else:
        other.storage.close()


def test_planted_messages_run_no_code(huey: Huey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    waker(huey, lambda _: None)
    unsigned = json.dumps(["id", "jobs.queue.wake_up", None, 0, 0, None, ["x"], {}]).encode()
    foreign = SignedJson(b"another key").serialize(Message("id", "jobs.queue.wake_up", args=["x"], kwargs={}))
    for planted in (pickle.dumps(Exploit()), b"", b"x" * 32, unsigned, foreign, b"x" * (MAX_MESSAGE_BYTES + 1)):
        huey.storage.enqueue(planted)
        with pytest.raises(RefusedMessage):
            huey.dequeue()
    assert not Path("exploited").exists()


def test_messages_are_not_pickled(huey: Huey) -> None:
    waker(huey)("run-1")
    (raw,) = huey.storage.enqueued_items()
    message = json.loads(bytes(raw)[32:])
    assert message[1] == "jobs.queue.wake_up"
    assert message[6] == ["run-1"]


def test_a_changed_message_is_refused() -> None:
    serializer = SignedJson(b"key")
    raw = serializer.serialize(Message("id", "jobs.queue.wake_up", args=["run-1"], kwargs={}))
    assert serializer.deserialize(raw).args == ["run-1"]
    with pytest.raises(RefusedMessage, match="bad signature"):
        serializer.deserialize(raw.replace(b"run-1", b"run-2"))
    with pytest.raises(RefusedMessage, match="65536 bytes"):
        serializer.serialize(Message("id", "jobs.queue.wake_up", args=["x" * MAX_MESSAGE_BYTES], kwargs={}))


def test_a_queue_out_of_reach_does_not_undo_a_submission(
    settings: WorkerSettings, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("redis")
    huey = make_queue(settings.model_copy(update={"queue_url": "redis://:password@127.0.0.1:1/0"}))
    assert not waker(huey)("run-1")
    assert "Run run-1 is queued, but the queue did not accept the wake-up" in caplog.text
    assert "password" not in caplog.text


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "queue.db"),
        ("redis://user:password@host:6379/3", "redis://host:6379/3"),
        ("postgresql://user:pass@word@host/db?password=x", "postgresql://host/db"),
    ],
)
def test_the_queue_is_shown_without_its_password(settings: WorkerSettings, url: str | None, words: str) -> None:
    text = shown(settings.model_copy(update={"queue_url": url}))
    assert text.endswith(words)
    assert "pass" not in text


def test_a_wrong_url_is_explained(settings: WorkerSettings) -> None:
    with pytest.raises(ValueError, match="ONLYBN_QUEUE_URL must begin with redis:// or postgresql://, got amqp://host"):
        make_queue(settings.model_copy(update={"queue_url": "amqp://user:secret@host"}))
    with pytest.raises(ConnectionError, match="cannot open the queue in PostgreSQL"):
        make_queue(settings.model_copy(update={"queue_url": "postgresql://127.0.0.1:1/none"}))


def test_the_key_is_made_once_and_is_private(settings: WorkerSettings) -> None:
    key = settings.signing_key()
    assert len(key) >= 32
    assert settings.signing_key() == key
    path = settings.data / "queue.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in settings.data.iterdir()] == ["queue.key"]
    other = WorkerSettings(data=settings.data, secret="mine")
    assert other.signing_key() == b"mine"
    assert "mine" not in repr(other)


@pytest.mark.parametrize("damage", ["garbage", "cut", "empty", "pages"])
def test_a_broken_file_is_moved_aside_and_made_anew(
    settings: WorkerSettings, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    huey = make_queue(settings)
    wake = waker(huey)
    for _ in range(200):
        wake("run")
    huey.storage.close()
    path = settings.data / "queue.db"
    good = path.read_bytes()
    broken = {
        "garbage": b"garbage" * 1000,
        "cut": good[: len(good) // 2],
        "empty": b"",
        "pages": good[:4096] + b"\0" * (len(good) - 4096),
    }[damage]
    path.write_bytes(broken)
    again = make_queue(settings)
    assert waker(again)("run") and again.pending_count() >= 1
    again.storage.close()
    if damage == "garbage":
        (aside,) = settings.data.glob("queue.db.broken-*")
        assert aside.read_bytes() == broken
        assert "The queue's file was broken" in caplog.text


def test_a_queue_file_has_no_log_that_sqlite_may_spoil(settings: WorkerSettings) -> None:
    huey = make_queue(settings)
    assert huey.storage.sql("PRAGMA journal_mode", results=True) == [("truncate",)]
    huey.storage.close()


def test_redis_has_limits_of_time(settings: WorkerSettings) -> None:
    url = "redis://127.0.0.1:1/0?socket_timeout=3"
    huey = make_queue(settings.model_copy(update={"queue_url": url}))
    options = huey.storage.pool.connection_kwargs
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (3, 5)
