"""Folders of class folders: what is found in them, what a spec keeps of it, and what is refused."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.catalog import folder as folders
from core.catalog.architectures import plan
from core.catalog.datasets import DATASETS
from core.catalog.folder import FolderUnusable, contents_of, listing, missing
from core.run.problems import explain
from core.run.spec import RunSpec
from tests.pictures import CLASSES, write_pictures

SPEC: dict[str, Any] = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "folder", "epochs": 1}


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_pictures(tmp_path / "pictures", train=3, test=2)
    monkeypatch.setenv("ONLYBN_FOLDER", str(folder))
    return folder


def refusal(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        RunSpec.model_validate({**SPEC, **fields})
    return explain(caught.value)


def test_a_spec_keeps_what_lies_in_the_folder(pictures: Path) -> None:
    spec = RunSpec.model_validate(SPEC)
    assert spec.contents is not None
    assert (spec.contents.classes, spec.contents.train, spec.contents.test, spec.contents.size) == (3, 9, 6, 64)
    assert spec.data.shape == (3, 64, 64) and spec.images == (9, 6) and len(spec.data.classes) == 3
    assert spec.plan.output.classes == 3


def test_a_spec_can_be_read_where_the_folder_is_not(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = RunSpec.model_validate(SPEC)
    monkeypatch.delenv("ONLYBN_FOLDER")
    again = RunSpec.model_validate_json(spec.model_dump_json())
    assert again == spec and again.digest == spec.digest and again.plan == spec.plan


def test_images_are_listed_by_class_and_name(pictures: Path) -> None:
    found = listing(DATASETS["folder"], pictures)
    assert found.classes == list(CLASSES)
    assert found.train.paths[:4] == ["train/cat/000.png", "train/cat/001.png", "train/cat/002.png", "train/dog/000.png"]
    assert found.test.labels == [0, 0, 1, 1, 2, 2]


def test_only_images_count_also_deeper_down(pictures: Path) -> None:
    deep = pictures / "train" / "cat" / "more"
    deep.mkdir()
    (pictures / "train" / "cat" / "000.png").rename(deep / "000.PNG")
    (pictures / "train" / "cat" / "notes.txt").touch()
    (pictures / "train" / "cat" / "._001.png").touch()
    (pictures / "train" / ".cache").mkdir()
    found = listing(DATASETS["folder"], pictures)
    assert found.train.paths[:3] == ["train/cat/001.png", "train/cat/002.png", "train/cat/more/000.PNG"]
    assert len(found.train) == 9


def test_other_images_are_another_run(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = RunSpec.model_validate(SPEC)
    first = pictures / "train" / "eel" / "000.png"
    first.rename(first.with_name("other.png"))
    other = RunSpec.model_validate(SPEC)
    assert one.contents and other.contents
    assert one.contents.fingerprint != other.contents.fingerprint, "a changed folder is looked at again"
    assert one.digest != other.digest
    monkeypatch.setenv("ONLYBN_FOLDER", str(write_pictures(tmp_path / "b", 3, 2, ("cat", "dog", "fox"), "test")))
    assert RunSpec.model_validate(SPEC).contents != one.contents, "as many images of other classes"


def test_the_same_images_elsewhere_are_the_same_run(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = RunSpec.model_validate(SPEC)
    monkeypatch.setenv("ONLYBN_FOLDER", str(write_pictures(tmp_path / "copy", 3, 2, test_name="test")))
    assert RunSpec.model_validate(SPEC).digest == one.digest


def test_a_second_look_lists_nothing(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = contents_of("folder")
    monkeypatch.setattr(folders, "listing", lambda *_: pytest.fail("listed again"))
    assert contents_of("folder") == first


@pytest.mark.parametrize(("size", "words"), [("7", "8..512"), ("64.5", "whole number"), ("big", "whole number")])
def test_a_wrong_size_is_refused(pictures: Path, monkeypatch: pytest.MonkeyPatch, size: str, words: str) -> None:
    monkeypatch.setenv("ONLYBN_FOLDER_SIZE", size)
    assert words in refusal()


def test_the_size_is_part_of_the_run(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = RunSpec.model_validate(SPEC)
    monkeypatch.setenv("ONLYBN_FOLDER_SIZE", "32")
    smaller = RunSpec.model_validate(SPEC)
    assert smaller.data.shape == (3, 32, 32) and smaller.digest != usual.digest


def test_without_a_folder_a_run_is_refused_with_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "set ONLYBN_FOLDER to a folder with train/ and val/" in refusal()
    assert "set ONLYBN_IMAGENET to a folder" in refusal(dataset="imagenet")
    assert missing(DATASETS["imagenet"]) and missing(DATASETS["digits"]) is None
    monkeypatch.setenv("ONLYBN_FOLDER", str(tmp_path))
    assert "without train/ and val/" in refusal()


def test_contents_belong_to_a_folder(pictures: Path) -> None:
    contents = contents_of("folder").model_dump()
    assert "contents describe a folder of images; digits is not one" in refusal(dataset="digits", contents=contents)
    assert "contents.fingerprint" in refusal(contents={**contents, "fingerprint": "?"})
    assert "contents.files is not a field" in refusal(contents={**contents, "files": 1})


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("empty", "train/dog has no images"),
        ("train only", "'dog' is in train/ only"),
        ("val only", "'dog' is in val/ only"),
        ("one class", "at least two class folders, got 1"),
    ],
)
def test_an_unusable_folder_is_explained(pictures: Path, damage: str, words: str) -> None:
    def remove(split: str, name: str, *, empty: bool = False) -> None:
        for file in (pictures / split / name).iterdir():
            file.unlink()
        if not empty:
            (pictures / split / name).rmdir()

    if damage == "empty":
        remove("train", "dog", empty=True)
    elif damage == "one class":
        for split in ("train", "val"):
            remove(split, "dog")
            remove(split, "eel")
    else:
        remove("val" if damage == "train only" else "train", "dog")
    assert words in refusal()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_cannot_be_read_is_explained(pictures: Path) -> None:
    (pictures / "train" / "dog").chmod(0)
    try:
        assert "cannot be read (Permission denied)" in refusal()
    finally:
        (pictures / "train" / "dog").chmod(0o755)


def test_imagenet_is_imagenet(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLYBN_IMAGENET", str(pictures))
    said = refusal(dataset="imagenet")
    assert "has 3 classes, 9 training images and 6 test images; ImageNet has 1,000 classes" in said
    small = {**DATASETS, "imagenet": replace(DATASETS["imagenet"], classes=("0", "1", "2"), train=9, test=6)}
    monkeypatch.setattr(folders, "DATASETS", small)
    spec = RunSpec.model_validate({**SPEC, "dataset": "imagenet", "architecture": "imagenet-resnet-18"})
    assert spec.data.shape == (3, 224, 224) and spec.contents and spec.contents.train == 9


def test_the_papers_networks_for_imagenet() -> None:
    data = DATASETS["imagenet"]
    assert plan("imagenet-resnet-50", data.shape, len(data.classes)).total == 25_557_032
    with pytest.raises(FolderUnusable):
        contents_of("imagenet")
