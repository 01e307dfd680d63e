"""A folder of class folders: its classes and images, found by name without opening an image. Imports no torch.

The folder has `train/` and `val/` (or `test/`), each with one folder a class. The spec of a run keeps the counts and a
fingerprint of the names as its `Contents`, so the spec is complete, and a run on another folder is another run.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field

from core.catalog.cache import cached
from core.catalog.datasets import DATASETS, DataSet
from core.catalog.model import Model

SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""Files that count as images, as in torchvision's ImageFolder."""
TEST_NAMES = ("val", "test")
SIZES = (8, 512)
USUAL_SIZE = 64


class FolderUnusable(ValueError):
    """The folder cannot be used; the message says why and what would be right."""


class Contents(Model):
    """What lies in the folder of a streamed data set."""

    classes: int = Field(ge=2, le=100_000, description="Number of class folders.")
    train: int = Field(ge=1, le=10**9, description="Training images.")
    test: int = Field(ge=1, le=10**9, description="Test images.")
    size: int = Field(ge=SIZES[0], le=SIZES[1], description="Side in pixels of the crop from each image.")
    fingerprint: str = Field(
        pattern=r"^[0-9a-f]{16}$", description="Of the names of all classes and images, not of the files' contents."
    )

    @property
    def words(self) -> str:
        return counted(self.classes, self.train, self.test)


def counted(classes: int, train: int, test: int) -> str:
    return f"{classes:,} classes, {train:,} training images and {test:,} test images"


@dataclass(frozen=True)
class Files:
    """The images of one split: their `paths` in the folder, sorted by class and then by name, and the class of each."""

    paths: list[str]
    labels: list[int]

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True)
class Listing:
    """All images of a folder."""

    classes: list[str]
    train: Files
    test: Files

    def contents(self, size: int) -> Contents:
        """What a spec keeps of this listing, for a run that cuts squares of side `size` out of the images."""
        return Contents(
            classes=len(self.classes),
            train=len(self.train),
            test=len(self.test),
            size=size,
            fingerprint=self._fingerprint(),
        )

    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for title, split in (("train", self.train), ("test", self.test)):
            digest.update(f"{title} {len(self.classes)} {len(split)}\n".encode())
            for path, label in zip(split.paths, split.labels, strict=True):
                # Leaves out the split's own folder, so that `val` and `test` give the same fingerprint.
                digest.update(os.fsencode(f"{label}/{path.partition('/')[2]}\n"))
        return digest.hexdigest()[:16]


def described(data: DataSet, contents: Contents | None) -> DataSet:
    """`data` with the counts of its folder, if there are `contents`; its classes are then named by number."""
    return data if contents is None else _described(data, contents)


@cached(8 << 20, lambda data: 60 * len(data.classes))
def _described(data: DataSet, contents: Contents) -> DataSet:
    return replace(
        data,
        shape=(data.shape[0], contents.size, contents.size),
        classes=tuple(map(str, range(contents.classes))),
        train=contents.train,
        test=contents.test,
    )


def folder_of(data: DataSet) -> Path:
    """The folder that the environment names for `data`. Raises FolderUnusable where there is none."""
    named = os.environ.get(data.variable or "")
    wanted = f"set {data.variable} to a folder with train/ and val/, each with one folder of images per class"
    if not named:
        raise FolderUnusable(f"{data.title}: not on this server yet; its operator can {wanted}")
    folder = Path(named).expanduser()
    if not (folder / "train").is_dir() or _test_folder(folder) is None:
        raise FolderUnusable(f"{data.title}: {data.variable} names a folder without train/ and val/; {wanted}")
    return folder


def missing(data: DataSet) -> str | None:
    """Why a streamed data set is not available here, after a quick check; None if it is."""
    try:
        if data.streamed:
            folder_of(data)
    except FolderUnusable as error:
        return str(error)
    return None


def contents_of(name: str) -> Contents:
    """What lies in the folder of data set `name` now. Raises FolderUnusable.

    Listing a million files takes seconds, so the result is cached until one of the folders changes.
    """
    data = DATASETS[name]
    folder, size = folder_of(data), _size(data)
    known = _KNOWN.get(folder)
    if known is None or _times(known[0]) != known[0]:
        known = _KNOWN[folder] = _look(data, folder)
    found = known[1].model_copy(update={"size": size})
    _check(data, found)
    return found


_KNOWN: dict[Path, tuple[dict[str, int], Contents]] = {}
"""The cache, by data set folder: when each folder in it was last changed, and the contents at that time."""


def _look(data: DataSet, folder: Path) -> tuple[dict[str, int], Contents]:
    visited: list[str] = []
    contents = listing(data, folder, visited).contents(USUAL_SIZE)
    return _times(dict.fromkeys(visited, 0)), contents


def _times(folders: dict[str, int]) -> dict[str, int]:
    times = {}
    for folder in folders:
        try:
            times[folder] = Path(folder).stat().st_mtime_ns
        except OSError:  # gone, which is a change too
            times[folder] = -1
    return times


def _size(data: DataSet) -> int:
    """The side of the images: fixed, or the value of ONLYBN_FOLDER_SIZE."""
    if data.classes:
        return data.shape[1]
    text = os.environ.get("ONLYBN_FOLDER_SIZE") or str(USUAL_SIZE)
    if not text.isascii() or not text.isdigit() or not SIZES[0] <= int(text) <= SIZES[1]:
        raise FolderUnusable(f"ONLYBN_FOLDER_SIZE must be a whole number in {SIZES[0]}..{SIZES[1]}, got {text!r}")
    return int(text)


def _check(data: DataSet, found: Contents) -> None:
    """Raises FolderUnusable if the folder of a named data set (ImageNet) does not have that data set's counts."""
    if not data.classes:
        return
    wanted = (len(data.classes), data.train, data.test)
    if (found.classes, found.train, found.test) != wanted:
        raise FolderUnusable(
            f"{data.title}: the folder of {data.variable} has {found.words}; "
            f"{data.title} has {counted(*wanted)}. For other images, use the data set folder"
        )


def listing(data: DataSet, folder: Path, visited: list[str] | None = None) -> Listing:
    """All images below `folder`; adds the names of the folders that it looks into to `visited`.

    Raises FolderUnusable if a class is empty or in one split only, if there are fewer than two classes, or if a folder
    cannot be read.
    """
    visited = [] if visited is None else visited
    test = _test_folder(folder)
    if test is None:
        raise FolderUnusable(f"{data.title}: {data.variable} names a folder without val/ or test/")
    try:
        classes, tested = _classes(folder / "train"), _classes(test)
        visited += [str(folder / "train"), str(test)]
        if differing := sorted(set(classes) ^ set(tested)):
            side = "train" if differing[0] in classes else test.name
            raise FolderUnusable(f"{data.title}: the class {differing[0]!r} is in {side}/ only")
        if len(classes) < 2:
            raise FolderUnusable(f"{data.title}: train/ must have at least two class folders, got {len(classes)}")
        splits = [_files(data, split, classes, visited) for split in (folder / "train", test)]
    except OSError as error:
        raise FolderUnusable(f"{data.title}: {error.filename} cannot be read ({error.strerror})") from error
    return Listing(classes, *splits)


def _test_folder(folder: Path) -> Path | None:
    return next((folder / name for name in TEST_NAMES if (folder / name).is_dir()), None)


def _classes(split: Path) -> list[str]:
    with os.scandir(split) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def _files(data: DataSet, split: Path, classes: list[str], visited: list[str]) -> Files:
    paths: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = sorted(_images(split, name, visited))
        if not found:
            raise FolderUnusable(f"{data.title}: {split.name}/{name} has no images ({', '.join(SUFFIXES)})")
        paths += [f"{split.name}/{path}" for path in found]
        labels += [label] * len(found)
    return Files(paths, labels)


def _images(split: Path, name: str, visited: list[str]) -> Iterator[str]:
    """The images of one class, including those in subfolders, as paths within the split."""

    def raised(error: OSError) -> None:
        raise error

    for parent, _, files in os.walk(split / name, onerror=raised, followlinks=True):
        visited.append(parent)
        within = Path(parent).relative_to(split).as_posix()
        yield from (
            f"{within}/{file}" for file in files if file.lower().endswith(SUFFIXES) and not file.startswith(".")
        )
