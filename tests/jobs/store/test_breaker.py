"""Where the database does not answer, one waits for it, not everybody."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError

from jobs.store.breaker import OPEN_S, Breaker, DatabaseAway


def away() -> OperationalError:
    return OperationalError("select", {}, Exception("away"))


class Clock:
    """A clock that stands still until a test moves it."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


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
