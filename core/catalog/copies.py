"""Copies of a data set as people have them: class folders of small images, or an archive of such, found by name alone.

`ONLYBN_CIFAR_10` (and others) may name a folder with `train/` and `test/`, each with one folder a class, or a .tar.gz
of one. Compression may have changed the pixels, so a run's spec keeps which copy it was. Imports no torch.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import Field

from core.catalog.datasets import DataSet
from core.catalog.model import Model

KINDS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
"""The images that a copy may have, by their files' endings."""
ARCHIVES = (".tar.gz", ".tgz", ".tar")
SPLITS = {"train": "train", "test": "test", "val": "test"}


class CopyUnusable(ValueError):
    """The copy cannot be used; the message says why, and names the file."""


class Copy(Model):
    """Which copy of a data set a run saw."""

    kind: Literal["JPEG", "PNG"] = Field(description="How its images are stored: JPEG changes pixels, PNG does not.")
    fingerprint: str = Field(
        pattern=r"^[0-9a-f]{16}$", description="Of the bytes of all its image files, with their splits and classes."
    )


@dataclass(frozen=True)
class Picture:
    """An image file: the number of its class, its path in the copy, and what reads its bytes."""

    label: int
    path: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Pictures:
    """All image files of a copy, by split, sorted by class and then by name."""

    train: Sequence[Picture]
    test: Sequence[Picture]

    def copy(self) -> Copy:
        """Reads every file. Raises CopyUnusable."""
        digest = hashlib.sha256()
        for split, pictures in (("train", self.train), ("test", self.test)):
            for picture in pictures:
                content = hashlib.sha256(_content(picture)).digest()
                digest.update(f"{split} {picture.label} {len(content)}\n".encode() + content)
        lossy = any(_kind(picture.path) == "JPEG" for picture in (*self.train, *self.test))
        return Copy(kind="JPEG" if lossy else "PNG", fingerprint=digest.hexdigest()[:16])


def copy_place(data: DataSet) -> Path | None:
    """The folder or archive of a copy of `data` that the environment names; None where it names none, or names a folder
    with the original files."""
    if data.streamed or not (named := os.environ.get(data.variable or "")):
        return None
    place = Path(named).expanduser()
    if place.is_dir():
        return place if any((place / split).is_dir() for split in SPLITS) else None
    return place if place.name.endswith(ARCHIVES) and place.is_file() and not _is_original(data, place) else None


def copy_of(data: DataSet) -> Copy | None:
    """The copy that is here; None where there is none. Takes seconds the first time. Raises CopyUnusable."""
    place = copy_place(data)
    return None if place is None else _known_copy(data, place, stamp(place))


def described_copy(data: DataSet, copy: Copy | None) -> DataSet:
    """`data` with a title that names the copy: "CIFAR-10, JPEG copy"."""
    return data if copy is None else _titled(data, copy.kind)


def stamp(place: Path) -> str:
    """Changes when files are added, removed or renamed: times and sizes of the archive, or of the class folders."""
    try:
        places = [place] if place.is_file() else sorted(path for path in place.glob("*/*") if path.is_dir())
        told = [(str(path), status.st_mtime_ns, status.st_size) for path in places for status in [path.stat()]]
    except OSError as error:
        raise CopyUnusable(f"{error.filename} cannot be read ({error.strerror})") from error
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def pictures_of(data: DataSet, place: Path) -> Pictures:
    """The image files of the copy at `place`. Raises CopyUnusable."""
    numbers = {_plain(name): number for number, name in enumerate(data.classes)}
    numbers |= {str(number): number for number in range(len(data.classes))}
    found: dict[str, list[Picture]] = {"train": [], "test": []}
    for path, read in _files(place):
        split, folder, *_ = path.parts[-3:]
        number = numbers.get(_plain(folder))
        if number is None:
            raise CopyUnusable(f"{place} has a class {folder!r} (in {path}), which {data.title} does not have")
        found[SPLITS[split]].append(Picture(number, str(path), read))
    for split, wanted in (("train", data.train), ("test", data.test)):
        _check(data, place, split, found[split], wanted)
    train, test = (sorted(found[split], key=lambda picture: (picture.label, picture.path)) for split in found)
    return Pictures(train, test)


def _check(data: DataSet, place: Path, split: str, pictures: Sequence[Picture], wanted: int) -> None:
    there = {picture.label for picture in pictures}
    missing = [name for number, name in enumerate(data.classes) if number not in there]
    if missing:
        raise CopyUnusable(f"{place}: {split}/ has no images of {', '.join(missing[:3])}, which {data.title} has")
    if len(pictures) != wanted:
        raise CopyUnusable(f"{place}: {split}/ has {len(pictures):,} images; {data.title} has {wanted:,}")


def _files(place: Path) -> Iterator[tuple[PurePosixPath, Callable[[], bytes]]]:
    """The path and the reader of each image file that lies in a class folder of a split."""
    if place.is_dir():
        for path in sorted(place.glob("*/*/*")):
            if _counts(path):
                yield PurePosixPath(path.relative_to(place)), path.read_bytes
        return
    try:
        with tarfile.open(place) as archive:
            for member in archive:
                inside = PurePosixPath(member.name)
                if member.isfile() and len(inside.parts) >= 3 and _counts(inside):
                    file = archive.extractfile(member)
                    yield inside, partial(bytes, file.read() if file else b"")
    except (OSError, EOFError, tarfile.TarError) as error:
        raise CopyUnusable(f"{place} cannot be read: {error}") from error


def _counts(path: PurePosixPath | Path) -> bool:
    return path.parts[-3] in SPLITS and path.suffix.lower() in KINDS and not path.name.startswith(".")


def _kind(path: str) -> str:
    return KINDS[PurePosixPath(path).suffix.lower()]


def _content(picture: Picture) -> bytes:
    try:
        return picture.read()
    except OSError as error:
        raise CopyUnusable(f"{picture.path} cannot be read ({error.strerror})") from error


def _plain(name: str) -> str:
    """A class's name as folders may spell it: `Aquarium_Fish` is `aquarium fish`."""
    return re.sub(r"[\s_-]+", " ", name.strip().lower())


def _is_original(data: DataSet, place: Path) -> bool:
    return data.download is not None and place.name in (Path(name).name for name in data.download.kept_as)


@lru_cache(maxsize=8)
def _known_copy(data: DataSet, place: Path, stamp: str) -> Copy:
    return pictures_of(data, place).copy()


@lru_cache(maxsize=32)
def _titled(data: DataSet, kind: str) -> DataSet:
    return replace(data, title=f"{data.title}, {kind} copy")
