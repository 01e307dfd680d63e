"""Copies of a data set: found in folders and archives, decoded once, told apart, and refused in words."""

from __future__ import annotations

import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.catalog import copies
from core.catalog.copies import CopyUnusable, copy_of, copy_place, pictures_of
from core.catalog.datasets import DATASETS
from core.data import copies as pixels
from core.data.copies import read_copy
from core.data.memory import DataUnavailable, _copied
from core.run.spec import RunSpec

NAMES = ("airplane", "deer", "truck")
SMALL = replace(DATASETS["cifar-10"], classes=NAMES, train=6, test=3)
"""CIFAR-10 with three classes of two training images and a test image."""


def write(folder: Path, suffix: str = ".png") -> Path:
    draw = np.random.default_rng(1)
    for split, count in (("train", 2), ("test", 1)):
        for name in NAMES:
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                values = draw.integers(0, 256, (32, 32, 3), np.uint8)
                Image.fromarray(values).save(folder / split / name / f"{number:04}{suffix}")
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write(tmp_path / "copy")
    monkeypatch.setenv("ONLYBN_CIFAR_10", str(folder))
    copies._known_copy.cache_clear()
    return folder


def test_a_copy_in_png_has_the_very_pixels(place: Path, tmp_path: Path) -> None:
    copy, (images, labels), (tests, _) = read_copy(SMALL, place, tmp_path)
    assert copy == copy_of(SMALL) and copy.kind == "PNG"
    assert images.shape == (6, 3, 32, 32) and tests.shape == (3, 3, 32, 32)
    assert labels.tolist() == [0, 0, 1, 1, 2, 2]
    right = np.asarray(Image.open(place / "train" / "deer" / "0001.png")).transpose(2, 0, 1)
    assert np.array_equal(images[3], right)


def test_an_archive_of_it_is_the_same_copy(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = copy_of(SMALL)
    for name, arc in (("a.tar.gz", "some/where"), ("b.tgz", ".")):
        with tarfile.open(tmp_path / name, "w:gz") as archive:
            archive.add(place, arc)
        monkeypatch.setenv("ONLYBN_CIFAR_10", str(tmp_path / name))
        assert copy_of(SMALL) == before


def test_it_is_decoded_once_and_a_damaged_file_is_made_anew(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read_copy(SMALL, place, tmp_path)
    (file,) = (tmp_path / "copies").glob("*.bin")
    monkeypatch.setattr(pixels, "_decoded", lambda *_: pytest.fail("it was decoded before"))
    again = read_copy(SMALL, place, tmp_path)
    assert all(
        np.array_equal(a, b) for x, y in zip(first[1:], again[1:], strict=True) for a, b in zip(x, y, strict=True)
    )
    monkeypatch.undo()
    for damage in (b"", file.read_bytes()[:-1], file.read_bytes()[:-5] + b"other"):
        file.write_bytes(damage)
        assert np.array_equal(read_copy(SMALL, place, tmp_path)[1][0], first[1][0])


def test_another_image_makes_another_copy_and_a_run_on_it_is_refused(place: Path, tmp_path: Path) -> None:
    copy = copy_of(SMALL)
    assert copy
    train, _ = _copied(SMALL, tmp_path, copy)
    assert isinstance(train.images, torch.Tensor) and len(train) == 6
    (place / "train" / "deer" / "0001.png").unlink()
    Image.new("RGB", (32, 32)).save(place / "train" / "deer" / "other.png")
    assert copy_of(SMALL) not in (None, copy)
    with pytest.raises(DataUnavailable, match=f"fingerprint {copy.fingerprint}; .* has"):
        _copied(SMALL, tmp_path, copy)


def test_a_file_that_was_written_over_is_read_anew(place: Path, tmp_path: Path) -> None:
    before = read_copy(SMALL, place, tmp_path)[0]
    one = place / "train" / "deer" / "0001.png"
    Image.new("RGB", (32, 32)).save(one)
    copies._known_copy.cache_clear()  # as in a new process
    now = copy_of(SMALL)
    assert now and now != before
    train, _ = _copied(SMALL, tmp_path, now)
    assert not train.images[3].any()


def test_without_the_copy_a_run_on_it_says_what_is_needed(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copy_of(SMALL)
    assert copy
    monkeypatch.delenv("ONLYBN_CIFAR_10")
    with pytest.raises(DataUnavailable, match=r"PNG copy of CIFAR-10 .* set ONLYBN_CIFAR_10"):
        _copied(SMALL, tmp_path, copy)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("class", r"has a class 'cat' \(in .*cat/000..png\), which CIFAR-10 does not have"),
        ("missing", "test/ has no images of deer"),
        ("count", "train/ has 5 images; CIFAR-10 has 6"),
        ("size", r"0001.png has 16×32 pixels; CIFAR-10 has 32×32"),
        ("broken", r"0001.png is not a readable image"),
    ],
)
def test_what_is_wrong_is_named(place: Path, tmp_path: Path, fault: str, words: str) -> None:
    one = place / "train" / "deer" / "0001.png"
    if fault == "class":
        shutil.copytree(place / "train" / "deer", place / "train" / "cat")
    elif fault == "missing":
        shutil.rmtree(place / "test" / "deer")
    elif fault == "count":
        one.unlink()
    elif fault == "size":
        Image.new("RGB", (16, 32)).save(one)
    else:
        one.write_bytes(one.read_bytes()[:200])
    with pytest.raises(CopyUnusable, match=words):
        read_copy(SMALL, place, tmp_path)


def test_class_folders_may_be_numbers_or_spelt_otherwise(place: Path) -> None:
    (place / "train" / "deer").rename(place / "train" / "1")
    (place / "test").rename(place / "val")
    (place / "val" / "truck").rename(place / "val" / "Truck")
    assert [picture.label for picture in pictures_of(SMALL, place).test] == [0, 1, 2]


def test_original_files_are_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-python.tar.gz").touch()
    for given in (tmp_path, tmp_path / "cifar-10-python.tar.gz", tmp_path / "nowhere"):
        monkeypatch.setenv("ONLYBN_CIFAR_10", str(given))
        assert copy_place(DATASETS["cifar-10"]) is None
    monkeypatch.setenv("ONLYBN_CIFAR_10", "")
    assert copy_place(DATASETS["cifar-10"]) is None and copy_place(DATASETS["folder"]) is None


def test_the_spec_keeps_which_copy_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"architecture": "resnet-14", "policy": "batchnorm", "dataset": "cifar-10", "epochs": 1}
    original = RunSpec.model_validate(fields)
    assert original.copy_of_data is None and original.data.title == "CIFAR-10"
    there = copies.Copy(kind="JPEG", fingerprint="0" * 16)
    monkeypatch.setattr("core.run.spec.copy_of", lambda data: there if data.name == "cifar-10" else None)
    run = RunSpec.model_validate(fields)
    assert run.copy_of_data == there and run.data.title == "CIFAR-10, JPEG copy" and run.digest != original.digest
    assert RunSpec.model_validate_json(original.model_dump_json()) == original, "what it was trained on stays"
    assert RunSpec.model_validate({**fields, "dataset": "digits"}).copy_of_data is None


def test_a_copy_that_cannot_be_used_is_a_fault_of_the_spec(place: Path) -> None:
    with pytest.raises(ValueError, match="train/ has no images of automobile"):
        RunSpec.model_validate({"architecture": "resnet-14", "policy": "batchnorm", "dataset": "cifar-10", "epochs": 1})
