"""Numbers in 8 bits: a scale, a zero and one byte a number. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

HIGHEST = 255
FARTHEST = 32_767
HEAD = np.dtype([("scale", "<f2"), ("zero", "<i2")])
"""What stands before the bytes."""


class NotFinite(ValueError):
    """Numbers that 8 bits cannot hold: one of them is not finite, or they are too far apart."""


@dataclass(frozen=True)
class Levels:
    """The numbers `scale · (level - zero)`, one for each byte of `levels`."""

    scale: float
    zero: int
    levels: NDArray[np.uint8]

    @classmethod
    def of(cls, numbers: Floats) -> Levels:
        """The nearest to `numbers`, (N,), at most half a step away. A 0 among them stays exactly 0. Raises NotFinite.

        A step is the 254th part of their range: one level is left for the rounding of `zero`.
        """
        exact = numbers.astype(np.float64)
        low, high = float(exact.min()), float(exact.max())
        scale = _rounded_up(max((high - low) / (HIGHEST - 1), -low / FARTHEST, high / FARTHEST))
        if not scale:
            return cls(0.0, 0, np.zeros(len(exact), np.uint8))
        zero = round(-low / scale)
        levels = np.clip(np.rint(exact / scale) + zero, 0, HIGHEST)
        return cls(scale, zero, levels.astype(np.uint8))

    @property
    def numbers(self) -> Floats:
        """(N,): exact products, rounded to float32 once."""
        return (self.scale * (self.levels.astype(np.float64) - self.zero)).astype(np.float32)

    def pack(self) -> bytes:
        """Scale, zero, levels."""
        return np.array((self.scale, self.zero), HEAD).tobytes() + self.levels.tobytes()

    @classmethod
    def unpack(cls, content: bytes) -> Levels:
        """What `pack` wrote. Raises NotFinite where no training could have written it."""
        head = np.frombuffer(content, HEAD, 1)[0]
        scale = float(head["scale"])
        if not (np.isfinite(scale) and scale >= 0):
            raise NotFinite("has a scale that is not a number of 0 or more")
        return cls(scale, int(head["zero"]), np.frombuffer(content, np.uint8, offset=HEAD.itemsize))


def _rounded_up(scale: float) -> float:
    """The least float16 that is not less than `scale`. Raises NotFinite."""
    with np.errstate(over="ignore"):
        near = np.float16(scale)
        if float(near) < scale:  # as float16, both would be equal
            near = np.nextafter(near, np.float16(np.inf))
    if not np.isfinite(near):
        raise NotFinite("has numbers that are not finite, or too large for 8 bits")
    return float(near)
