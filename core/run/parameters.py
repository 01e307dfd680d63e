"""The tensors of a capsule, and γ and β of every norm layer, read without torch and without the network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from math import prod

import numpy as np
from numpy.typing import NDArray

from core.run.layout import layout
from core.run.spec import RunSpec
from core.run.tensorfile import BadTensorFile, Header, read_header

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LayerParameters:
    """One norm layer; γ or β is None where it kept its random value, which only the rebuilt network has."""

    name: str
    channels: int
    stage: int
    shortcut: bool
    gamma: Floats | None
    beta: Floats | None


def read_parameters(content: bytes, spec: RunSpec) -> tuple[LayerParameters, ...]:
    """The norm layers of `spec`'s network in forward order, from `content`, its capsule. Raises BadTensorFile."""
    found = read_tensors(content, spec)
    return tuple(
        LayerParameters(
            norm.name,
            norm.channels,
            norm.stage,
            norm.shortcut,
            found.get(f"{norm.name}.weight"),
            found.get(f"{norm.name}.bias"),
        )
        for norm in spec.plan.norms
    )


def read_tensors(content: bytes, spec: RunSpec) -> dict[str, Floats]:
    """Every tensor of `content`, the capsule of `spec`, by name, flat. Raises BadTensorFile."""
    file = BytesIO(content)
    header = read_header(file, len(content))
    return dict(_tensors(content[file.tell() :], header, spec))


def _tensors(data: bytes, header: Header, spec: RunSpec) -> Iterator[tuple[str, Floats]]:
    """Every tensor of the capsule by name, flat."""
    reached: dict[str, int] = {}
    for slot in layout(spec, _carried(header)):
        entry = header.entries.get(slot.group)
        begin, size = reached.get(slot.group, 0), prod(slot.shape)
        if entry is None or entry.dtype != "F32" or len(entry.shape) != 1 or begin + size > entry.shape[0]:
            raise BadTensorFile(f"is a capsule whose tensors {slot.group} are not those of its spec")
        yield slot.name, np.frombuffer(data, "<f4", size, entry.begin + 4 * begin)
        reached[slot.group] = begin + size


def _carried(header: Header) -> list[str]:
    try:
        names = json.loads(header.metadata.get("carried", "[]"))
    except ValueError as error:
        raise BadTensorFile("holds a list of frozen tensors that cannot be read") from error
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
