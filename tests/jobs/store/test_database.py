"""How databases are opened."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from jobs.store.database import ANSWER_S, BUSY_TIMEOUT_S, may_pass, open_database
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


def test_sqlite_is_opened_and_read_while_somebody_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.store.database.BUSY_TIMEOUT_S", 1.0)
    url = f"sqlite:///{tmp_path / 'x.db'}"
    database = open_database(url)
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (v TEXT)")
    with database.writing():
        another = open_database(url)
        with another.reading() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
            assert connection.exec_driver_sql("PRAGMA auto_vacuum").scalar() == 2
        another.close()
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


class Cut:
    """A proxy before PostgreSQL that can hold all that is said, as a broken network does, and stay connected."""

    def __init__(self, host: str, port: int) -> None:
        self.target, self.open = (host, port), threading.Event()
        self.open.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(self.target)
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.open.wait()
                target.sendall(data)
        for end in (source, target):
            end.close()

    def close(self) -> None:
        self.open.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.mark.services
def test_a_line_that_is_held_silently_is_given_up(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.store.database.ANSWER_S", 1.0)
    monkeypatch.setattr("jobs.store.database.CONNECT_S", 2)
    real = make_url(postgres_url)
    cut = Cut(real.host or "127.0.0.1", real.port or 5432)
    database = open_database(real.set(host="127.0.0.1", port=cut.port).render_as_string(hide_password=False))
    one = sa.text("SELECT 1")
    with database.reading() as connection:
        assert connection.scalar(one) == 1
        assert connection.scalar(sa.text("SHOW statement_timeout")) == "900ms"
        assert connection.scalar(sa.text("SHOW search_path")).startswith("onlybn_"), "options of the URL stay"
    cut.open.clear()
    began = time.monotonic()
    with pytest.raises(DBAPIError) as caught, database.reading() as connection:
        connection.scalar(one)
    assert may_pass(caught.value)
    assert time.monotonic() - began < 10
    cut.open.set()
    with database.reading() as connection:
        assert connection.scalar(one) == 1
    with pytest.raises(DBAPIError), database.reading() as connection:
        connection.execute(sa.text("SELECT pg_sleep(5)"))
    with database.alone() as connection:
        connection.execute(sa.text("SELECT pg_sleep(1.5)"))  # a migration may take long
    database.close()
    cut.close()


@pytest.mark.services
def test_who_asks_over_an_idle_line_that_was_cut_waits_less_than_the_answer_may_take(postgres_url: str) -> None:
    real = make_url(postgres_url)
    cut = Cut(real.host or "127.0.0.1", real.port or 5432)
    database = open_database(real.set(host="127.0.0.1", port=cut.port).render_as_string(hide_password=False))
    with database.reading() as connection:
        connection.scalar(sa.text("SELECT 1"))
    cut.open.clear()
    began = time.monotonic()
    with pytest.raises(DBAPIError), database.reading():
        pass
    assert time.monotonic() - began < ANSWER_S
    database.close()
    cut.close()


@pytest.mark.services
def test_a_process_that_stops_within_a_transaction_keeps_no_row_for_long(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.store.database.IDLE_S", 1.0)
    stopped, other = open_database(postgres_url), open_database(postgres_url)
    with other.writing() as connection:
        connection.execute(sa.text("CREATE TABLE t (v INTEGER)"))
        connection.execute(sa.text("INSERT INTO t VALUES (1)"))
    change = sa.text("UPDATE t SET v = v + 1")
    with pytest.raises(DBAPIError) as caught, stopped.writing() as connection:
        connection.execute(change)
        with other.writing() as others:
            others.execute(change)  # waits for the row
        connection.execute(change)
    assert may_pass(caught.value)
    with other.reading() as connection:
        assert connection.scalar(sa.text("SELECT v FROM t")) == 2
    stopped.close()
    other.close()


def test_a_new_connection_to_sqlite_waits_for_no_writer(lite: Store) -> None:
    """So the log can be copied while the lock of writers is held, and readers come while somebody keeps it."""
    database = lite.database
    database.engine.dispose()
    with database.writing() as writer:
        writer.exec_driver_sql("CREATE TABLE t (v)")
        began = time.monotonic()
        with database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA auto_vacuum").scalar() == 2
        assert time.monotonic() - began < BUSY_TIMEOUT_S / 2


def test_sqlite_never_copies_its_log_while_somebody_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's WAL-reset fault needs a commit during a checkpoint."""
    monkeypatch.setattr("jobs.store.database.CHECKPOINT_BYTES", 100_000)
    monkeypatch.setattr("jobs.store.database.BUSY_TIMEOUT_S", 1.0)
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    with database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar() == 0
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (v TEXT)")
    log = tmp_path / "x.db-wal"

    def write(times: int) -> None:
        for _ in range(times):
            with database.writing() as connection:
                connection.exec_driver_sql("INSERT INTO t VALUES (?)", ("x" * 4000,))

    write(1000)
    assert log.stat().st_size < 2_000_000, "16 MB were written; the log begins anew each time it is copied"
    outsider = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    outsider.execute("BEGIN IMMEDIATE")
    before = (tmp_path / "x.db").stat().st_mtime_ns
    database._checkpoint(tmp_path / "x.db")
    assert (tmp_path / "x.db").stat().st_mtime_ns == before, "it waits for whoever writes, and gives up"
    outsider.execute("ROLLBACK")
    assert outsider.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    outsider.close()
    database.close()
