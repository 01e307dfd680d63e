"""The pixels of a copy (core/catalog/copies.py): decoded once, then kept as one file whose digest is checked."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image

from core.catalog.copies import Copy, CopyUnusable, Picture, pictures_of, stamp
from core.catalog.datasets import DataSet
from core.machine.files import write_atomically

Pixels = NDArray[np.uint8]
Split = tuple[Pixels, NDArray[np.int64]]
"""Images (N, C, H, W) and labels (N,)."""
MODES = {1: "L", 3: "RGB"}


def read_copy(data: DataSet, place: Path, folder: Path, wanted: Copy | None = None) -> tuple[Copy, Split, Split]:
    """Which copy lies at `place`, and its splits. What was decoded is kept in `folder`. Raises CopyUnusable.

    Where what is kept is not the `wanted` copy, all is read anew: a file that was written over changes no stamp.
    """
    file = folder / "copies" / f"{data.name}-{stamp(place)}.bin"
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_name(f"{data.name}.lock")):  # a second process waits, and finds what the first one decoded
        kept = _kept(data, file)
        if kept is None or (wanted and kept[0] != wanted):
            pictures = pictures_of(data, place)
            kept = pictures.copy(), _decoded(data, pictures.train), _decoded(data, pictures.test)
            for old in file.parent.glob(f"{data.name}-*.bin"):
                old.unlink()
            _keep(file, *kept)
    return kept


def _decoded(data: DataSet, pictures: Sequence[Picture]) -> Split:
    images = np.empty((len(pictures), *data.shape), np.uint8)

    def decode(rows: range) -> None:
        for row in rows:
            images[row] = _pixels(data, pictures[row])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(decode, (range(first, min(first + 500, len(images))) for first in range(0, len(images), 500))))
    return images, np.array([picture.label for picture in pictures], np.int64)


def _pixels(data: DataSet, picture: Picture) -> Pixels:
    channels, height, width = data.shape
    try:
        with Image.open(BytesIO(picture.read())) as file:
            if file.size != (width, height):
                raise CopyUnusable(
                    f"{picture.path} has {file.size[0]}×{file.size[1]} pixels; {data.title} has {width}×{height}"
                )
            pixels = np.asarray(file.convert(MODES[channels]))
    except (OSError, SyntaxError, ValueError) as error:
        if isinstance(error, CopyUnusable):
            raise
        raise CopyUnusable(f"{picture.path} is not a readable image ({error})") from error
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _keep(file: Path, copy: Copy, train: Split, test: Split) -> None:
    body = b"".join(array.tobytes() for split in (train, test) for array in split)
    head = {"copy": copy.model_dump(), "sha256": hashlib.sha256(body).hexdigest()}
    write_atomically(file, json.dumps(head).encode() + b"\n" + body)


def _kept(data: DataSet, file: Path) -> tuple[Copy, Split, Split] | None:
    """What `_keep` wrote; None where it is missing or damaged."""
    try:
        line, _, body = file.read_bytes().partition(b"\n")
        head = json.loads(line)
        copy = Copy.model_validate(head["copy"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    sizes = [count * size for count in (data.train, data.test) for size in (int(np.prod(data.shape)), 8)]
    if hashlib.sha256(body).hexdigest() != head["sha256"] or len(body) != sum(sizes):
        return None
    ends = np.cumsum(sizes)[:-1].tolist()
    pieces = [body[a:b] for a, b in zip([0, *ends], [*ends, len(body)], strict=True)]
    train, test = (
        (np.frombuffer(pixels, np.uint8).reshape(-1, *data.shape), np.frombuffer(labels, np.int64))
        for pixels, labels in (pieces[:2], pieces[2:])
    )
    return copy, train, test
