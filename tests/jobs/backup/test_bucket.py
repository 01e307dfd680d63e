"""The copy in a bucket: one whole copy is always there, and a wiped machine gets it back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from jobs.backup.bucket import FILES, Bucket, Snapshots
from jobs.lease import Identity
from jobs.settings import WorkerSettings
from jobs.store.database import Database, open_database
from jobs.store.store import Store
from tests.jobs.backup.test_archive import fill, rows
from tests.jobs.support import fake_spec


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return Bucket(tmp_path / "bucket")


def wiped(tmp_path: Path, name: str = "fresh") -> Database:
    return open_database(f"sqlite:///{tmp_path / name / 'onlybn.db'}")


def test_a_wiped_machine_gets_everything_back(
    lite: Store, settings: WorkerSettings, bucket: Bucket, tmp_path: Path
) -> None:
    fresh = wiped(tmp_path)
    assert bucket.restore(fresh) is None and not (tmp_path / "fresh" / "onlybn.db").exists()
    fill(lite)
    assert bucket.save(lite.database, settings.data)
    lite.runs.submit(fake_spec(replicate=8))
    assert bucket.save(lite.database, settings.data)
    assert bucket.restore(fresh) == FILES[1]
    assert rows(fresh) == rows(lite.database)
    assert sorted(path.name for path in (tmp_path / "fresh").iterdir() if "-" not in path.name) == ["onlybn.db"]
    assert sorted(path.name for path in bucket.folder.iterdir()) == [
        *("onlybn-a.db", "onlybn-a.json", "onlybn-b.db", "onlybn-b.json")
    ]


def test_what_has_not_changed_is_not_copied(lite: Store, settings: WorkerSettings, bucket: Bucket) -> None:
    """The heartbeat of a worker is no news."""
    fill(lite)
    assert bucket.save(lite.database, settings.data)
    for _ in range(3):
        time.sleep(0.01)
        lite.workers.hello(Identity.of_this_process(), 1)
        assert not bucket.save(lite.database, settings.data)
    lite.runs.submit(fake_spec(replicate=8))
    assert bucket.save(lite.database, settings.data)


@pytest.mark.parametrize("harm", ["cut", "changed", "no note", "half a note", "gone"])
def test_a_broken_copy_gives_way_to_the_one_before(
    lite: Store, settings: WorkerSettings, bucket: Bucket, tmp_path: Path, harm: str
) -> None:
    fill(lite)
    bucket.save(lite.database, settings.data)
    before = rows(lite.database)
    lite.runs.submit(fake_spec(replicate=8))
    bucket.save(lite.database, settings.data)
    newest = bucket.folder / FILES[1]
    content = bytearray(newest.read_bytes())
    if harm == "cut":
        newest.write_bytes(content[:9000])
    elif harm == "changed":
        content[5000] ^= 1
        newest.write_bytes(content)
    elif harm == "no note":
        newest.with_suffix(".json").unlink()
    elif harm == "half a note":
        newest.with_suffix(".json").write_text('{"number": 2, "sha')
    else:
        newest.unlink()
    fresh = wiped(tmp_path)
    assert bucket.restore(fresh) == FILES[0]
    assert rows(fresh) == before
    assert bucket.save(lite.database, settings.data) or harm in ("cut", "changed", "gone")


def test_the_thread_saves_at_its_pace_and_at_the_end(
    lite: Store, settings: WorkerSettings, bucket: Bucket, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.folder.write_text("no folder")
    (settings.data / ".snapshot-killed").mkdir()
    snapshots = Snapshots(bucket, lite.database, settings.data, 0.05)
    snapshots.start()
    assert not (settings.data / ".snapshot-killed").exists()
    time.sleep(0.4)
    assert caplog.text.count("cannot be copied") == 1 and snapshots.saved_at is None  # said once, tried again
    bucket.folder.unlink()
    while snapshots.saved_at is None:
        time.sleep(0.02)
    assert "again" in caplog.text
    fill(lite)
    snapshots.stop()
    fresh = wiped(tmp_path)
    assert bucket.restore(fresh) and rows(fresh) == rows(lite.database)
    assert not list(settings.data.glob(".snapshot*"))
