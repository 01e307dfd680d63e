"""How a database comes to the schema of this program: from nothing, and from what an older program left.

`version3/` was made by the last program without migrations: by its own store a finished run with curves, snapshots,
findings, a capsule and what its trainer took; a failed, a cancelled and a removed run; three examples of which one was
removed for good; a running run with a GPU; three waiting runs in reversed order; a study of two; two evaluations; a
file to start from; two workers, one of which told of its machine. `sqlite.sql` is the dump of that file,
`postgresql.sql` (by pg_dump) has the same rows, and `read.json` is what that store read out of it.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from jobs.store import evaluations, schema
from jobs.store.database import Database, open_database
from jobs.store.records import Run
from jobs.store.schema import HEAD, WrongSchema
from jobs.store.store import Store
from jobs.store.tables import METADATA, SCHEMA
from tests.jobs.support import fake_spec, in_threads

OLD = Path(__file__).with_name("version3")
LATER = ["unattended", "pinned", "evicted_at", "dropped_at", "in_study", "study_name", "note", "tags", "question"]
LATER += ["label", "no_worker", "claimed"]  # what version 3 did not have
READ: dict[str, Any] = json.loads((OLD / "read.json").read_text())
REPOSITORY = Path(__file__).parents[3]


def fill(database: Database, path: Path) -> None:
    """Put what a dump has into an empty database."""
    if database.file:
        with closing(sqlite3.connect(database.file)) as connection:
            connection.executescript(path.read_text())
    else:
        with database.writing() as connection:
            connection.connection.driver_connection.execute(path.read_text())


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    lite = request.param == "sqlite"
    database = open_database(f"sqlite:///{tmp_path / 'test.db'}" if lite else request.getfixturevalue("postgres_url"))
    yield database
    database.close()


@pytest.fixture
def old(empty: Database) -> Database:
    """As the last program without migrations left it."""
    fill(empty, OLD / f"{empty.engine.dialect.name}.sql")
    return empty


def everything(database: Database) -> dict[str, Any]:
    """All rows of all tables."""
    with database.reading() as connection:
        there = sa.MetaData()
        there.reflect(connection)
        return {
            name: sorted(map(repr, connection.execute(sa.select(table))))
            for name, table in sorted(there.tables.items())
        }


def plain(store: Store, run: Run) -> dict[str, Any]:
    """A run as `read.json` has it."""
    told, delta = dataclasses.asdict(run), store.curves.delta(run.id, 0, 0, 0)
    assert delta
    for field in ("counts", "started", "result", *LATER):
        del told[field]
    return {
        **told,
        "spec": run.spec.digest,
        "points": [{"id": cursor, **point._asdict()} for cursor, point in delta.points],
        "snapshots": [snapshot.step for snapshot in store.curves.snapshots(run.id)],
        "speeds": [dataclasses.asdict(speed) for speed in store.curves.speeds(run.id)],
        "log": [dataclasses.asdict(row) for row in store.runs.log(run.id)],
        "capsule": (store.results.capsule(run.id) or b"").decode() or None,
        "findings": bool(store.results.findings(run.id)),
    }


def test_everything_is_read_as_before(old: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluations, "GIVEN_UP_AFTER_S", 1e12)  # however long ago the dump was made
    store = Store(old)
    store.migrate()
    runs, total = store.runs.find()
    assert total == len(READ["runs"]) and {run.id: plain(store, run) for run in runs} == READ["runs"]
    assert store.queue.waiting() == READ["waiting"]
    assert [run.id for run in store.examples.all()] == READ["examples"]
    assert store.examples.unseen(["first", "second", "third", "fourth"]) == {"fourth"}, "also the one that is gone"
    finished, waiting = [store.evaluations.get(evaluation) for evaluation in READ["evaluations"]]
    assert finished and (finished.state, finished.result) == ("finished", {"top1": 0.5})
    assert waiting and waiting.request.look and waiting.state == "queued"
    study = store.studies.get(READ["study"])
    assert study and len(study.runs) == 2 and store.studies.may_change(study.id, READ["token"])
    assert store.starts.get(READ["start"]) == b"a file to start from"


def test_what_was_removed_can_still_be_restored(old: Database) -> None:
    store = Store(old)
    store.migrate()
    assert store.runs.get(READ["removed"]) is None
    restored = store.runs.restore(READ["removed"])
    assert restored and restored.spec.name == "removed" and store.runs.get(restored.id) == restored


def test_life_goes_on(old: Database) -> None:
    store = Store(old)
    store.migrate()
    first = store.claims.take("worker")
    assert first and first.id == READ["waiting"][0]
    assert store.claims.release(first.id, first.attempt, "It was stopped.") == "queued"
    run, _ = store.runs.submit(fake_spec())
    assert store.queue.waiting() == [*READ["waiting"][:3], run.id, *READ["waiting"][3:]], "a study waits behind"
    with old.reading() as connection:
        machines = connection.execute(sa.text("SELECT name, processor, cores FROM workers ORDER BY name")).all()
    assert machines == [("worker-old", "AMD EPYC", 2), ("worker-older", None, None)]


def test_tables_that_came_late_may_be_missing(old: Database) -> None:
    with old.writing() as connection:
        for late in ("speeds", "places", "usage", "removals", "machines", "evaluations", "examples"):
            connection.execute(sa.text(f"DROP TABLE {late}"))
    store = Store(old)
    store.migrate()
    assert len(store.runs.many(READ["runs"])) == len(READ["runs"])
    assert store.runs.get(READ["removed"]) is not None and store.examples.all() == []
    assert all(store.curves.speeds(run) == [] and store.runs.get(run).usage is None for run in READ["runs"])


def test_a_new_database_is_what_migrations_make(old: Database, tmp_path: Path) -> None:
    """And both are what the statements of this program are written for."""
    schema.migrate(old)
    with old.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    new = Store(open_database(f"sqlite:///{tmp_path / 'new.db'}"))
    new.migrate()
    with new.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        tables = set(sa.inspect(connection).get_table_names())
    with old.reading() as connection:
        assert tables == set(sa.inspect(connection).get_table_names())
        assert schema.revision(connection) == HEAD
    new.close()


def test_head_is_the_newest_of_the_scripts() -> None:
    scripts = ScriptDirectory(str(REPOSITORY / "jobs/store/migrations"))
    assert scripts.get_heads() == [HEAD]


def test_a_copy_of_the_file_as_it_was_lies_beside_it(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'onlybn.db'}")
    fill(database, OLD / "sqlite.sql")
    before = everything(database)
    database.file.chmod(0o600)  # type: ignore[union-attr]
    schema.migrate(database)
    database.close()
    copy = tmp_path / f"onlybn.db.before-{HEAD}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["onlybn.db", copy.name]
    assert copy.stat().st_mode & 0o777 == 0o600
    kept = open_database(f"sqlite:///{copy}")
    assert everything(kept) == before
    kept.close()


def test_a_new_file_has_no_copy(tmp_path: Path) -> None:
    store = Store(open_database(f"sqlite:///{tmp_path / 'onlybn.db'}"))
    store.migrate()
    store.migrate()
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["onlybn.db"]


def test_where_no_copy_can_be_made_nothing_changes(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'onlybn.db'}")
    fill(database, OLD / "sqlite.sql")
    before = everything(database)
    (tmp_path / f".onlybn.db.before-{HEAD}").mkdir()
    with pytest.raises(OSError, match=r"cannot copy .*onlybn.db to .* before its schema changes"):
        schema.migrate(database)
    assert everything(database) == before
    database.close()


def test_a_failure_in_the_middle_leaves_all_as_it_was(old: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(old)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:  # the indexes come after the side tables are gone
        patch.setattr(Operations, "create_index", fail)
        with pytest.raises(RuntimeError, match="the power is gone"):
            schema.migrate(old)
    assert everything(old) == before
    schema.migrate(old)
    with old.reading() as connection:
        assert schema.revision(connection) == HEAD


@pytest.mark.parametrize(("version", "made_by"), [("2", "an older"), ("4711", "a newer"), ("9999", "a newer")])
def test_other_schemas_are_refused_in_words(old: Database, version: str, made_by: str) -> None:
    if version.isdigit() and not version.startswith("0"):
        with old.writing() as connection:
            connection.execute(sa.update(SCHEMA).values(version=int(version)))
    else:
        schema.migrate(old)
        with old.writing() as connection:
            connection.execute(sa.update(schema.REVISIONS).values(version_num=version))
    before = everything(old)
    with pytest.raises(WrongSchema) as caught:
        Store(old).migrate()
    assert str(caught.value) == (
        f"The database {old.address} has schema {version}, which this program cannot use: it is from {made_by} "
        "OnlyBN. Use that version, or another ONLYBN_DATA folder."
    )
    assert everything(old) == before


def test_threads_may_start_at_once(empty: Database) -> None:
    in_threads(6, lambda _: schema.migrate(empty))
    assert Store(empty).runs.find() == ([], 0)


def test_programs_without_migrations_refuse_a_new_database(empty: Database) -> None:
    """They look whether this is 3."""
    schema.migrate(empty)
    with empty.reading() as connection:
        assert connection.execute(sa.select(SCHEMA)).all() == [(1, 4)]


STARTS = """
import logging, sys
from jobs.store.database import open_database
from jobs.store.store import Store
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
store = Store(open_database(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
store.migrate()
print(store.runs.find()[1])
"""


@pytest.mark.server
@pytest.mark.parametrize("left", [True, False], ids=["old", "empty"])
def test_processes_that_start_at_once_wait_for_the_one_that_migrates(
    request: pytest.FixtureRequest, empty: Database, left: bool
) -> None:
    if left:
        fill(empty, OLD / f"{empty.engine.dialect.name}.sql")
    url = empty.engine.url.render_as_string(hide_password=False)
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", STARTS, url],
            cwd=REPOSITORY,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in starting:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in starting:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=120) for process in starting]
    assert [process.returncode for process in starting] == [0, 0], said
    assert [out.splitlines()[-1] for out, _ in said] == [str(len(READ["runs"]) if left else 0)] * 2
    assert sum("was migrated from schema 3 to" in out for out, _ in said) == left, "one alone did it"


@pytest.mark.server
def test_a_start_with_nothing_to_do_imports_no_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    code = f"{STARTS}\nprint('alembic' in sys.modules)"
    for _ in ("new", "there"):
        done = subprocess.run(
            [sys.executable, "-c", code, url], cwd=REPOSITORY, input="\n", text=True, capture_output=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "False"
