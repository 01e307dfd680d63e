"""Stores and queues to test on: SQLite always, PostgreSQL and Redis where they run (with CI=true they must)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
import sqlalchemy as sa

from core.run.spec import RunSpec
from jobs.settings import WorkerSettings
from jobs.store.database import open_database
from jobs.store.store import Store
from jobs.store.tables import METADATA, SCHEMA
from tests.jobs.support import fake_spec

POSTGRES = os.environ.get("ONLYBN_TEST_POSTGRES_URL", "postgresql://127.0.0.1:5432/test")
REDIS = os.environ.get("ONLYBN_TEST_REDIS_URL", "redis://127.0.0.1:6379/9")


def unreachable(service: str, error: Exception) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{service} is not reachable: {error}")
    pytest.skip(f"{service} is not reachable: {error}")


@contextmanager
def schema_of_postgres() -> Iterator[str]:
    """A PostgreSQL URL whose tables are in a schema of their own. Commits do not wait for the server's disk."""
    import psycopg

    schema = f"onlybn_{secrets.token_hex(5)}"
    try:
        with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3) as connection:
            connection.execute(f"CREATE SCHEMA {schema}")
    except psycopg.OperationalError as error:
        unreachable("PostgreSQL", error)
    yield f"{POSTGRES}?options=-csearch_path%3D{schema}%20-csynchronous_commit%3Doff"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A PostgreSQL database without tables."""
    with schema_of_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_tables() -> Iterator[str]:
    """A PostgreSQL database with tables. `emptied` clears them for each test, which is faster than making them."""
    with schema_of_postgres() as url:
        store = Store(open_database(url))
        store.migrate()
        store.close()
        yield url


def emptied(url: str) -> Store:
    """The store at `url`, a PostgreSQL database, without a row and with ids that begin anew."""
    store = Store(open_database(url))
    sequences = "SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema()"
    with store.database.writing() as connection:
        for table in reversed(METADATA.sorted_tables):
            if table is not SCHEMA:
                connection.execute(sa.delete(table))
        for name in connection.scalars(sa.text(sequences)).all():
            connection.execute(sa.select(sa.func.setval(name, 1, False)))
    return store


@pytest.fixture
def redis_url() -> str:
    import redis

    client = redis.Redis.from_url(REDIS, socket_connect_timeout=3)
    try:
        client.ping()
    except redis.ConnectionError as error:
        unreachable("Redis", error)
    finally:
        client.close()
    return REDIS


@pytest.fixture
def settings(tmp_path: Path) -> WorkerSettings:
    return WorkerSettings(data=tmp_path / "data", threads=1, queue_name=f"test_{secrets.token_hex(5)}")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def store(request: pytest.FixtureRequest, tmp_path: Path, make_database: Callable[[Path], None]) -> Iterator[Store]:
    """An empty store, on each of the two databases."""
    if request.param == "sqlite":
        make_database(tmp_path / "test.db")
        store = Store(open_database(f"sqlite:///{tmp_path / 'test.db'}"))
    else:
        store = emptied(request.getfixturevalue("postgres_tables"))
    yield store
    store.close()


@pytest.fixture
def lite(settings: WorkerSettings, make_database: Callable[[Path], None]) -> Iterator[Store]:
    """An empty store in the data folder of `settings`."""
    make_database(settings.data / "onlybn.db")
    store = Store(open_database(settings.store_url))
    yield store
    store.close()


@pytest.fixture
def spec() -> RunSpec:
    return fake_spec()
