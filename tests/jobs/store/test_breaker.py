"""Where the database does not answer, one waits for it, not everybody."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError, ProgrammingError

from jobs.store.breaker import OPEN_S, Breaker, DatabaseAway
from jobs.store.store import Store
from tests.app.conftest import Clock, Trainer


def away() -> OperationalError:
    return OperationalError("select", {}, Exception("away"))


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def test_after_a_failure_all_reads_fail_at_once_for_a_second(breaker: Breaker, clock: Clock) -> None:
    with pytest.raises(OperationalError), breaker.reading():
        clock.seconds += 10  # so long did it wait for the database
        raise away()
    clock.seconds += 0.9 * OPEN_S
    for _ in range(2):
        with pytest.raises(DatabaseAway), breaker.reading():
            pytest.fail("nothing is to be read")
    with pytest.raises(DatabaseAway):
        breaker.check()
    clock.seconds += 0.2 * OPEN_S
    breaker.check()
    with breaker.reading():
        pass
    with breaker.reading():
        breaker.check()


def test_then_a_single_one_tries(breaker: Breaker, clock: Clock) -> None:
    with pytest.raises(OperationalError), breaker.reading():
        raise away()
    clock.seconds += 1.1 * OPEN_S
    with pytest.raises(OperationalError), breaker.reading():
        with pytest.raises(DatabaseAway):
            breaker.check()
        with pytest.raises(DatabaseAway), breaker.reading():
            pytest.fail("another one tries already")
        raise away()
    with pytest.raises(DatabaseAway):
        breaker.check()


@pytest.mark.parametrize("fault", [ProgrammingError("select", {}, Exception("no such table")), ValueError("damaged")])
def test_what_is_no_fault_of_the_database_bothers_nobody_else(breaker: Breaker, fault: Exception) -> None:
    with pytest.raises(type(fault)), breaker.reading():
        raise fault
    breaker.check()


def test_many_watchers_wait_for_one_attempt(
    client: TestClient, store: Store, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, _ = trainer.start()
    watchers = 12
    together, attempts = threading.Barrier(watchers), []

    def watch(*asked: Any) -> None:
        attempts.append(asked)
        time.sleep(0.3)  # as a lost connection does, for longer
        raise away()

    def ask(_: int) -> int:
        together.wait()
        return client.post("/api/feed", json={"runs": {run_id: {}}}).status_code

    monkeypatch.setattr(store, "watch", watch)
    with ThreadPoolExecutor(watchers) as pool:
        assert list(pool.map(ask, range(watchers))) == [503] * watchers
    assert 1 <= len(attempts) < watchers / 2, "one; another by who comes more than a second later"
