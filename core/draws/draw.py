"""The random numbers that a version of the draw makes of a seed, by what they are for."""

from __future__ import annotations

from typing import Protocol

from core.draws.exact import Booleans, Floats, Integers

Shape = tuple[int, ...]


class Draw(Protocol):
    """The random numbers of one use of a seed. Each call takes the next ones, so the order of calls matters."""

    def normal(self, shape: Shape, deviation: float) -> Floats:
        """From N(0, deviation²)."""

    def uniform(self, shape: Shape, low: float, high: float) -> Floats:
        """From U(low, high)."""

    def binary(self, shape: Shape, deviation: float) -> Floats:
        """`deviation` or its negative, each half of the time."""

    def orthogonal(self, outputs: int, fan_in: int) -> Floats:
        """(outputs, fan_in), with orthonormal rows or, where there are more rows than columns, columns."""

    def sparse(self, outputs: int, fan_in: int, count: int, deviation: float) -> Floats:
        """(outputs, fan_in): in each row `count` numbers from N(0, deviation²) at random places, 0 elsewhere."""

    def order(self, count: int) -> Integers:
        """0 ... `count` - 1 in a random order."""

    def ranks(self, rows: int, count: int) -> Integers:
        """(rows, count): in each row 0 ... `count` - 1 in a random order of its own."""

    def coins(self, count: int) -> Booleans:
        """(count,): each true half of the time."""

    def below(self, shape: Shape, bound: int) -> Integers:
        """Whole numbers from 0 to `bound` - 1, where `bound` is at most 2^31."""
