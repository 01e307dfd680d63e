"""The versions of the draw. A spec names its own, so that a seed means the same network for ever."""

from __future__ import annotations

from math import prod
from typing import Literal

import numpy as np

from core.draws.draw import Draw, Shape
from core.draws.exact import Booleans, Floats, Integers, Stream, orthonormal, placed, quantile

Version = Literal[1, 2]


def drawn(version: Version, seed: int, *parts: object) -> Draw:
    """The draw for one use of `seed`: `drawn(2, seed, "stem.conv.weight")`, `drawn(2, seed, epoch)`.

    Version 2 gives the same bits everywhere; version 1 is PyTorch's, of the time before.
    """
    if version == 1:
        from core.draws.pytorch import TorchDraw  # noqa: PLC0415 - version 2 needs no torch

        return TorchDraw(seed, *parts)
    return ExactDraw(seed, *parts)


class ExactDraw:
    """Version 2: a draw (draw.py) from words of a counter, by exact operations alone (exact.py, docs/draw.md)."""

    def __init__(self, seed: int, *parts: object) -> None:
        self.stream = Stream(seed, *parts)

    def normal(self, shape: Shape, deviation: float) -> Floats:
        values = np.empty(prod(shape), np.float32)
        for place, uniform in self.stream.chunks(len(values)):
            values[place] = quantile(uniform) * deviation
        return values.reshape(shape)

    def uniform(self, shape: Shape, low: float, high: float) -> Floats:
        values = np.empty(prod(shape), np.float32)
        for place, uniform in self.stream.chunks(len(values)):
            values[place] = low + uniform * (high - low)
        return values.reshape(shape)

    def binary(self, shape: Shape, deviation: float) -> Floats:
        signs = np.where(self.coins(prod(shape)), np.float32(deviation), np.float32(-deviation))
        return signs.reshape(shape)

    def orthogonal(self, outputs: int, fan_in: int) -> Floats:
        vectors = self.stream.normal(outputs * fan_in).reshape(outputs, fan_in)
        basis = orthonormal(vectors) if outputs >= fan_in else orthonormal(np.ascontiguousarray(vectors.T)).T
        return np.ascontiguousarray(basis, np.float32)

    def sparse(self, outputs: int, fan_in: int, count: int, deviation: float) -> Floats:
        places = self.ranks(outputs, fan_in)[:, :count]
        return placed(places, self.normal((outputs, count), deviation), fan_in)

    def order(self, count: int) -> Integers:
        return self.ranks(1, count)[0]

    def ranks(self, rows: int, count: int) -> Integers:
        return np.argsort(self.stream.words(rows * count).reshape(rows, count), axis=1, kind="stable")

    def coins(self, count: int) -> Booleans:
        return self.stream.words(count) >> np.uint64(63) == 1

    def below(self, shape: Shape, bound: int) -> Integers:
        high = self.stream.words(prod(shape)) >> np.uint64(32)
        return (high * np.uint64(bound) >> np.uint64(32)).astype(np.int64).reshape(shape)
