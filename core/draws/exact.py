"""Numbers that follow from a seed alone: the same bits on every processor, with any number of threads, in any language.

Integers come from a counter (Philox). All else is made from them by operations that IEEE 754 rounds correctly in
float64 (+, -, ×, ÷, square root, comparisons), one after another in an order that does not depend on the machine.
docs/draw.md describes every step for those who want to write it once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Booleans = NDArray[np.bool_]
Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Words = NDArray[np.uint64]

CHUNK = 1 << 14
"""Numbers that are made at once: they stay in the cache."""

# Wichura's AS 241 (1988), PPND16: the quantile of the normal distribution as three ratios of polynomials, for the
# middle, for the tails and for the far tails. Coefficients from the highest power to the lowest.
MIDDLE = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.387132872796366608e0),
    (5.226495278852545925e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
)  # fmt: skip
TAIL = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
)  # fmt: skip
FAR_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.9983220655588793769e-1, 1.0),
)  # fmt: skip
LN_2 = 0.6931471805599453
ROOT_HALF = 0.7071067811865476


class Stream:
    """The random words of one use of a seed: word number i follows from the seed, the parts and i alone."""

    def __init__(self, seed: int, *parts: object) -> None:
        text = "/".join(str(part) for part in ("onlybn", seed, *parts))
        digest = hashlib.sha256(text.encode()).digest()
        self._key = np.frombuffer(digest[:16], dtype="<u8").astype(np.uint64)
        self._source = np.random.Philox(key=self._key)

    def words(self, count: int) -> Words:
        """The next `count` words of 64 bits."""
        return self._source.random_raw(count)

    def uniform(self, count: int) -> Doubles:
        """The next numbers from (0, 1): the middles of 2^52 equal parts, so neither 0 nor 1."""
        return ((self.words(count) >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52

    def chunks(self, count: int) -> Iterator[tuple[slice, Doubles]]:
        """`count` numbers as of `uniform`, some at a time, and where they belong."""
        for begin in range(0, count, CHUNK):
            end = min(begin + CHUNK, count)
            yield slice(begin, end), self.uniform(end - begin)

    def normal(self, count: int) -> Doubles:
        """The next numbers from N(0, 1): the quantiles of the next uniform ones."""
        values = np.empty(count)
        for place, uniform in self.chunks(count):
            values[place] = quantile(uniform)
        return values


def quantile(uniform: Doubles) -> Doubles:
    """(N,) in (0, 1) -> (N,): the values that a standard normal variable falls below with these probabilities."""
    apart = uniform - 0.5
    values = _ratio(MIDDLE, 0.180625 - apart * apart) * apart
    outside = np.flatnonzero(np.abs(apart) > 0.425)
    rest = uniform[outside]
    below = rest < 0.5
    root = np.sqrt(-logarithm(np.where(below, rest, 1.0 - rest)))
    tail = _ratio(TAIL, root - 1.6)
    far = np.flatnonzero(root > 5.0)
    tail[far] = _ratio(FAR_TAIL, root[far] - 5.0)
    values[outside] = np.where(below, -tail, tail)
    return values


def logarithm(x: Doubles) -> Doubles:
    """The natural logarithm of positive numbers, from exact operations alone; its error is below 4e-16 of it + 2e-16.

    x = m · 2^e with m from √½ to √2; log m = 2 artanh s with s = (m - 1) / (m + 1), as its series to s^23.
    """
    mantissa, exponent = np.frexp(x)
    small = mantissa < ROOT_HALF
    mantissa = np.where(small, mantissa * 2.0, mantissa)
    exponent = np.where(small, exponent - 1, exponent).astype(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square = s * s
    series = np.full_like(s, 1 / 23)
    for odd in range(21, 0, -2):
        series *= square
        series += 1 / odd
    return exponent * LN_2 + 2.0 * s * series


def exponential(x: Doubles) -> Doubles:
    """e^x from exact operations alone: its series to x^15, which is right to the last bits up to |x| = 0.5."""
    value = np.ones_like(x)
    for power in range(15, 0, -1):
        value *= x
        value /= power
        value += 1.0
    return value


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Doubles) -> Doubles:
    above, below = (_polynomial(row, x) for row in coefficients)
    above /= below
    return above


def _polynomial(coefficients: tuple[float, ...], x: Doubles) -> Doubles:
    """By Horner's rule: a product and a sum a coefficient, each rounded."""
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value


def placed(places: Integers, values: Floats, width: int) -> Floats:
    """(N, M), (N, M) -> (N, width): in each row the values at their places, 0 elsewhere."""
    rows = np.zeros((len(places), width), np.float32)
    np.put_along_axis(rows, places, values, axis=1)
    return rows


def total(values: Doubles) -> Doubles:
    """(N, M) -> (M,): the sum over N. The second half is added to the first until one row is left; the middle row of
    an odd number waits for the next time. Writes over `values`."""
    rows = len(values)
    while rows > 1:
        half = (rows + 1) // 2
        values[: rows - half] += values[half:rows]
        rows = half
    return values[0]


def orthonormal(vectors: Doubles) -> Doubles:
    """(N, M), N >= M -> (N, M): the columns made orthogonal to one another and of length 1 (modified Gram-Schmidt).

    From normal numbers this gives every orthonormal set with the same probability. Writes over `vectors`.
    """
    for column in range(vectors.shape[1]):
        own = vectors[:, column : column + 1]
        own /= np.sqrt(total(own * own))
        rest = vectors[:, column + 1 :]
        rest -= own * total(own * rest)
    return vectors
