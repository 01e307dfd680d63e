"""Data sets: the real loading code on real data and on small files in the same formats; augmentation."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import struct
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.datasets import memory
from core.datasets.augmentation import Shifts, draw_shifts, normalise, shift
from core.datasets.catalog import DATASETS
from core.datasets.memory import DataUnavailable, load
from core.events import Failed
from core.spec import RunSpec
from core.training import train


def write_idx(folder: Path, name: str, values: np.ndarray[Any, Any]) -> None:
    header = b"\x00\x00\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    (folder / f"{name}.gz").write_bytes(gzip.compress(header + values.astype(np.uint8).tobytes(), 1))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both image data sets with 20 + 10 images."""
    table = dict(DATASETS)
    for name in ("fashion-mnist", "cifar-10"):
        table[name] = replace(table[name], train=20, test=10)
    monkeypatch.setattr(memory, "DATASETS", table)


@pytest.fixture
def fashion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None) -> Path:
    rng = np.random.default_rng(0)
    for prefix, count in (("train", 20), ("t10k", 10)):
        write_idx(tmp_path, f"{prefix}-images-idx3-ubyte", rng.integers(0, 256, (count, 28, 28)))
        write_idx(tmp_path, f"{prefix}-labels-idx1-ubyte", np.arange(count) % 10)
    monkeypatch.setenv("ONLYBN_FASHION_MNIST", str(tmp_path))
    return tmp_path


def test_digits_are_here() -> None:
    train_split, test_split = load("digits", Path("nowhere"))
    assert (len(train_split), len(test_split)) == (1438, 359)
    assert train_split.images.dtype == torch.uint8 and int(train_split.images.max()) == 255
    assert sorted(set(test_split.labels.tolist())) == list(range(10))


def test_they_are_scikit_learns_digits() -> None:
    from sklearn.datasets import load_digits

    images, target = load_digits(return_X_y=True)
    train_split, test_split = load("digits", Path("nowhere"))
    test = np.arange(len(target)) % 5 == 4
    assert test_split.labels.tolist() == target[test].tolist()
    restored = train_split.images.double().flatten(1) * (16 / 255)
    assert torch.equal(restored.round(), torch.from_numpy(images[~test]))


@pytest.mark.skipif(not memory.DEBIAN_FASHION_MNIST.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_debians_fashion_mnist() -> None:
    train_split, test_split = load("fashion-mnist", Path("nowhere"))
    assert tuple(train_split.images.shape) == (60_000, 1, 28, 28)
    assert torch.bincount(test_split.labels).tolist() == [1000] * 10
    data = DATASETS["fashion-mnist"]
    pixels = train_split.images[:20_000].float() / 255
    assert float(pixels.mean()) == pytest.approx(data.mean[0], abs=0.003)
    assert float(pixels.std()) == pytest.approx(data.deviation[0], abs=0.003)


def test_fashion_mnist_from_a_named_folder(fashion: Path) -> None:
    train_split, test_split = load("fashion-mnist", Path("nowhere"))
    assert tuple(train_split.images.shape) == (20, 1, 28, 28)
    assert test_split.labels.tolist() == list(range(10))


@pytest.mark.parametrize("damage", ["absent", "cut", "foreign", "wrong count"])
def test_a_damaged_file_is_explained(fashion: Path, damage: str) -> None:
    path = fashion / "train-images-idx3-ubyte.gz"
    if damage == "absent":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "foreign":
        path.write_bytes(gzip.compress(b"not an idx file at all"))
    else:
        write_idx(fashion, "train-images-idx3-ubyte", np.zeros((7, 28, 28)))
    with pytest.raises(DataUnavailable, match="Fashion-MNIST"):
        load("fashion-mnist", Path("nowhere"))


def write_cifar(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `cifar-10-python.tar.gz` of 20 + 10 images, and its checksums in place of the real ones."""
    from torchvision import datasets

    base = folder / "make" / "cifar-10-batches-py"
    base.mkdir(parents=True)
    rng = np.random.default_rng(1)
    files = {f"data_batch_{i}": 4 for i in range(1, 6)} | {"test_batch": 10}
    for name, count in files.items():
        batch = {"data": rng.integers(0, 256, (count, 3072), dtype=np.uint8), "labels": [i % 10 for i in range(count)]}
        (base / name).write_bytes(pickle.dumps(batch))
    (base / "batches.meta").write_bytes(pickle.dumps({"label_names": list(DATASETS["cifar-10"].classes)}))
    archive = folder / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(base, arcname="cifar-10-batches-py")

    def md5(path: Path) -> str:
        return hashlib.md5(path.read_bytes()).hexdigest()

    kind = datasets.CIFAR10
    monkeypatch.setattr(kind, "tgz_md5", md5(archive))
    monkeypatch.setattr(kind, "train_list", [[f"data_batch_{i}", md5(base / f"data_batch_{i}")] for i in range(1, 6)])
    monkeypatch.setattr(kind, "test_list", [["test_batch", md5(base / "test_batch")]])
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": md5(base / "batches.meta")})
    return archive


def test_cifar_10_from_its_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None) -> None:
    write_cifar(tmp_path, monkeypatch)
    train_split, test_split = load("cifar-10", tmp_path)
    assert tuple(train_split.images.shape) == (20, 3, 32, 32)
    first = pickle.loads((tmp_path / "cifar-10-batches-py" / "data_batch_1").read_bytes())["data"][0]
    assert torch.equal(train_split.images[0].flatten(), torch.from_numpy(first)), "channels, rows, columns"
    assert test_split.labels.tolist() == list(range(10))


def test_a_wrong_checksum_and_a_failed_download_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: None
) -> None:
    archive = write_cifar(tmp_path, monkeypatch)
    from torchvision import datasets

    archive.write_bytes(archive.read_bytes()[:-10] + b"0123456789")
    monkeypatch.setattr(datasets.CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    run = RunSpec(architecture="resnet-8", policy="batchnorm", dataset="cifar-10", epochs=1)
    failed = list(train(run, data_folder=tmp_path))[-1]
    assert isinstance(failed, Failed) and failed.kind == "data_unavailable"
    assert failed.message.startswith("CIFAR-10 could not be downloaded or read")
    assert "cifar-10-python.tar.gz" in failed.message
    assert "Traceback" not in failed.message


def test_a_subset_is_always_the_same_one() -> None:
    split, _ = load("digits", Path("nowhere"))
    assert torch.equal(split.first(100).images, split.first(200).images[:100])
    assert len(split.first(None)) == len(split)


def test_a_shift_is_a_crop_of_the_padded_and_mirrored_image() -> None:
    images = torch.arange(2 * 3 * 6 * 6, dtype=torch.uint8).view(2, 3, 6, 6)
    moved = shift(images, Shifts(torch.tensor([False, True]), torch.tensor([0, 2]), torch.tensor([3, 1])), pad=2)
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
    assert torch.equal(moved[0], padded[0, :, 0:6, 3:9])
    assert torch.equal(moved[1], padded[1, :, 2:8, 1:7].flip(-1))
    same = shift(images, Shifts(torch.tensor([False, False]), torch.tensor([2, 2]), torch.tensor([2, 2])), pad=2)
    assert torch.equal(same, images)


def test_shifts_follow_from_seed_and_epoch() -> None:
    data = DATASETS["fashion-mnist"]
    one, again, other = (draw_shifts(data, 1000, 7, epoch) for epoch in (3, 3, 4))
    assert torch.equal(one.top, again.top) and not torch.equal(one.top, other.top)
    assert sorted(set(one.left.tolist())) == list(range(2 * data.pad + 1))
    assert 400 < int(one.mirrored.sum()) < 600
    assert not draw_shifts(DATASETS["digits"], 100, 7, 0).mirrored.any(), "a mirrored digit is another thing"


@pytest.mark.parametrize("name", DATASETS)
def test_normalised_images(name: str) -> None:
    data = DATASETS[name]
    images = torch.randint(0, 256, (4, *data.shape), dtype=torch.uint8)
    out = normalise(images, data)
    expected = (images.double() / 255 - torch.tensor(data.mean).view(-1, 1, 1)) / torch.tensor(data.deviation).view(
        -1, 1, 1
    )
    assert torch.allclose(out.double(), expected, atol=1e-5)
    assert out.is_contiguous(memory_format=torch.channels_last)
