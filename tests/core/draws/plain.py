"""The draw once more, from docs/draw.md, without NumPy: one number after another, in Python's own floats."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from math import floor, frexp, sqrt

from core.draws import exact

MASK = (1 << 64) - 1


def words(seed: int, *parts: object) -> Iterator[int]:
    text = "/".join(map(str, ("onlybn", seed, *parts)))
    digest = hashlib.sha256(text.encode()).digest()
    key = (int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little"))
    counter = 1
    while True:
        yield from philox((counter, 0, 0, 0), key)
        counter += 1


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    a, b, c, d = counter
    first, second = key
    for _ in range(10):
        one, two = a * 0xD2E7470EE14C6C93, c * 0xCA5A826395121157
        a, b, c, d = (two >> 64) ^ b ^ first, two & MASK, (one >> 64) ^ d ^ second, one & MASK
        first, second = (first + 0x9E3779B97F4A7C15) & MASK, (second + 0xBB67AE8584CAA73B) & MASK
    return a, b, c, d


def uniform(word: int) -> float:
    return ((word >> 12) + 0.5) * 2.0**-52


def logarithm(x: float) -> float:
    m, e = frexp(x)
    if m < 0.7071067811865476:
        m, e = m * 2, e - 1
    s = (m - 1) / (m + 1)
    t = s * s
    series = 1 / 23
    for k in range(21, 0, -2):
        series = series * t + 1 / k
    return e * 0.6931471805599453 + 2 * s * series


def exponential(x: float) -> float:
    value = 1.0
    for k in range(15, 0, -1):
        value = value * x / k + 1
    return value


def horner(coefficients: tuple[float, ...], x: float) -> float:
    value = coefficients[0]
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value


def normal(u: float) -> float:
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return horner(exact.MIDDLE[0], r) / horner(exact.MIDDLE[1], r) * q
    r = sqrt(-logarithm(u if u < 0.5 else 1 - u))
    above, below = exact.TAIL if r <= 5 else exact.FAR_TAIL
    value = horner(above, r - (1.6 if r <= 5 else 5)) / horner(below, r - (1.6 if r <= 5 else 5))
    return -value if q < 0 else value


def total(numbers: list[float]) -> float:
    while len(numbers) > 1:
        half = (len(numbers) + 1) // 2
        numbers = [a + b for a, b in zip(numbers, numbers[half:], strict=False)] + numbers[len(numbers) - half : half]
    return numbers[0]


def orthonormal(vectors: list[list[float]]) -> list[list[float]]:
    vectors = [list(vector) for vector in vectors]
    for place, own in enumerate(vectors):
        length = sqrt(total([x * x for x in own]))
        own[:] = [x / length for x in own]
        for later in vectors[place + 1 :]:
            product = total([x * y for x, y in zip(own, later, strict=True)])
            later[:] = [y - x * product for x, y in zip(own, later, strict=True)]
    return vectors


def order(numbers: list[int]) -> list[int]:
    return sorted(range(len(numbers)), key=lambda place: (numbers[place], place))


def below(word: int, bound: int) -> int:
    return floor((word >> 32) * bound) >> 32


def bits(numbers: list[float]) -> bytes:
    """As float32, rounded once."""
    return struct.pack(f"<{len(numbers)}f", *numbers)
