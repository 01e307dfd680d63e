"""Artefacts: whole or absent, the newest of each kind, only by the attempt that has the run, and gone with the run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from jobs.store.artefacts.artefacts import ABANDONED_S, PIECE, Artefacts, DamagedArtefact
from jobs.store.artefacts.tables import ARTEFACTS, PIECES
from jobs.store.records import Run
from jobs.store.store import Store
from jobs.store.tables import RUNS
from tests.events import finished
from tests.jobs.support import fake_spec

CONTENT = os.urandom(2 * PIECE + 12345)


@pytest.fixture(params=["database", "file"])
def kept(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> Store:
    """A store whose artefacts are in its database, or at the address of a folder, on each database."""
    place = "database" if request.param == "database" else f"file://{tmp_path}/artefacts"
    return Store(store.database, place)


@pytest.fixture
def run(kept: Store) -> Run:
    kept.runs.submit(fake_spec())
    run = kept.claims.take("worker")
    assert run
    return run


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes, str], Path]:
    def write(content: bytes = CONTENT, name: str = "step-00000005-a1-0123456789abcdef.safetensors") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


Write = Callable[..., Path]


def stored(kept: Store, tmp_path: Path) -> int:
    """How many contents there are, counted or not: files at the address, or artefacts with pieces."""
    with kept.database.reading() as connection:
        inside = connection.scalar(sa.select(sa.func.count(sa.distinct(PIECES.c.artefact)))) or 0
    return inside + sum(path.is_file() for path in (tmp_path / "artefacts").rglob("*"))


def rows(kept: Store) -> int:
    with kept.database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(ARTEFACTS)) or 0


def changed(kept: Store, **values: object) -> None:
    with kept.database.writing() as connection:
        connection.execute(sa.update(RUNS).values(**values))


def test_what_is_kept_comes_back(kept: Store, run: Run, written: Write, tmp_path: Path) -> None:
    assert kept.artefacts.find(run.id, "checkpoint") is None
    path = written()
    assert kept.artefacts.keep(run.id, run.attempt, "checkpoint", path)
    found = kept.artefacts.find(run.id, "checkpoint")
    assert found and (found.name, found.size_bytes) == (path.name, len(CONTENT))
    beats: list[int] = []
    kept.artefacts.fetch(found, tmp_path / "other" / "copy", lambda: beats.append(1))
    assert (tmp_path / "other" / "copy").read_bytes() == CONTENT and len(beats) >= 3
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["copy"]
    other = Artefacts(kept.database, "folder" if found.outside else "database")
    if found.outside:
        with pytest.raises(DamagedArtefact, match="no longer set"):
            list(other.pieces(found))


def test_only_the_newest_of_a_kind_stays(kept: Store, run: Run, written: Write, tmp_path: Path) -> None:
    for number in range(3):
        assert kept.artefacts.keep(run.id, 1, "checkpoint", written(b"x" * (number + 1), f"step-{number}"))
    assert kept.artefacts.keep(run.id, 1, "capsule", written(b"capsule", "final.safetensors"))
    found = kept.artefacts.find(run.id, "checkpoint")
    assert found and found.name == "step-2" and (rows(kept), stored(kept, tmp_path)) == (2, 2)
    assert b"".join(kept.artefacts.pieces(kept.artefacts.find(run.id, "capsule"))) == b"capsule"  # type: ignore[arg-type]


def test_only_the_attempt_that_has_the_run_keeps_something(
    kept: Store, run: Run, written: Write, tmp_path: Path
) -> None:
    assert kept.claims.release(run.id, 1, "stopped") == "queued"
    assert kept.artefacts.keep(run.id, 1, "checkpoint", written(b"late", "5")), "nobody has it since"
    assert not kept.artefacts.keep(run.id, 1, "capsule", written(b"late", "final.safetensors"))
    assert kept.claims.take("other")
    assert not kept.artefacts.keep(run.id, 1, "checkpoint", written(b"stale", "10"))
    path = written(CONTENT, "15")

    def lose() -> bool:  # the run goes to another worker while the file is written
        changed(kept, attempt=3)
        return True

    assert not kept.artefacts.keep(run.id, 2, "checkpoint", path, wanted=lose)
    found = kept.artefacts.find(run.id, "checkpoint")
    assert found and found.name == "5" and (rows(kept), stored(kept, tmp_path)) == (1, 1)


def test_what_is_not_whole_does_not_count(kept: Store, run: Run, written: Write, tmp_path: Path) -> None:
    path, asked = written(), iter([True, True, False, False, False])
    assert not kept.artefacts.keep(run.id, 1, "checkpoint", path, wanted=lambda: next(asked))
    assert not kept.artefacts.keep(run.id, 1, "checkpoint", path, sha256="0" * 64), "not what the trainer wrote"
    with pytest.raises(OSError):
        kept.artefacts.keep(run.id, 1, "checkpoint", tmp_path / "nosuchfile")
    with pytest.raises(OSError):
        kept.artefacts.keep(run.id, 1, "checkpoint", written(b"x", ".tmp-1-5"))
    assert (rows(kept), stored(kept, tmp_path)) == (0, 0)

    def die() -> bool:
        raise KeyboardInterrupt

    kept.artefacts._delete = lambda which: None  # type: ignore[method-assign]  # a process that dies cleans nothing
    with pytest.raises(KeyboardInterrupt):
        kept.artefacts.keep(run.id, 1, "checkpoint", path, wanted=die)
    del kept.artefacts._delete
    assert rows(kept) == 1 and kept.artefacts.find(run.id, "checkpoint") is None
    kept.artefacts.sweep(time.time(), 60.0)
    assert rows(kept) == 1, "its writer may still live"
    with kept.database.writing() as connection:
        connection.execute(sa.update(ARTEFACTS).values(at=ARTEFACTS.c.at - ABANDONED_S - 1))
    kept.artefacts.sweep(time.time(), 60.0)
    assert (rows(kept), stored(kept, tmp_path)) == (0, 0)


@pytest.mark.parametrize("how", ["flipped", "cut", "missing"])
def test_damage_is_found_before_the_last_piece(kept: Store, run: Run, written: Write, tmp_path: Path, how: str) -> None:
    kept.artefacts.keep(run.id, 1, "checkpoint", written())
    found = kept.artefacts.find(run.id, "checkpoint")
    assert found
    if found.outside:
        (file,) = [path for path in (tmp_path / "artefacts").rglob("*") if path.is_file()]
        content = bytearray(file.read_bytes())
        content[100] ^= 1
        file.write_bytes(content[:-5] if how == "cut" else content)
        if how == "missing":
            file.unlink()
    else:
        with kept.database.writing() as connection:
            last = PIECES.c.place == 2
            if how == "missing":
                connection.execute(sa.delete(PIECES).where(last))
            else:
                content = bytearray(CONTENT[2 * PIECE :])
                content[100] ^= 1
                new = bytes(content[:-5] if how == "cut" else content)
                connection.execute(sa.update(PIECES).where(last).values(content=new))
    with pytest.raises(DamagedArtefact):
        kept.artefacts.fetch(found, tmp_path / "copy")
    assert not (tmp_path / "copy").exists() and not list(tmp_path.glob(".tmp-*"))
    sent = 0
    with pytest.raises(DamagedArtefact):
        for piece in kept.artefacts.pieces(found):
            sent += len(piece)
    assert sent < found.size_bytes, "whoever reads it as a stream notices, too"


def test_artefacts_go_with_their_runs(kept: Store, written: Write, tmp_path: Path) -> None:
    ids = []
    for days in (3, 2, 1):
        kept.runs.submit(fake_spec())
        run = kept.claims.take("worker")
        assert run and kept.artefacts.keep(run.id, 1, "capsule", written(b"c" * 9, "final.safetensors"))
        assert kept.claims.finish(run.id, 1, finished(run.spec))
        changed_one(kept, run.id, finished_at=time.time() - days * 86400.0)
        ids.append(run.id)
    assert (rows(kept), stored(kept, tmp_path)) == (3, 3)
    expired = kept.keeping.expire(time.time(), 2.5 * 86400.0, 0)
    kept.artefacts.clear(expired)
    assert (expired, rows(kept), stored(kept, tmp_path)) == (ids[:1], 2, 2)
    evicted = kept.keeping.evict(ids[1:2], time.time())
    kept.artefacts.clear(evicted)
    assert (rows(kept), stored(kept, tmp_path)) == (1, 1)
    assert kept.runs.remove(ids[2]) is None
    assert rows(kept) == 1, "it may be brought back"
    assert kept.runs.bury(0.0) == ids[2:]
    kept.artefacts.sweep(time.time(), 60.0)  # of another machine
    assert (rows(kept), stored(kept, tmp_path)) == (0, 0)


def changed_one(kept: Store, run_id: str, **values: object) -> None:
    with kept.database.writing() as connection:
        connection.execute(sa.update(RUNS).where(RUNS.c.id == run_id).values(**values))


def test_checkpoints_stay_as_long_as_a_run_may_be_resumed(
    kept: Store, run: Run, written: Write, tmp_path: Path
) -> None:
    kept.artefacts.keep(run.id, 1, "checkpoint", written())
    assert kept.claims.cancel(run.id, 1)
    kept.artefacts.sweep(time.time(), 60.0)
    assert kept.artefacts.find(run.id, "checkpoint")
    kept.artefacts.sweep(time.time() + 61.0, 60.0)
    assert kept.artefacts.find(run.id, "checkpoint") is None and stored(kept, tmp_path) == 0


def test_of_a_finished_run_no_checkpoint_stays(kept: Store, run: Run, written: Write) -> None:
    kept.artefacts.keep(run.id, 1, "checkpoint", written())
    assert kept.claims.finish(run.id, 1, finished(run.spec))
    assert not kept.artefacts.keep(run.id, 1, "checkpoint", written(b"late", "9"))
    kept.artefacts.sweep(time.time(), 1e9)
    assert rows(kept) == 0


def test_installations_at_one_address_do_not_meet(tmp_path: Path, make_database: Callable[[Path], None]) -> None:
    from jobs.store.database import open_database

    stores = []
    for name in ("one", "two"):
        make_database(tmp_path / f"{name}.db")
        store = Store(open_database(f"sqlite:///{tmp_path / name}.db"), f"file://{tmp_path}/artefacts")
        store.runs.submit(fake_spec())
        run = store.claims.take("worker")
        (tmp_path / name).write_text(name)
        assert run and store.artefacts.keep(run.id, 1, "checkpoint", tmp_path / name)
        stores.append((store, run.id))
    for store, run_id in stores:
        store.artefacts.sweep(time.time(), 0.0)
        assert store.artefacts.find(run_id, "checkpoint")
    assert len({path for path in (tmp_path / "artefacts").rglob("*") if path.is_file()}) == 2
    for store, _ in stores:
        store.close()
