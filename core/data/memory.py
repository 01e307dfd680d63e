"""Loads a data set into memory as uint8 tensors. Raises DataUnavailable if a source is missing or damaged."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from torch import Tensor

from core.catalog.copies import Copy, CopyUnusable, copy_place
from core.catalog.datasets import DATASETS, IDX_FILES, DataSet, Reader
from core.data.copies import read_copy
from core.data.matlab import read_arrays
from core.draws.versions import Version, drawn

DIGITS = Path(__file__).with_name("digits") / "digits.csv.gz"


class DataUnavailable(Exception):
    """The data set cannot be loaded; the message says why and what would help."""


@dataclass(frozen=True)
class Split:
    """`images`: (N, C, H, W) uint8; `labels`: (N,) int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int | None, version: Version) -> Split:
        """`count` images, always the same ones, spread over the whole split; all where `count` is None."""
        if count is None or count == len(self):
            return self
        chosen = subset(len(self), count, version)
        return Split(self.images[chosen], self.labels[chosen])

    def to(self, device: torch.device) -> Split:
        return Split(self.images.to(device), self.labels.to(device))


def subset(have: int, count: int, version: Version) -> Tensor:
    """(count,): the rows of `count` of `have` images, the same for every seed and the first ones of every more."""
    if version == 1:
        return torch.randperm(have, generator=torch.Generator().manual_seed(0))[:count]
    return torch.from_numpy(drawn(version, 0, "subset").order(have)[:count])


Pair = tuple[Split, Split]


def load(name: str, folder: Path, copy: Copy | None = None) -> Pair:
    """The train and test split of data set `name`, or of this `copy` of it; downloads are kept below `folder`.

    Raises DataUnavailable where a download fails, a file is missing or damaged, or another copy is here.
    """
    data = DATASETS[name]
    if copy:
        return _copied(data, folder, copy)
    train, test = READERS[data.reader](data, folder)
    for split, count in ((train, data.train), (test, data.test)):
        _check(data, split, count)
    return train, test


def _check(data: DataSet, split: Split, count: int) -> None:
    shape, classes = tuple(split.images.shape), len(data.classes)
    if shape != (count, *data.shape) or len(split.labels) != count:
        raise DataUnavailable(f"{data.title} is damaged: expected {count} images of {data.shape}, got {shape}.")
    if int(split.labels.min()) < 0 or int(split.labels.max()) >= classes:
        raise DataUnavailable(f"{data.title} is damaged: a label is outside 0..{classes - 1}.")


def _copied(data: DataSet, folder: Path, copy: Copy) -> Pair:
    place = copy_place(data)
    if place is None:
        raise DataUnavailable(
            f"This run needs the {copy.kind} copy of {data.title} (fingerprint {copy.fingerprint}): set "
            f"{data.variable} "
            "to the folder or archive of that copy."
        )
    try:
        there, *splits = read_copy(data, place, folder, copy)
    except CopyUnusable as error:
        raise DataUnavailable(f"{error}.") from error
    if there != copy:
        raise DataUnavailable(
            f"This run needs the {copy.kind} copy of {data.title} with the fingerprint {copy.fingerprint}; {place} has "
            f"{there.fingerprint}."
        )
    train, test = (Split(torch.from_numpy(images.copy()), torch.from_numpy(labels.copy())) for images, labels in splits)
    return train, test


def _digits(data: DataSet, folder: Path) -> Pair:
    try:
        table = np.loadtxt(DIGITS, delimiter=",", dtype=np.uint8)
    except (OSError, EOFError, ValueError) as error:
        raise DataUnavailable(f"{DIGITS}, which comes with OnlyBN, cannot be read ({error}).") from error
    pixels = (table[:, :64].astype(np.float32) * (255 / 16)).round().astype(np.uint8)
    images, labels = torch.from_numpy(pixels).view(-1, 1, 8, 8), torch.from_numpy(table[:, 64].astype(np.int64))
    test = torch.arange(len(labels)) % 5 == 4
    return Split(images[~test], labels[~test]), Split(images[test], labels[test])


def _idx(data: DataSet, folder: Path) -> Pair:
    place = data.given
    if place is None and data.download:
        place = folder / data.download.place
        _fetched(data, folder, _both_splits)
    if place is None:
        raise DataUnavailable(f"{data.title}: set {data.variable} to the folder with its files.")
    train_images, train_labels, test_images, test_labels = (_idx_file(data.title, place, name) for name in IDX_FILES)
    return _idx_split(train_images, train_labels), _idx_split(test_images, test_labels)


def _cifar(data: DataSet, folder: Path) -> Pair:
    # torchvision unpickles only files whose checksums it has verified.
    train, test = (
        Split(torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(part.targets))
        for part in _fetched(data, folder, _both_splits)
    )
    return train, test


def _svhn(data: DataSet, folder: Path) -> Pair:
    train, test = (
        Split(
            torch.from_numpy(np.ascontiguousarray(arrays["X"].transpose(3, 2, 0, 1))),
            torch.from_numpy(arrays["y"].astype(np.int64).flatten() % 10),  # the digit 0 has the label 10
        )
        for arrays in _fetched(data, folder, _svhn_files)
    )
    return train, test


READERS: dict[Reader, Callable[[DataSet, Path], Pair]] = {
    "digits": _digits,
    "idx": _idx,
    "cifar": _cifar,
    "svhn": _svhn,
}
"""The function that reads the files of a data set into memory, by reader. The reader `folder` is in `streaming.py`."""


def _both_splits(kind: Any, folder: Path) -> list[Any]:
    """Train and test split of torchvision's data set `kind`."""
    return [kind(str(folder), train=train, download=True) for train in (True, False)]


def _svhn_files(kind: Any, folder: Path) -> list[dict[str, Any]]:
    """The arrays of both files: torchvision would read them with SciPy, which nothing else here needs."""
    from torchvision.datasets.utils import download_url  # noqa: PLC0415

    arrays = []
    for split in ("train", "test"):
        url, name, checksum = kind.split_list[split]
        download_url(url, str(folder), name, checksum)
        arrays.append(read_arrays(folder / name))
    return arrays


def _fetched(data: DataSet, folder: Path, fetch: Callable[[Any, Path], list[Any]]) -> list[Any]:
    """The result of `fetch` for torchvision's class of `data` and `folder`; it downloads missing files."""
    from torchvision import datasets  # noqa: PLC0415 - seconds of import that only a download needs

    assert data.download
    if given := data.given:  # the folder of the files, or the archive or the folder that torchvision would unpack
        folder = given.parent if given.name in {Path(name).parts[0] for name in data.download.kept_as} else given
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{data.download.kind}.lock"):
            return fetch(getattr(datasets, data.download.kind), folder)
    except (OSError, RuntimeError, EOFError, LookupError, ValueError, AssertionError) as error:
        reason = " ".join(str(getattr(error, "reason", None) or error).split()) or type(error).__name__
        raise DataUnavailable(
            f"{data.title} could not be downloaded or read ({reason}). "
            f"Without a network, put {data.download.files} into {folder / data.download.place} and launch again."
        ) from error


def _idx_split(images: Tensor, labels: Tensor) -> Split:
    return Split(images.unsqueeze(1), labels.to(torch.int64))


def _idx_file(title: str, folder: Path, name: str) -> Tensor:
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
            raise ValueError("it does not start like an IDX file of bytes")
        return torch.from_numpy(values.reshape(shape).copy())
    except (OSError, EOFError, ValueError, IndexError, struct.error) as error:
        raise DataUnavailable(f"{title}: {path} is damaged ({error}).") from error
