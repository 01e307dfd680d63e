"""The place of artefacts: away, half written, not mounted, or of no use."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.store.artefacts.address import PlaceAway
from jobs.store.artefacts.artefacts import Artefacts, DamagedArtefact
from jobs.store.store import Store
from tests.jobs.store.artefacts.test_artefacts import CONTENT, Write, written
from tests.jobs.support import fake_spec

__all__ = ["written"]


def test_an_address_that_is_away_is_told(lite: Store, written: Write, tmp_path: Path) -> None:
    kept = Store(lite.database, f"file://{tmp_path}/artefacts")
    kept.runs.submit(fake_spec())
    run, path = kept.claims.take("worker"), written()
    (tmp_path / "artefacts").write_text("in the way")
    with pytest.raises(OSError):
        kept.artefacts.keep(run.id, 1, "checkpoint", path)  # type: ignore[union-attr]
    (tmp_path / "artefacts").unlink()
    assert kept.artefacts.keep(run.id, 1, "checkpoint", path)  # type: ignore[union-attr]


def test_a_place_that_cannot_be_written_is_told_at_once(lite: Store, tmp_path: Path) -> None:
    (tmp_path / "in the way").touch()
    with pytest.raises(PlaceAway, match=r"the artefact store cannot be used \(.+\)"):
        Store(lite.database, f"file://{tmp_path}/in the way/artefacts").artefacts.check()
    for place in ("folder", "database", f"{tmp_path}/artefacts", "memory://artefacts"):
        Store(lite.database, place).artefacts.check()


def test_a_disk_that_is_not_mounted_loses_nothing(lite: Store, written: Write, tmp_path: Path) -> None:
    place = tmp_path / "disk"
    kept = Store(lite.database, str(place))
    kept.artefacts.check()
    kept.runs.submit(fake_spec())
    run, path = kept.claims.take("worker"), written()
    assert run and kept.artefacts.keep(run.id, 1, "checkpoint", path)
    found = kept.artefacts.find(run.id, "checkpoint")
    place.rename(tmp_path / "away")
    place.mkdir()
    for use in (
        lambda: b"".join(kept.artefacts.pieces(found)),
        lambda: kept.artefacts.keep(run.id, 1, "checkpoint", path),
        Store(lite.database, str(place)).artefacts.check,
    ):
        with pytest.raises(PlaceAway, match="the disk may not be mounted"):
            use()
    assert not list(place.iterdir()), "nothing is written beside the disk"
    place.rmdir()
    (tmp_path / "away").rename(place)
    Store(lite.database, str(place)).artefacts.check()
    assert b"".join(kept.artefacts.pieces(found)) == CONTENT
    kept.artefacts.sweep(time.time(), 0.0)
    kept.artefacts.check()
    (file,) = place.rglob("[0-9]*-step*")
    file.unlink()
    with pytest.raises(DamagedArtefact):
        b"".join(kept.artefacts.pieces(found))


def test_a_file_of_which_a_part_arrived_is_never_read(lite: Store, written: Write, tmp_path: Path) -> None:
    """A driver that fails in the middle: the checkpoint before stays the newest."""
    kept = Store(lite.database, "memory://half")
    kept.runs.submit(fake_spec())
    run = kept.claims.take("worker")
    assert run and kept.artefacts.keep(run.id, 1, "checkpoint", written(b"first", "1"))
    write = kept.artefacts._address.write

    def breaks(name: str, pieces: Iterator[bytes]) -> None:
        write(name, [next(pieces)])
        raise PlaceAway("the connection broke")

    kept.artefacts._address.write = breaks
    with pytest.raises(PlaceAway):
        kept.artefacts.keep(run.id, 1, "checkpoint", written())
    found = kept.artefacts.find(run.id, "checkpoint")
    assert found.name == "1" and b"".join(kept.artefacts.pieces(found)) == b"first"
    assert len(kept.artefacts._address.names(kept.artefacts._folder)) == 1, "the part is deleted"


def test_a_url_of_no_use_is_told() -> None:
    with pytest.raises(ValueError, match=r"ONLYBN_ARTEFACTS: .*nosuchprotocol"):
        Artefacts(None, "nosuchprotocol://somewhere")  # type: ignore[arg-type]
