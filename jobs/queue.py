"""The queue carries one thing: a hint that a run waits. The run itself is a row of the store.

Huey forgets a message as soon as a worker takes it, so a message may be lost or come twice; neither does harm.
Messages are JSON with a signature, never pickle: access to the queue must not let anybody run code in a worker.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable
from typing import Any

from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.exceptions import ConfigurationError
from huey.registry import Message
from huey.serializer import Serializer

from jobs.settings import WorkerSettings

MAX_MESSAGE_BYTES = 64 * 1024
SIGNATURE_BYTES = hashlib.sha256().digest_size
BUSY_TIMEOUT_S = 5

logger = logging.getLogger("onlybn.queue")


class RefusedMessage(ValueError):
    """A message that this installation did not write, or no longer understands."""


class SignedJson(Serializer):  # type: ignore[misc]  # huey has no types
    """A message as JSON, preceded by its HMAC-SHA256. Reads nothing else."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._key = hashlib.sha256(b"onlybn/queue/" + key).digest()

    def _serialize(self, data: Any) -> bytes:
        body = json.dumps(list(data)).encode()
        if len(body) + SIGNATURE_BYTES > MAX_MESSAGE_BYTES:
            raise RefusedMessage(f"a message may have {MAX_MESSAGE_BYTES} bytes, this one has {len(body)}")
        return self._signature(body) + body

    def _deserialize(self, data: Any) -> Message:
        raw = bytes(data)  # SQLite and PostgreSQL hand out views
        if len(raw) > MAX_MESSAGE_BYTES:
            raise RefusedMessage(f"a message may have {MAX_MESSAGE_BYTES} bytes, this one has {len(raw)}")
        signature, body = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(body)):
            raise RefusedMessage("bad signature: it was written with another ONLYBN_SECRET, or not by OnlyBN")
        return Message(*json.loads(body))

    def _signature(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")


def make_queue(settings: WorkerSettings) -> Huey:
    """The queue of this installation. Raises ValueError if its URL or a package is wrong, and ConnectionError."""
    common = {"name": settings.queue_name, "results": False, "serializer": SignedJson(settings.signing_key())}
    url = settings.queue_url or ""
    try:
        if not url:
            settings.data.mkdir(parents=True, exist_ok=True)
            filename = str(settings.data / "queue.db")
            return SqliteHuey(filename=filename, fsync=True, strict_fifo=True, timeout=BUSY_TIMEOUT_S, **common)
        if url.startswith(("redis://", "rediss://", "unix://")):
            return RedisHuey(url=url, **common)
        if url.startswith(("postgres://", "postgresql://")):
            return _open_postgres(url, common)
    except ConfigurationError as error:
        raise ValueError(f"the queue {shown(settings)} needs a package: {error}") from error
    raise ValueError(f"ONLYBN_QUEUE_URL must begin with redis:// or postgresql://, got {shown(settings)}")


def _open_postgres(url: str, common: dict[str, Any]) -> Huey:
    for attempt in (1, 2):
        try:
            return PostgresHuey(dsn=url, **common)
        except ConfigurationError:
            raise
        except Exception as error:  # psycopg's; it is an optional package, so its class cannot be named here
            if attempt == 2:
                raise ConnectionError(f"cannot open the queue in PostgreSQL: {error}") from error
            time.sleep(0.5)  # two processes that create the same tables at once: one of them fails
    raise AssertionError


def shown(settings: WorkerSettings) -> str:
    """The queue in words for a log, without its password."""
    url = settings.queue_url
    if not url:
        return str(settings.data / "queue.db")
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def waker(huey: Huey, on_wake_up: Callable[[str], None] | None = None) -> Callable[[str], bool]:
    """Register the only task and return the function that sends it: `wake(run_id)`.

    A worker passes `on_wake_up`. `wake` returns whether the message was sent; when the queue is out of reach it
    only logs that, because a worker's reaper finds the row anyway.
    """

    def wake_up(run_id: str) -> None:
        if on_wake_up is None:
            raise RuntimeError("this process sends wake-ups and does not serve them")
        on_wake_up(run_id)

    task = huey.task(name="wake_up")(wake_up)

    def wake(run_id: str) -> bool:
        try:
            task(run_id)
        except Exception as error:  # each storage has its own errors, and none may undo a submitted run
            logger.warning("Run %s waits, but the queue did not take the hint: %s", run_id, error)
            return False
        return True

    return wake
