"""Reads the arrays of numbers in a MATLAB 5 file, which is how SVHN comes.

Source: MathWorks, "MAT-File Format", Level 5. Reads only what such files need: little-endian, real numbers,
compressed or not.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

HEADER_BYTES = 128
MATRIX, COMPRESSED = 14, 15
NUMBERS = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8"}
"""The kinds of elements that hold numbers, and their types in NumPy."""


def read_arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of the file by name. Raises ValueError where it is damaged or holds something else."""
    content = path.read_bytes()
    if content[126:HEADER_BYTES] != b"IM":
        raise ValueError(f"{path.name} does not start like a MATLAB 5 file")
    try:
        return dict(_array(*element) for element in _elements(memoryview(content)[HEADER_BYTES:]))
    except (struct.error, zlib.error, KeyError, ValueError) as error:
        raise ValueError(f"{path.name} is not a MATLAB file of arrays ({error!r})") from error


def _elements(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Kind and content of the elements in a row."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind >> 16:  # a small one: its content of up to four bytes lies in the tag
            yield kind & 0xFFFF, data[at + 4 : at + 4 + (kind >> 16)]
            at += 8
        else:
            yield kind, data[at + 8 : at + 8 + size]
            at += 8 + (size if kind == COMPRESSED else -(-size // 8) * 8)


def _array(kind: int, data: memoryview) -> tuple[str, np.ndarray[Any, Any]]:
    if kind == COMPRESSED:
        ((kind, data),) = _elements(memoryview(zlib.decompress(data)))
    if kind != MATRIX:
        raise ValueError(f"an element of kind {kind} is not an array")
    _flags, (_, shape), (_, name), (numbers, values) = _elements(data)
    flat = np.frombuffer(values, NUMBERS[numbers])
    return bytes(name).decode(), flat.reshape(np.frombuffer(shape, "<i4"), order="F")
