"""How databases are opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from jobs.store.database import open_database
from jobs.store.store import Store
from tests.jobs.support import fake_spec, in_threads


def test_sqlite_is_set_up_to_survive_power_loss(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'new' / 'folder' / 'test.db'}")
    with database.reading() as connection:
        pragmas = {
            name: connection.scalar(sa.text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 10_000, "foreign_keys": 1}
    database.close()


def test_many_threads_write_without_a_locked_database(lite: Store) -> None:
    in_threads(8, lambda _: [lite.runs.submit(fake_spec()) for _ in range(5)])
    assert lite.tallies.health().queued == 40


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_uses_connections_of_its_own(lite: Store) -> None:
    lite.runs.submit(fake_spec())
    child = os.fork()
    if child == 0:
        try:
            lite.runs.submit(fake_spec())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    lite.runs.submit(fake_spec())
    assert lite.tallies.health().queued == 3


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_spellings_of_postgresql_mean_psycopg(scheme: str) -> None:
    database = open_database(f"{scheme}://user:secret@host/db")
    assert database.engine.url.drivername == "postgresql+psycopg"
    assert database.address == "postgresql+psycopg://user:***@host/db"


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/db", "sqlite://", "sqlite:///:memory:"])
def test_a_wrong_url_is_explained(url: str) -> None:
    with pytest.raises(ValueError, match="ONLYBN_DATABASE_URL must be sqlite:///FILE or postgresql://"):
        open_database(url)
