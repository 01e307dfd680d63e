"""The worker that the server brings along is restarted when it dies and gone when the server stops."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import pytest

from app import worker_process
from app.worker_process import EmbeddedWorker

pytestmark = pytest.mark.server

OBEDIENT = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(0)); print(); time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def wait_for(what: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_it_starts_and_stops() -> None:
    said: list[str] = []
    worker = EmbeddedWorker((sys.executable, "-c", OBEDIENT), say=said.append)
    worker.start()
    wait_for(lambda: worker.pid)
    worker.stop()
    assert worker.pid is None and said == []


def test_a_dead_worker_is_replaced_with_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "FIRST_PAUSE_S", 0.05)
    said: list[str] = []
    worker = EmbeddedWorker((sys.executable, "-c", "raise SystemExit(3)"), say=said.append)
    worker.start()
    wait_for(lambda: len(said) >= 3)
    worker.stop()
    assert said[0] == "The worker ended with exit code 3; starting another in 0.05 s."
    assert "in 0.1 s" in said[1] and "in 0.2 s" in said[2]
    after = len(said)
    time.sleep(0.3)
    assert len(said) == after and worker.pid is None


def test_a_worker_that_does_not_listen_is_killed() -> None:
    worker = EmbeddedWorker((sys.executable, "-c", DEAF), say=lambda line: None)
    worker.start()
    wait_for(lambda: worker.pid)
    time.sleep(0.3)
    begun = time.monotonic()
    worker.stop(grace_s=0.3)
    assert worker.pid is None and time.monotonic() - begun < 3


def test_stopping_what_was_never_started_does_nothing() -> None:
    EmbeddedWorker().stop()
