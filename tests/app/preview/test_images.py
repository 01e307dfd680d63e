"""Data sets that this server has, or can have, or cannot have: a page says which before the launch."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NoReturn

import pytest
from starlette.testclient import TestClient

from app.pages.options import options
from app.preview.estimate import Estimate
from app.preview.images import changed_folder, data_is_here
from app.preview.preview import preview
from core.catalog.datasets import DATASETS
from core.run.spec import RunSpec
from tests.app.conftest import SPEC
from tests.pictures import write_pictures

QUICK: Estimate = {"low": 5.0, "high": 20.0, "basis": "assumed", "runs": 0}


DOWNLOADED = {name: data.download for name, data in DATASETS.items() if data.download}


def test_every_data_set_is_downloaded_or_here_or_in_a_folder() -> None:
    assert set(DOWNLOADED) == {n for n, data in DATASETS.items() if not data.streamed} - {"digits"}


@pytest.mark.parametrize(
    ("dataset", "file"), [(name, file) for name, download in DOWNLOADED.items() for file in download.kept_as]
)
def test_where_downloads_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: str, file: str) -> None:
    monkeypatch.setenv("ONLYBN_FASHION_MNIST", str(tmp_path))
    assert not data_is_here(dataset, tmp_path)
    place = tmp_path / "datasets" / file
    place.parent.mkdir(parents=True)
    place.touch()
    assert data_is_here(dataset, tmp_path)


@pytest.mark.parametrize("dataset", ["mnist", "cifar-100", "svhn"])
def test_a_download_is_announced(tmp_path: Path, dataset: str) -> None:
    spec = RunSpec.model_validate({**SPEC, "dataset": dataset})
    said = preview(spec, QUICK, tmp_path)["warnings"]
    assert f"{spec.data.title} is not on this server yet: the run downloads it first" in said[0]


def test_the_form_says_what_cannot_be_had_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sentence(name: str) -> str:
        return next(data["sentence"] for data in options()["datasets"] if data["name"] == name)

    assert "set ONLYBN_IMAGENET" in sentence("imagenet") and "set ONLYBN_FOLDER" in sentence("folder")
    assert sentence("digits") == DATASETS["digits"].sentence
    monkeypatch.setenv("ONLYBN_FOLDER", str(write_pictures(tmp_path / "pictures", 2, 1)))
    assert sentence("folder") == DATASETS["folder"].sentence


def test_a_run_without_its_folder_is_refused(client: TestClient) -> None:
    for path in ("/api/preview", "/api/runs"):
        response = client.post(path, json={**SPEC, "dataset": "imagenet"})
        assert response.status_code == 422 and "set ONLYBN_IMAGENET to a folder" in response.json()["detail"]


def test_nobody_waits_while_a_folder_is_listed(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing a million files takes seconds; the thread with the event loop serves everybody."""
    in_the_loop: list[bool] = []

    def listed(name: str) -> NoReturn:
        in_the_loop.append(asyncio._get_running_loop() is not None)
        raise ValueError("the folder is slow")

    monkeypatch.setattr("core.run.spec.contents_of", listed)
    for path in ("/api/preview", "/api/runs"):
        assert client.post(path, json={**SPEC, "dataset": "imagenet"}).status_code == 422
    assert in_the_loop == [False, False]


def test_a_folder_can_be_previewed_and_launched(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONLYBN_FOLDER", str(write_pictures(tmp_path / "pictures", 20, 20)))
    said = client.post("/api/preview", json={**SPEC, "dataset": "folder"}).json()
    assert said["plan"]["input_shape"] == [3, 64, 64] and said["plan"]["output"]["classes"] == 3
    assert said["warnings"] == ["One batch (128 images) holds all 60 training images, so an epoch is a single step."]
    run = client.post("/api/runs", json={**SPEC, "dataset": "folder"}).json()
    monkeypatch.delenv("ONLYBN_FOLDER")
    shown = client.get(f"/api/runs/{run['id']}").json()
    assert shown["spec"]["contents"]["train"] == 60, "an old run can be looked at without its folder"


def test_a_changed_folder_is_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_pictures(tmp_path / "pictures", 20, 20)
    monkeypatch.setenv("ONLYBN_FOLDER", str(folder))
    spec = RunSpec.model_validate({**SPEC, "dataset": "folder"})
    assert changed_folder(spec) is None
    (folder / "val" / "cat" / "000.png").unlink()
    said = preview(spec, QUICK, tmp_path)["warnings"][0]
    assert "59 test images" in said and "60 test images" in said and "would fail" in said
    monkeypatch.delenv("ONLYBN_FOLDER")
    assert "set ONLYBN_FOLDER" in str(changed_folder(spec))
