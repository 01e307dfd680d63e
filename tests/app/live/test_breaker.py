"""Many who watch while the database does not answer."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from jobs.store.store import Store
from tests.app.conftest import Trainer


def test_many_watchers_wait_for_one_attempt(
    client: TestClient, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, _ = trainer.start()
    watchers = 12
    together, attempts = threading.Barrier(watchers), []

    def watch(*asked: Any) -> None:
        attempts.append(asked)
        time.sleep(0.3)  # as a lost connection does, for longer
        raise OperationalError("select", {}, Exception("away"))

    def ask(_: int) -> int:
        together.wait()
        return client.post("/api/feed", json={"runs": {run_id: {}}}).status_code

    monkeypatch.setattr(store.curves, "delta", watch)
    with ThreadPoolExecutor(watchers) as pool:
        assert list(pool.map(ask, range(watchers))) == [503] * watchers
    assert 1 <= len(attempts) < watchers / 2, "one; another by who comes more than a second later"
