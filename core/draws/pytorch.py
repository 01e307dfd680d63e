"""Version 1 of the draw: PyTorch's generator. It stays so that what was trained with it can be rebuilt.

Its normal numbers differ in their last bits between processors, and `orthogonal` with the number of threads.
"""

from __future__ import annotations

import torch

from core.draws.draw import Shape
from core.draws.exact import Booleans, Floats, Integers, placed
from core.draws.seeds import mixed


class TorchDraw:
    """A draw (draw.py) by a generator of its own for each use of a seed."""

    def __init__(self, seed: int, *parts: object) -> None:
        self.generator = torch.Generator().manual_seed(mixed(seed, *parts))

    def normal(self, shape: Shape, deviation: float) -> Floats:
        return torch.empty(shape).normal_(0.0, deviation, generator=self.generator).numpy()

    def uniform(self, shape: Shape, low: float, high: float) -> Floats:
        return torch.empty(shape).uniform_(low, high, generator=self.generator).numpy()

    def binary(self, shape: Shape, deviation: float) -> Floats:
        """The deviation is that of the numbers drawn, as in open_lth."""
        normal = torch.from_numpy(self.normal(shape, deviation))
        return (normal.sign() * normal.std()).numpy()

    def orthogonal(self, outputs: int, fan_in: int) -> Floats:
        """As torch.nn.init.orthogonal_ with gain 1: the Q of a normal matrix's QR decomposition, signs made uniform."""
        normal = torch.from_numpy(self.normal((outputs, fan_in), 1.0))
        packed, scales = (normal.T if outputs < fan_in else normal).geqrf()
        basis = packed.orgqr(scales) * packed.diagonal().sign()
        return (basis.T if outputs < fan_in else basis).contiguous().numpy()

    def sparse(self, outputs: int, fan_in: int, count: int, deviation: float) -> Floats:
        places = self.ranks(outputs, fan_in)[:, :count]
        return placed(places, self.normal((outputs, count), deviation), fan_in)

    def order(self, count: int) -> Integers:
        return torch.randperm(count, generator=self.generator).numpy()

    def ranks(self, rows: int, count: int) -> Integers:
        return torch.rand(rows, count, generator=self.generator).argsort(dim=1, stable=True).numpy()

    def coins(self, count: int) -> Booleans:
        return (torch.rand(count, generator=self.generator) < 0.5).numpy()

    def below(self, shape: Shape, bound: int) -> Integers:
        return torch.randint(0, bound, shape, generator=self.generator).numpy()
