"""Backup and restore: everything comes back, also from a database that is written to meanwhile, and nothing half."""

from __future__ import annotations

import io
import os
import sys
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core.run.events import Point
from jobs import __main__ as program
from jobs.backup.archive import CannotBackUp, back_up, restore
from jobs.backup.rows import Damaged, check, copy_out
from jobs.lease import Identity
from jobs.settings import WorkerSettings
from jobs.store.database import Database, open_database
from jobs.store.records import Batch
from jobs.store.schema import WrongSchema
from jobs.store.store import Store
from jobs.store.tables import EXAMPLES, METADATA, WORKERS
from tests.events import started
from tests.jobs.support import fake_spec


def rows(database: Database) -> dict[str, list[Any]]:
    """All that is in a database but its workers."""
    with database.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in METADATA.sorted_tables
            if table is not WORKERS
        }


def fill(store: Store, runs: int = 3) -> None:
    """Some runs; the first has started and measured."""
    for replicate in range(runs):
        store.runs.submit(fake_spec(replicate=replicate))
    run = store.claims.take("worker")
    assert run is not None
    store.claims.record(run.id, 1, Batch(started=started(run.spec)))
    point = Point(step=1, epoch=0.5, split="train", loss=1.0, top1=0.5, lr=0.1)
    assert store.claims.record(run.id, 1, Batch(points=(point,))) == "ok"
    store.workers.hello(Identity.of_this_process(), 1)


def folder_of_a_run(settings: WorkerSettings, name: str) -> Path:
    folder = settings.runs_folder / name
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "step-7.safetensors").write_bytes(os.urandom(70_000))
    (folder / "events.jsonl").write_text("{}\n")
    (folder / ".tmp-1-x").write_text("a draft")
    (folder / "leads-out").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    return folder


@pytest.fixture
def empty(tmp_path: Path) -> WorkerSettings:
    return WorkerSettings(data=tmp_path / "new")


def test_all_comes_back_into_an_empty_folder(
    store: Store, settings: WorkerSettings, empty: WorkerSettings, tmp_path: Path
) -> None:
    """From SQLite and from PostgreSQL, into SQLite."""
    fill(store)
    folder = folder_of_a_run(settings, "a_run-1")
    (settings.data / "queue.key").write_text("secret")
    (settings.data / "datasets").mkdir()
    size = back_up(settings, store.database, tmp_path / "backup.tar.gz")
    assert size.files == 2 and (tmp_path / "backup.tar.gz").stat().st_mode & 0o777 == 0o600
    target = open_database(empty.store_url)
    assert restore(empty, target, tmp_path / "backup.tar.gz").files == 2
    assert rows(target) == rows(store.database)
    with target.reading() as connection:
        assert connection.execute(sa.select(WORKERS)).all() == []
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    again = empty.runs_folder / "a_run-1"
    assert sorted(path.name for path in again.iterdir()) == ["checkpoints", "events.jsonl"]
    same = (folder / "checkpoints" / "step-7.safetensors").read_bytes()
    assert (again / "checkpoints" / "step-7.safetensors").read_bytes() == same
    assert not (empty.data / "queue.key").exists()
    assert not [path for path in (*empty.data.iterdir(), *tmp_path.iterdir()) if path.name.startswith(".")]
    restored = Store(target)
    run, _ = restored.runs.submit(fake_spec(replicate=9))  # it goes on counting
    assert restored.claims.take("another") is not None and restored.runs.get(run.id) is not None
    restored.close()


@pytest.mark.services
def test_from_sqlite_into_postgresql_and_on(
    lite: Store, settings: WorkerSettings, postgres_url: str, tmp_path: Path
) -> None:
    fill(lite)
    back_up(settings, lite.database, tmp_path / "backup")
    there = WorkerSettings(data=tmp_path / "there", database_url=postgres_url)
    target = Store(open_database(postgres_url))
    target.migrate()  # empty tables, as a server that has just started leaves them
    restore(there, target.database, tmp_path / "backup")
    assert rows(target.database) == rows(lite.database)
    run, _ = target.runs.submit(fake_spec(replicate=9))
    assert target.runs.get(run.id) is not None
    point = Point(step=2, epoch=0.5, split="train", loss=1.0, top1=0.5, lr=0.1)
    first = target.claims.take("another")
    assert first is not None and target.claims.record(first.id, first.attempt, Batch(points=(point,))) == "ok"
    with pytest.raises(CannotBackUp, match="is not empty"):
        restore(
            WorkerSettings(data=tmp_path / "third", database_url=postgres_url), target.database, tmp_path / "backup"
        )
    target.close()


def test_a_copy_is_one_moment_while_others_write(store: Store, tmp_path: Path) -> None:
    """Each write puts one run in and its twin, so a copy that has an odd number is of two moments."""
    done, written = threading.Event(), [0]

    def write() -> None:
        while not done.is_set():
            store_twins(store)
            written[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(8):
            file = tmp_path / f"copy-{number}.db"
            copy_out(store.database, file)
            check(file)
            copy = open_database(f"sqlite:///{file}")
            with copy.reading() as connection:
                count = connection.exec_driver_sql("SELECT count(*) FROM examples").scalar()
            copy.close()
            assert count is not None and count % 2 == 0
    finally:
        done.set()
        writer.join()
    assert written[0] > 0


def store_twins(store: Store) -> None:
    name = os.urandom(8).hex()
    with store.database.writing() as connection:
        connection.execute(sa.insert(EXAMPLES), [{"name": f"{name}-1"}, {"name": f"{name}-2"}])


def test_nothing_is_written_over(lite: Store, settings: WorkerSettings, empty: WorkerSettings, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    back_up(settings, lite.database, file)
    before = file.read_bytes()
    with pytest.raises(CannotBackUp, match="already exists; name another file"):
        back_up(settings, lite.database, file)
    assert file.read_bytes() == before
    with pytest.raises(CannotBackUp, match=r"onlybn.db already exists; restore into an empty ONLYBN_DATA"):
        restore(settings, lite.database, file)
    (empty.runs_folder / "x").mkdir(parents=True)
    with pytest.raises(CannotBackUp, match="runs is not empty"):
        restore(empty, open_database(empty.store_url), file)
    assert not Path(empty.data / "onlybn.db").exists()


@pytest.mark.parametrize("cut", [0, 1, 30, 0.5, 0.98])
def test_a_cut_archive_restores_nothing(
    lite: Store, settings: WorkerSettings, empty: WorkerSettings, tmp_path: Path, cut: float
) -> None:
    fill(lite)
    folder_of_a_run(settings, "r")
    file = tmp_path / "backup"
    size = back_up(settings, lite.database, file).size_bytes
    file.write_bytes(file.read_bytes()[: int(cut if cut >= 1 or cut == 0 else cut * size)])
    _restores_nothing(empty, file)


def test_a_changed_byte_is_noticed(
    lite: Store, settings: WorkerSettings, empty: WorkerSettings, tmp_path: Path
) -> None:
    fill(lite)
    back_up(settings, lite.database, tmp_path / "backup")
    with tarfile.open(tmp_path / "backup") as archive:
        parts = {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]
    content = bytearray(parts["onlybn.db"])
    content[-5] ^= 1
    _pack(tmp_path / "changed", parts | {"onlybn.db": bytes(content)})
    _restores_nothing(empty, tmp_path / "changed")
    _pack(tmp_path / "newer", parts | {"backup.json": parts["backup.json"].replace(b'"format": 1', b'"format": 2')})
    _restores_nothing(empty, tmp_path / "newer")
    _pack(tmp_path / "whole", parts)
    restore(empty, open_database(empty.store_url), tmp_path / "whole")


@pytest.mark.parametrize("name", ["../x", "/etc/x", "runs/../../x", "runs/a/b/c/d", "queue.key", "runs/.hidden/x"])
def test_a_foreign_archive_writes_nothing_outside(empty: WorkerSettings, tmp_path: Path, name: str) -> None:
    _pack(tmp_path / "foreign", {name: b"x"})
    _restores_nothing(empty, tmp_path / "foreign")
    with tarfile.open(tmp_path / "links", "w:gz") as archive:
        link = tarfile.TarInfo("runs/a/b")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
    _restores_nothing(empty, tmp_path / "links")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["foreign", "links", "new"]


def _pack(file: Path, parts: dict[str, bytes]) -> None:
    with tarfile.open(file, "w:gz") as archive:
        for name, content in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def _restores_nothing(empty: WorkerSettings, file: Path) -> None:
    with pytest.raises(Damaged):
        restore(empty, open_database(empty.store_url), file)
    assert list(empty.data.iterdir()) == []


def test_the_commands(
    lite: Store,
    settings: WorkerSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def told(data: Path, *words: str) -> tuple[int, str]:
        monkeypatch.setenv("ONLYBN_DATA", str(data))
        monkeypatch.setattr(sys, "argv", ["jobs", *words])
        code = program.main()
        said = capsys.readouterr()
        return code, said.err if code else said.out

    fill(lite)
    file = str(tmp_path / "day" / "backup.tar.gz")
    assert told(settings.data, "alive") == (0, "")
    code, said = told(settings.data, "backup", file)
    assert code == 0 and said.startswith(f"{file}: the database and 0 files of runs, ")
    code, said = told(settings.data, "backup", file)
    assert code == 1 and said == f"error: {file} already exists; name another file\n"
    code, said = told(tmp_path / "new", "restore", file)
    assert code == 0 and said.startswith("Restored the database")
    assert told(tmp_path / "new", "alive") == (1, "")
    code, said = told(tmp_path / "nothing", "backup", file + "2")
    assert code == 1 and "there is no database" in said and not (tmp_path / "nothing" / "onlybn.db").exists()
    code, said = told(tmp_path / "third", "restore", str(tmp_path / "no"))
    assert code == 1 and "No such file" in said


def test_an_old_database_is_brought_up_to_date(
    settings: WorkerSettings, empty: WorkerSettings, tmp_path: Path, make_database: Callable[[Path], None]
) -> None:
    make_database(settings.data / "onlybn.db")
    old = open_database(settings.store_url)
    with old.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    back_up(settings, old, tmp_path / "newer")
    old.close()
    with pytest.raises(WrongSchema, match="newer OnlyBN"):
        restore(empty, open_database(empty.store_url), tmp_path / "newer")
    assert not (empty.data / "onlybn.db").exists()
