"""Reads the header of an untrusted safetensors file within bounds, checks it, and says what is wrong. No torch.

The format: 8 bytes with the length of the header, the header (a JSON object: name -> dtype, shape, place), the data.
https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

MAX_HEADER = 1 << 20
MAX_TENSORS = 10_000
"""ResNet-1202, the deepest here, has 7,300."""
MAX_DIMENSIONS = 8
MAX_NAME = 300
ITEM_BYTES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "I16": 2,
    "U16": 2,
    "F16": 2,
    "BF16": 2,
    "I32": 4,
    "U32": 4,
    "F32": 4,
    "I64": 8,
    "U64": 8,
    "F64": 8,
}


class BadTensorFile(ValueError):
    """The file is not a valid safetensors file; the message is the rest of a sentence that begins with its name."""


@dataclass(frozen=True)
class Entry:
    """A tensor: its safetensors dtype, its shape, and where its bytes begin and end after the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """`entries`: the tensors by name; `size_bytes`: the size of the whole file."""

    metadata: dict[str, str]
    entries: dict[str, Entry]
    size_bytes: int

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor by name."""
        return {name: entry.shape for name, entry in self.entries.items()}


def read_header(file: BinaryIO, size_bytes: int) -> Header:
    """The header of `file`, which is `size_bytes` long and open at its beginning. Raises BadTensorFile.

    Reads no more than the header, however long the file claims to be.
    """
    length = int.from_bytes(file.read(8), "little")
    if size_bytes < 10:
        raise BadTensorFile(f"is not a safetensors file: it has only {size_bytes} bytes")
    if length > MAX_HEADER:
        raise BadTensorFile(f"is not a safetensors file, or its header is larger than {MAX_HEADER >> 20} MB")
    if length > size_bytes - 8:
        raise BadTensorFile(f"is cut short: its header should have {length:,} bytes, but has {size_bytes - 8:,}")
    written = file.read(length)
    if written.count(b"{") > MAX_TENSORS + 2:  # before parsing, which would hold up every other thread
        raise BadTensorFile(f"has more than {MAX_TENSORS:,} tensors, the limit")
    try:
        rows = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise BadTensorFile("is not a safetensors file: its header is not JSON") from error
    if not isinstance(rows, dict):
        raise BadTensorFile("is not a safetensors file: its header is not a JSON object")
    metadata = rows.pop("__metadata__", {})
    if not (isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())):
        raise BadTensorFile("has metadata that is not text")
    if len(rows) > MAX_TENSORS:
        raise BadTensorFile(f"has {len(rows):,} tensors; more than {MAX_TENSORS:,} are refused")
    entries = {name: _entry(name, row) for name, row in rows.items()}
    _check_places(entries, size_bytes - 8 - length)
    return Header(metadata, entries, size_bytes)


def header_of(path: Path) -> Header:
    """The header of the file at `path`. Raises BadTensorFile, OSError."""
    with path.open("rb") as file:
        return read_header(file, path.stat().st_size)


def _entry(name: str, row: Any) -> Entry:
    match row:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [begin, end]}:
            pass
        case _:
            raise BadTensorFile(f"does not give dtype, shape and position of tensor {_short(name)}")
    if dtype not in ITEM_BYTES:
        raise BadTensorFile(f"has tensor {_short(name)} of the unknown dtype {_short(dtype)}")
    if not name.isprintable():
        raise BadTensorFile(f"has a tensor whose name is not plain text: {_short(name)}")
    if len(name) > MAX_NAME:
        raise BadTensorFile(f"has a tensor whose name is longer than {MAX_NAME} characters")
    numbers = [*shape, begin, end]
    if len(shape) > MAX_DIMENSIONS or not all(type(number) is int and 0 <= number < 2**48 for number in numbers):
        raise BadTensorFile(f"gives tensor {_short(name)} an impossible shape or position")
    if end - begin != prod(shape) * ITEM_BYTES[dtype]:
        raise BadTensorFile(f"gives tensor {_short(name)} of shape {shape} a place of {end - begin:,} bytes")
    return Entry(dtype, tuple(shape), begin, end)


def _check_places(entries: dict[str, Entry], data_bytes: int) -> None:
    """The tensors must fill the data without a gap or an overlap, as the format demands."""
    reached = 0
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].begin, item[1].end)):
        if entry.begin != reached:
            raise BadTensorFile(f"has a gap or an overlap before tensor {_short(name)}")
        reached = entry.end
    if reached > data_bytes:
        raise BadTensorFile(f"is cut short: {reached:,} bytes of tensors are promised, {data_bytes:,} are there")
    if reached < data_bytes:
        raise BadTensorFile(f"has {data_bytes - reached:,} bytes after its last tensor")


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
