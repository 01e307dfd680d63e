"""Loads a data set into memory as uint8 tensors. A source that cannot be had raises DataUnavailable."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from core.catalog.datasets import DATASETS, DataSet

DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""The files of MNIST and Fashion-MNIST."""


class DataUnavailable(Exception):
    """The data set cannot be had; the message says why and what would help."""


@dataclass(frozen=True)
class Split:
    """`images`: (N, C, H, W) uint8; `labels`: (N,) int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int | None) -> Split:
        """`count` images, always the same ones, spread over the whole split; all where `count` is None."""
        if count is None or count == len(self):
            return self
        chosen = torch.randperm(len(self), generator=torch.Generator().manual_seed(0))[:count]
        return Split(self.images[chosen], self.labels[chosen])

    def to(self, device: torch.device) -> Split:
        return Split(self.images.to(device), self.labels.to(device))


Pair = tuple[Split, Split]


def load(name: str, folder: Path) -> Pair:
    """The train and test split of data set `name`; downloads are kept below `folder`.

    Raises DataUnavailable where a download fails, a file is missing or a file is damaged.
    """
    data = DATASETS[name]
    train, test = SOURCES[name](folder)
    for split, count in ((train, data.train), (test, data.test)):
        _check(data, split, count)
    return train, test


def _check(data: DataSet, split: Split, count: int) -> None:
    shape, classes = tuple(split.images.shape), len(data.classes)
    if shape != (count, *data.shape) or len(split.labels) != count:
        raise DataUnavailable(f"{data.title} is damaged: expected {count} images of {data.shape}, got {shape}.")
    if int(split.labels.min()) < 0 or int(split.labels.max()) >= classes:
        raise DataUnavailable(f"{data.title} is damaged: a label is outside 0..{classes - 1}.")


def _digits(folder: Path) -> Pair:
    # scikit-learn's own file, without the second and a half that importing scikit-learn takes.
    package = find_spec("sklearn")
    path = Path((package and package.origin) or "sklearn").parent / "datasets" / "data" / "digits.csv.gz"
    try:
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    except (OSError, EOFError, ValueError) as error:
        raise DataUnavailable(f"The digits of scikit-learn cannot be read ({error}). Is it installed?") from error
    pixels = (table[:, :64].astype(np.float32) * (255 / 16)).round().astype(np.uint8)
    images, labels = torch.from_numpy(pixels).view(-1, 1, 8, 8), torch.from_numpy(table[:, 64].astype(np.int64))
    test = torch.arange(len(labels)) % 5 == 4
    return Split(images[~test], labels[~test]), Split(images[test], labels[test])


def _mnist(folder: Path) -> Pair:
    raw = folder / "MNIST" / "raw"
    _download("MNIST", "MNIST", folder, f"the four files {_listed(IDX_FILES, '.gz')}", raw)
    return _idx_pair("MNIST", raw)


def _fashion_mnist(folder: Path) -> Pair:
    named = os.environ.get("ONLYBN_FASHION_MNIST")
    place = Path(named) if named else DEBIAN_FASHION_MNIST
    if not named and not place.is_dir():
        place = folder / "FashionMNIST" / "raw"
        _download("Fashion-MNIST", "FashionMNIST", folder, f"the four files {_listed(IDX_FILES, '.gz')}", place)
    return _idx_pair("Fashion-MNIST", place)


def _cifar_10(folder: Path) -> Pair:
    return _cifar(*_download("CIFAR-10", "CIFAR10", folder, "cifar-10-python.tar.gz", folder))


def _cifar_100(folder: Path) -> Pair:
    return _cifar(*_download("CIFAR-100", "CIFAR100", folder, "cifar-100-python.tar.gz", folder))


def _cifar(*parts: Any) -> Pair:
    # torchvision unpickles only files whose checksums it has verified.
    train, test = (
        Split(torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(part.targets))
        for part in parts
    )
    return train, test


def _svhn(folder: Path) -> Pair:
    # In the files the digit 0 has the label 10, which torchvision puts right.
    parts: Any = _download("SVHN", "SVHN", folder, "train_32x32.mat and test_32x32.mat", folder)
    train, test = (
        Split(torch.from_numpy(np.ascontiguousarray(part.data)), torch.from_numpy(part.labels)) for part in parts
    )
    return train, test


SOURCES: dict[str, Callable[[Path], Pair]] = {
    "digits": _digits,
    "mnist": _mnist,
    "fashion-mnist": _fashion_mnist,
    "cifar-10": _cifar_10,
    "cifar-100": _cifar_100,
    "svhn": _svhn,
}


def _download(title: str, kind: str, folder: Path, files: str, place: Path) -> tuple[object, object]:
    """torchvision's data set `kind` (train, test), downloaded into `folder` and verified unless it is there."""
    from torchvision import datasets  # noqa: PLC0415 - seconds of import that only a download needs

    splits: tuple[dict[str, Any], ...] = ({"train": True}, {"train": False})
    if kind == "SVHN":
        splits = ({"split": "train"}, {"split": "test"})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{kind}.lock"):
            train, test = (getattr(datasets, kind)(str(folder), **split, download=True) for split in splits)
            return train, test
    except (OSError, RuntimeError, EOFError, LookupError, ValueError, AssertionError) as error:
        reason = " ".join(str(getattr(error, "reason", None) or error).split()) or type(error).__name__
        raise DataUnavailable(
            f"{title} could not be downloaded or read ({reason}). "
            f"Without a network, put {files} into {place} and launch again."
        ) from error


def _listed(names: Sequence[str], suffix: str) -> str:
    return ", ".join(f"{name}{suffix}" for name in names)


def _idx_pair(title: str, folder: Path) -> Pair:
    train_images, train_labels, test_images, test_labels = (_idx(title, folder, name) for name in IDX_FILES)
    return _idx_split(train_images, train_labels), _idx_split(test_images, test_labels)


def _idx_split(images: Tensor, labels: Tensor) -> Split:
    return Split(images.unsqueeze(1), labels.to(torch.int64))


def _idx(title: str, folder: Path, name: str) -> Tensor:
    """An IDX file of unsigned bytes, plain or .gz (http://yann.lecun.com/exdb/mnist, file format)."""
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)
    if path is None:
        raise DataUnavailable(f"{title}: neither {name} nor {name}.gz is in {folder}.")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            magic, dimensions = file.read(3), file.read(1)[0]
            shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
            values = np.frombuffer(file.read(), dtype=np.uint8)
        if magic != b"\x00\x00\x08":
            raise ValueError("it does not begin as an IDX file of bytes")
        return torch.from_numpy(values.reshape(shape).copy())
    except (OSError, EOFError, ValueError, IndexError, struct.error) as error:
        raise DataUnavailable(f"{title}: {path} is damaged ({error}).") from error
