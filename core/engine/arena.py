"""Memory for what a lean step keeps, and for the sums that it finds: pieces of any size, one after another, in chunks.

Tensors of megabytes come and go. Each small tensor that stays takes the start of a gap, and the next large tensor no
longer fits into it: so the heap of ResNet-866 grew far beyond what the step kept (`tests/benchmarks/README.md`).
"""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor

CHUNK = 64 << 20
"""Bytes that are asked for at once."""
ALIGNMENT = 64


class Heap:
    """Hands out tensors that each have memory of their own."""

    def empty(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.empty(shape, dtype=dtype)

    def images(self, shape: torch.Size, dtype: torch.dtype) -> Tensor:
        """(N, C, H, W), channels-last."""
        count, channels, height, width = shape
        return self.empty(count, height, width, channels, dtype=dtype).permute(0, 3, 1, 2)


class Arena(Heap):
    """Hands out pieces of chunks. A chunk is freed when none of its pieces is in use: the last chunk of a step when
    the gradients of γ and β are cleared."""

    def __init__(self) -> None:
        self._chunk: Tensor | None = None
        self._used = 0

    def empty(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        size = prod(shape) * dtype.itemsize
        if size > CHUNK:
            return super().empty(*shape, dtype=dtype)
        if self._chunk is None or self._used + size > CHUNK:
            self._chunk, self._used = torch.empty(CHUNK, dtype=torch.uint8), 0
        piece = self._chunk.narrow(0, self._used, size).view(dtype)
        self._used += (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
        return piece.view(shape)


HEAP = Heap()
