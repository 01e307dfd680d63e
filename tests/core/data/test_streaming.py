"""Streamed data sets: the same images whoever opens them, the paper's crops, damage named, whole trainings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from core.catalog import folder
from core.catalog.datasets import DATASETS
from core.data import streaming
from core.data.batches import batches
from core.data.decoding import AREA, Images, Task
from core.data.memory import DataUnavailable
from core.data.streaming import StreamingBatches, worker_count
from core.draws.versions import Version
from core.machine.part import Part
from core.run.events import Failed, Finished, Stopped, Warned
from core.run.spec import RunSpec
from core.training.loop import train
from tests.pictures import write_pictures

pytestmark = pytest.mark.training

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """72 training and 24 test images of three classes."""
    return write_pictures(tmp_path_factory.mktemp("data") / "pictures")


@pytest.fixture
def make(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunSpec]:
    monkeypatch.setenv("ONLYBN_FOLDER", str(pictures))
    monkeypatch.setenv("ONLYBN_FOLDER_SIZE", "16")
    monkeypatch.setenv("ONLYBN_LOADER_WORKERS", "1")

    def spec(**fields: Any) -> RunSpec:
        recipe = {"batch_size": 40, **fields.pop("recipe", {})}
        run = {"architecture": "resnet-8", "policy": "batchnorm", "dataset": "folder", "epochs": 1, "recipe": recipe}
        return RunSpec.model_validate({**run, **fields})

    return spec


def equal(one: list[tuple[Tensor, Tensor]], other: list[tuple[Tensor, Tensor]]) -> bool:
    return len(one) == len(other) and all(
        torch.equal(a, c) and torch.equal(b, d) for (a, b), (c, d) in zip(one, other, strict=True)
    )


@pytest.mark.parametrize(
    ("workers", "start"), [(1, None), (2, None), pytest.param(2, "forkserver", marks=pytest.mark.server)]
)
def test_the_images_are_the_same_whoever_opens_them(make: Callable[..., RunSpec], workers: int, start: Any) -> None:
    spec = make()
    alone = StreamingBatches(spec, CPU, workers=0)
    several = StreamingBatches(spec, CPU, workers=workers, start=start)
    for epoch in (0, 1):
        assert equal(list(alone.train(epoch, 0)), list(several.train(epoch, 0)))
    assert equal(list(alone.test()), list(several.test()))


def test_images_too_large_for_shared_memory_go_through_a_pipe(
    make: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = list(StreamingBatches(make(), CPU, workers=1).train(0, 0))
    monkeypatch.setattr(streaming, "_is_room", lambda _bytes: False)
    assert equal(usual, list(StreamingBatches(make(), CPU, workers=1).train(0, 0)))


def test_an_epoch_is_every_image_once_in_batches(make: Callable[..., RunSpec]) -> None:
    spec = make(recipe={"augmentation": "none"})
    streamed = StreamingBatches(spec, CPU, workers=0)
    got = list(streamed.train(0, 0))
    assert [tuple(images.shape) for images, _ in got] == [(40, 3, 16, 16), (32, 3, 16, 16)]
    assert all(images.is_contiguous(memory_format=torch.channels_last) for images, _ in got)
    images, labels = torch.cat([i for i, _ in got]), torch.cat([n for _, n in got])
    assert torch.bincount(labels).tolist() == [24, 24, 24] and len({i.numpy().tobytes() for i in images}) == 72
    assert torch.equal(images.mean(dim=(2, 3)).argmax(dim=1), labels), "each class has a colour of its own"
    assert torch.bincount(torch.cat([n for _, n in streamed.test()])).tolist() == [8, 8, 8]


def test_an_epoch_can_begin_in_the_middle(make: Callable[..., RunSpec]) -> None:
    spec = make(recipe={"batch_size": 20})
    streamed = StreamingBatches(spec, CPU, workers=1)
    whole = list(streamed.train(3, 0))
    abandoned = streamed.train(3, 0)
    next(abandoned)
    assert equal(list(streamed.train(3, 2)), whole[2:])
    with pytest.raises(RuntimeError, match="newer request"):
        list(abandoned)


def test_seeds_order_and_augment(make: Callable[..., RunSpec]) -> None:
    def first(epoch: int = 0, **seeds: int) -> tuple[Tensor, Tensor]:
        spec = make(seeds={**make().seeds.model_dump(), **seeds}, recipe={"batch_size": 72})
        return next(StreamingBatches(spec, CPU, workers=0).train(epoch, 0))

    usual, epoch, order, shift = first(), first(1), first(order=1), first(augmentation=1)
    assert not torch.equal(usual[1], epoch[1]) and not torch.equal(usual[1], order[1])
    assert torch.equal(usual[1], shift[1]) and not torch.equal(usual[0], shift[0])
    by_content = [sorted(image.numpy().tobytes() for image in images) for images, _ in (usual, order)]
    assert by_content[0] == by_content[1], "an image is cut alike wherever it comes in the order"


def test_subsets_are_the_same_for_every_replicate(make: Callable[..., RunSpec]) -> None:
    def images(replicate: int, count: int) -> set[bytes]:
        fields = {"train_examples": count, "test_examples": 16, "recipe": {"augmentation": "none"}}
        streamed = StreamingBatches(make(replicate=replicate, **fields), CPU, workers=0)
        assert streamed.test_images == 16 and sum(len(n) for _, n in streamed.test()) == 16
        return {image.numpy().tobytes() for batch, _ in streamed.train(0, 0) for image in batch}

    assert images(0, 20) == images(1, 20) < images(0, 30) and len(images(0, 30)) == 30


def test_parts_are_the_whole(make: Callable[..., RunSpec]) -> None:
    whole = list(StreamingBatches(make(), CPU, workers=0).train(0, 0))
    parts = [list(StreamingBatches(make(), CPU, Part(rank, 3), workers=0).train(0, 0)) for rank in range(3)]
    together = [
        (torch.cat([i for i, _ in batch]), torch.cat([n for _, n in batch])) for batch in zip(*parts, strict=True)
    ]
    assert equal(whole, together)
    small = make(train_examples=43)  # the last batch has three images: one process has them all
    last = [list(StreamingBatches(small, CPU, Part(rank, 3), workers=0).train(0, 0))[-1] for rank in range(3)]
    assert [tuple(images.shape) for images, _ in last] == [(3, 3, 16, 16), (0, 3, 16, 16), (0, 3, 16, 16)]


def test_augmentation_leaves_the_trainings_generator_alone(make: Callable[..., RunSpec]) -> None:
    before = torch.get_rng_state()
    list(StreamingBatches(make(), CPU, workers=0).train(0, 0))
    list(StreamingBatches(make(), CPU, workers=1).train(0, 0))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("version", [1, 2])
def test_the_papers_crops(tmp_path: Path, version: Version) -> None:
    """Training cuts out 10 to 100% of the area; a test image is shrunk to 8/7 of the side, and its centre is taken."""
    rows, columns = np.mgrid[0:200, 0:200].astype(np.uint8)
    Image.fromarray(np.stack([rows, columns, np.full_like(rows, 99)], axis=-1)).save(tmp_path / "ramp.png")
    path = str(tmp_path / "ramp.png")
    images = Images(32, flip=True)
    cut = images.__getitems__([Task(path, (version, 0, 0, index)) for index in range(300)])
    assert isinstance(cut, np.ndarray)
    seen = cut.astype(float)
    heights = np.abs(seen[:, -1, 16, 0] - seen[:, 0, 16, 0]) * 32 / 31
    widths = np.abs(seen[:, 16, -1, 1] - seen[:, 16, 0, 1]) * 32 / 31
    areas = heights * widths / 200**2
    assert AREA[0] * 0.8 < areas.min() < 0.2 and 0.8 < areas.max() < 1.05
    assert (widths / heights).min() > 0.75 and (widths / heights).max() < 1.34
    mirrored = (seen[:, 16, -1, 1] < seen[:, 16, 0, 1]).mean()
    assert 0.4 < mirrored < 0.6
    plain = Images(28, flip=True).__getitems__([Task(path, None)])
    assert isinstance(plain, np.ndarray)
    edge = 200 * (1 - 7 / 8) / 2
    assert plain.shape == (1, 28, 28, 3)
    assert plain[0, 0, 0, 0] == pytest.approx(edge, abs=5) and plain[0, -1, -1, 1] == pytest.approx(200 - edge, abs=5)


def test_grey_and_transparent_images_have_three_channels(tmp_path: Path) -> None:
    grey = np.arange(400, dtype=np.uint8).reshape(20, 20)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(np.stack([grey] * 4, axis=-1)).save(tmp_path / "clear.png")
    Image.fromarray(np.stack([grey] * 3, axis=-1)).convert("CMYK").save(tmp_path / "print.jpg")
    tasks = [Task(str(tmp_path / name), None) for name in ("grey.png", "clear.png", "print.jpg")]
    pixels = Images(8, flip=True).__getitems__(tasks)
    assert isinstance(pixels, np.ndarray) and pixels.shape == (3, 8, 8, 3)


def test_imagenet_at_its_size(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(DATASETS["imagenet"], classes=("0", "1", "2"), train=72, test=24)
    monkeypatch.setattr(folder, "DATASETS", {**DATASETS, "imagenet": small})
    monkeypatch.setenv("ONLYBN_IMAGENET", str(pictures))
    recipe = {"batch_size": 4}
    spec = RunSpec(architecture="imagenet-resnet-18", policy="batchnorm", dataset="imagenet", epochs=1, recipe=recipe)
    images, labels = next(StreamingBatches(spec, CPU, workers=0).train(0, 0))
    assert tuple(images.shape) == (4, 3, 224, 224) and set(labels.tolist()) <= {0, 1, 2}
    mean, deviation = torch.tensor(small.mean), torch.tensor(small.deviation)
    pixels = images * deviation[:, None, None] + mean[:, None, None]
    assert float(pixels.min()) > -1e-6 and float(pixels.max()) < 1 + 1e-6


# -- what goes wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("damage", ["cut", "foreign", "gone"])
def test_a_damaged_image_is_named(
    tmp_path: Path, make: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch, damage: str, workers: str
) -> None:
    place = write_pictures(tmp_path / "pictures", train=6, test=2)
    monkeypatch.setenv("ONLYBN_FOLDER", str(place))
    monkeypatch.setenv("ONLYBN_LOADER_WORKERS", workers)
    path = place / "train" / "dog" / "003.png"
    spec = make()
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    elif damage == "foreign":
        path.write_text("this is no image")
    else:
        streamed = batches(spec, tmp_path, CPU)
        path.unlink()
        with pytest.raises(DataUnavailable, match=r"train/dog/003\.png cannot be read"):
            list(streamed.train(0, 0))
        return
    failed = list(train(spec))[-1]
    assert isinstance(failed, Failed) and failed.kind == "data_unavailable"
    assert failed.message.startswith(f"The image {path} cannot be read (") and "Traceback" not in failed.message


def test_a_changed_folder_stops_the_run(
    tmp_path: Path, make: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = write_pictures(tmp_path / "pictures", train=6, test=2)
    monkeypatch.setenv("ONLYBN_FOLDER", str(place))
    spec = make()
    (place / "train" / "dog" / "003.png").unlink()
    failed = list(train(spec))[-1]
    assert isinstance(failed, Failed) and failed.kind == "data_unavailable"
    assert "17 training images" in failed.message and "18 training images" in failed.message
    monkeypatch.delenv("ONLYBN_FOLDER")
    failed = list(train(spec))[-1]
    assert isinstance(failed, Failed) and "set ONLYBN_FOLDER" in failed.message


def test_how_many_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 32)
    assert worker_count(CPU) == 4 and worker_count(torch.device("cuda")) == 16
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert worker_count(CPU) == 0 and worker_count(torch.device("cuda")) == 1
    monkeypatch.setenv("ONLYBN_LOADER_WORKERS", "7")
    assert worker_count(CPU) == 7
    for wrong in ("-1", "many", "65"):
        monkeypatch.setenv("ONLYBN_LOADER_WORKERS", wrong)
        with pytest.raises(DataUnavailable, match="whole number"):
            worker_count(CPU)


# -- whole trainings ---------------------------------------------------------------------------------------------


def test_it_learns_from_a_folder_of_images(make: Callable[..., RunSpec]) -> None:
    finished = list(train(make(policy="all", epochs=4, recipe={"batch_size": 16})))[-1]
    assert isinstance(finished, Finished) and finished.top1 > 0.9


def test_a_resume_in_the_middle_of_an_epoch_gives_the_same_bits(make: Callable[..., RunSpec], tmp_path: Path) -> None:
    spec = make(epochs=2, recipe={"batch_size": 16})  # five steps an epoch
    whole = list(train(spec, analyses=False))[-1]
    asked = iter([False] * 7 + [True] * 3)
    stopped = list(train(spec, tmp_path, should_stop=lambda: next(asked), analyses=False))[-1]
    assert isinstance(stopped, Stopped) and stopped.step == 7
    resumed = list(train(spec, tmp_path, analyses=False))[-1]
    assert isinstance(whole, Finished) and isinstance(resumed, Finished)
    assert resumed.digest == whole.digest and resumed.loss == whole.loss


def test_a_training_that_waits_says_so_once(make: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming.Waiting, "too_long", lambda self: self.__dict__.pop("share", None))
    init = streaming.Waiting.__init__

    def late(self: Any, device: torch.device) -> None:
        init(self, device)
        self.share = 0.62

    monkeypatch.setattr(streaming.Waiting, "__init__", late)
    warned = [event for event in train(make(epochs=2), analyses=False) if isinstance(event, Warned)]
    assert len(warned) == 1 and "waited 62% of the time" in warned[0].message
    assert "1 process opens them" in warned[0].message
