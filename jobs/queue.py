"""The queue carries one thing: a hint that a run waits. The run itself is a row of the store.

Huey forgets a message as soon as a worker takes it, so a message may be lost or come twice; neither does harm.
Messages are JSON with a signature, never pickle: access to the queue must not let anybody run code in a worker.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.exceptions import ConfigurationError
from huey.registry import Message
from huey.serializer import Serializer

from jobs.settings import WorkerSettings

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

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
            return _open_file(settings.data / "queue.db", common)
        if url.startswith(("redis://", "rediss://", "unix://")):
            return RedisHuey(url=_with_timeouts(url), **common)
        if url.startswith(("postgres://", "postgresql://")):
            return _open_postgres(url, common)
    except ConfigurationError as error:
        raise ValueError(f"the queue {shown(settings)} needs a package: {error}") from error
    raise ValueError(f"ONLYBN_QUEUE_URL must begin with redis:// or postgresql://, got {shown(settings)}")


def _open_file(path: Path, common: dict[str, Any]) -> Huey:
    """The queue in a file. A broken one is moved aside, since it holds hints only and every run is in the database."""
    # Not in WAL mode, in which SQLite before 3.51.3 has a fault; a queue is small, so that costs nothing.
    options = {"fsync": True, "strict_fifo": True, "timeout": BUSY_TIMEOUT_S, "journal_mode": "truncate", **common}
    with _alone(path.with_name(".queue.lock")):  # several processes start at once, and one of them mends it
        try:
            return _checked(SqliteHuey(filename=str(path), **options))
        except sqlite3.OperationalError as error:  # locked, or no access: the file itself may be fine
            if "malformed" not in str(error) and not path.is_dir():
                raise OSError(errno.EIO, f"cannot open the queue: {error}", str(path)) from error
        except sqlite3.DatabaseError:
            pass
        aside = path.with_name(f"{path.name}.broken-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
        path.replace(aside)
        for left_over in ("-wal", "-shm", "-journal"):
            path.with_name(f"{path.name}{left_over}").unlink(missing_ok=True)
        logger.warning("The queue's file was broken; it was renamed to %s and replaced by a new one.", aside.name)
        return SqliteHuey(filename=str(path), **options)


def _checked(huey: Huey) -> Huey:
    """Raises sqlite3.DatabaseError where the file cannot be read."""
    try:
        if huey.storage.sql("PRAGMA quick_check", results=True) != [("ok",)]:
            raise sqlite3.DatabaseError("malformed")
        huey.pending_count()
    except sqlite3.DatabaseError:
        huey.storage.close()
        raise
    return huey


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one process of this machine is inside at a time, where the system has such locks."""
    with path.open("w") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


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


def _with_timeouts(url: str) -> str:
    """`url` with limits for a Redis that does not answer, unless it has its own."""
    wanted = {"socket_connect_timeout": 5, "socket_timeout": 15, "health_check_interval": 15}
    missing = "&".join(f"{name}={value}" for name, value in wanted.items() if name not in url)
    return f"{url}{'&' if '?' in url else '?'}{missing}" if missing else url


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
            logger.warning("Run %s is queued, but the queue did not accept the wake-up: %s", run_id, error)
            return False
        return True

    return wake
