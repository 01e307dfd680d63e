"""The folder of a frozen site: what it takes the place of, and what it leaves alone."""

from __future__ import annotations

import doctest
import gzip
from pathlib import Path

import pytest

from app.freeze import folder as module
from app.freeze import pages
from app.freeze.folder import MARK, Folder, NotOurs, file_of, replaced


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_examples_in_the_documentation_are_true() -> None:
    for one in (module, pages):
        result = doctest.testmod(one)
        assert result.attempted and not result.failed


def test_a_site_replaces_an_older_one_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "site"
    for word in ("old", "new"):
        with replaced(out) as folder:
            folder.write(MARK, b'{"onlybn": "0"}')
            folder.write(f"data/{word}.txt", word)
            assert not (out / f"data/{word}.txt").exists(), "nothing shows before all of it is there"
    assert names(out) == {MARK, "data/new.txt"}
    assert [path.name for path in out.parent.iterdir()] == ["site"], "nothing is left beside it"


def test_an_error_leaves_the_older_site_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "site"
    with replaced(out) as folder:
        folder.write(MARK, b'{"onlybn": "0"}')
    with pytest.raises(RuntimeError), replaced(out) as folder:
        folder.write("half.txt", "half")
        raise RuntimeError("the disk is full")
    assert names(out) == {MARK}
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("mark", [None, "[]", '"onlybn"', "onlybn", "{}"])
def test_other_folders_are_refused(tmp_path: Path, mark: str | None) -> None:
    (tmp_path / "thesis.txt").write_text("my only copy")
    if mark is not None:
        (tmp_path / MARK).write_text(mark)
    with pytest.raises(NotOurs, match="no frozen site; name an empty or a new folder"), replaced(tmp_path):
        pytest.fail("it has begun")
    assert (tmp_path / "thesis.txt").read_text() == "my only copy"


def test_a_file_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "site"
    place.write_text("a file")
    with pytest.raises(NotOurs, match="is a file"), replaced(place):
        pytest.fail("it has begun")


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    with replaced(tmp_path / "empty") as folder:
        folder.write(MARK, b'{"onlybn": "0"}')
    (tmp_path / "other").mkdir()
    with replaced(tmp_path / "other") as folder:
        folder.keep("/api/glossary", b'{"a": 1}')
    assert gzip.decompress((tmp_path / "other" / "data" / "glossary.gz").read_bytes()) == b'{"a": 1}'


def test_names_lead_nowhere_else() -> None:
    assert file_of("/api/count?policy=batchnorm%2Boutput&dataset=../../x") == "data/count..._.._x.batchnorm_output.gz"
    assert file_of("/api/runs/abc") == "data/runs/abc.gz"


def test_sizes_are_counted(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("a.txt", "four")
    folder.write("b/c.txt", b"seven!!")
    assert folder.size == 11 and folder.largest == ("b/c.txt", 7)
