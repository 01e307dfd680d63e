"""The forward pass of a step by hand, block by block: what `fused.py` hands to autograd as one function.

For backward.py it keeps each convolution's output, and the input only if the weight trains; torch's own convolution
keeps the input of a frozen weight, too. Backward frees, or writes over, what was kept as soon as it has used it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from core.draws.seeds import mixed
from core.engine.arena import HEAP, Arena
from core.engine.convolutions import LANES
from core.engine.layers import BETA, GAMMA, OF_A_UNIT, WEIGHT, FusedBlock, Layers, Memory, squares
from core.engine.values import Keeping, Kept, Residual, Unapplied


class ForwardPass:
    """The forward pass of one step. `tensors`: OF_A_UNIT of every unit; `needs`: which of them train."""

    def __init__(self, layers: Layers, tensors: Sequence[Tensor | None], needs: Sequence[bool], seed: int) -> None:
        self.layers, self.kernels, self.seed = layers, layers.kernels, seed
        self.tensors, self.needs = tensors, needs
        self.arena = Arena() if layers.lean else HEAP
        self.blocks = [FusedBlock((0,), None, False, None), *layers.blocks]
        self.lowest = next((i for i, block in enumerate(self.blocks) if self._trains(block)), len(self.blocks))
        """The first block in which anything trains: those before it keep nothing."""
        self.memories: list[Memory | None] = []
        self.shape = torch.Size()

    def _trains(self, block: FusedBlock) -> bool:
        places = (*block.units, *(() if block.shortcut is None else (block.shortcut,)))
        return any(self.needs[OF_A_UNIT * place + i] for place in places for i in range(OF_A_UNIT))

    def run(self, images: Tensor) -> Tensor:
        x: Tensor | Unapplied = images
        for index, block in enumerate(self.blocks):
            memory = Memory() if index >= self.lowest else None
            x = self._block(block, x, memory, self.blocks[index + 1] if index + 1 < len(self.blocks) else None)
            self.memories.append(memory)
        assert isinstance(x, Tensor)
        self.shape = x.shape
        return x.mean(dim=(2, 3))

    def _block(
        self, block: FusedBlock, x: Tensor | Unapplied, memory: Memory | None, reader: FusedBlock | None
    ) -> Tensor | Unapplied:
        """The block's output, or what its `reader`, the next block, computes it from."""
        if block.pool:
            assert isinstance(x, Tensor)
            pool, below = block.pool, x
            x, places = torch.ops.aten.max_pool2d_with_indices(x, *squares(pool))
            if memory:
                memory.pooled = (below, places)
        last, out = block.units[-1], x
        for place, next_place in pairwise(block.units):
            out = self._unit(place, out, memory, next_place)
        if not block.residual:
            return self._unit(last, out, memory, None)
        if isinstance(x, Unapplied):  # the first unit has made it on the way
            assert x.residual
            x = x.residual.out
        if block.shortcut is None:
            return self._residual(last, out, memory, x, reader=reader)
        y, scale = self._normed(block.shortcut, x, memory)
        result = self._residual(last, out, memory, y, scale, reader=reader)
        if memory:
            memory.kept[block.shortcut] = Kept(y, scale)
            if self.layers.lean:
                noise, read = self._noise(block.shortcut), isinstance(result, Unapplied)  # the reader still needs y
                scaled = self.kernels.apply(y, scale, relu=False, lean_seed=noise, in_place=not read, arena=self.arena)
                assert scaled.bytes is not None
                memory.kept[block.shortcut] = Kept(scaled.bytes, scale)
        return result

    def _normed(self, place: int, x: Tensor | Unapplied, memory: Memory | None) -> tuple[Tensor, Tensor]:
        """The convolution's output, and its statistics."""
        unit, weight = self.layers.units[place], self.weight(place)
        gamma, beta = self.tensors[OF_A_UNIT * place + GAMMA : OF_A_UNIT * place + BETA + 1]
        asked = (unit.affine(gamma, beta), unit.running(), self.layers.lean, self.arena)
        if memory:
            memory.shapes[place] = x.y.shape if isinstance(x, Unapplied) else x.shape
            if self.weighs(place):
                assert isinstance(x, Tensor)
                memory.inputs[place] = x
        if unit.own:
            return unit.own.forward_to(x, weight, *asked)
        assert isinstance(x, Tensor)
        y = unit.convolve(x, weight)
        return y, self.kernels.statistics(y, *asked)

    def _unit(self, place: int, x: Tensor | Unapplied, memory: Memory | None, reader: int | None) -> Tensor | Unapplied:
        """The input of `reader`, the next unit, which applies batch norm and ReLU itself if it can."""
        y, statistics = self._normed(place, x, memory)
        lean = memory is not None and self.layers.lean
        if reader is not None and (self.keeps(reader) if lean else self.fuses(reader)):
            return Unapplied(y, statistics, None, self._keeping(place, y, statistics, memory, signs=lean))
        return self._applied(place, y, statistics, memory, signs=lean)

    def _residual(
        self,
        place: int,
        x: Tensor | Unapplied,
        memory: Memory | None,
        other: Tensor,
        scale: Tensor | None = None,
        *,
        reader: FusedBlock | None,
    ) -> Tensor | Unapplied:
        y, statistics = self._normed(place, x, memory)
        if self._reads(reader):
            residual = Residual(other, scale, torch.empty_like(y))
            return Unapplied(y, statistics, residual, self._keeping(place, y, statistics, memory, signs=True))
        return self._applied(place, y, statistics, memory, other, scale, signs=True)

    def _reads(self, reader: FusedBlock | None) -> bool:
        """Whether the first convolution of `reader` can compute its input on the way and store it for its users."""
        if reader is None or reader.pool or reader.shortcut is not None:
            return False
        return reader.residual and self.keeps(reader.units[0])

    def _keeping(
        self, place: int, y: Tensor, statistics: Tensor, memory: Memory | None, *, signs: bool
    ) -> Keeping | None:
        """What to store on the way of a layer whose output is not computed yet; in lean mode signs and bytes."""
        if memory is None:
            return None
        if not signs:
            memory.kept[place] = Kept(y, statistics)
            return None
        keeping = Keeping(self.arena.empty(y.numel() // LANES, dtype=torch.int16))
        if self.layers.lean:
            keeping.bytes, keeping.seed = self.arena.images(y.shape, torch.int8), self._noise(place)
        memory.kept[place] = Kept(y if keeping.bytes is None else keeping.bytes, statistics, keeping.signs)
        return keeping

    def _applied(
        self,
        place: int,
        y: Tensor,
        statistics: Tensor,
        memory: Memory | None,
        other: Tensor | None = None,
        scale: Tensor | None = None,
        *,
        signs: bool,
    ) -> Tensor:
        """The layer's output. Keeps its signs if `signs`, and in lean mode the 8-bit values instead of y."""
        if memory is None:
            return self.kernels.apply(y, statistics, other, scale, in_place=True).out
        lean = self.layers.lean
        noise = self._noise(place) if lean else None
        done = self.kernels.apply(
            y, statistics, other, scale, keep_signs=signs, lean_seed=noise, in_place=lean, arena=self.arena
        )
        memory.kept[place] = Kept(y if done.bytes is None else done.bytes, statistics, done.signs)
        return done.out

    def weight(self, place: int) -> Tensor:
        weight = self.tensors[OF_A_UNIT * place + WEIGHT]
        assert weight is not None
        return weight

    def weighs(self, place: int) -> bool:
        return self.needs[OF_A_UNIT * place + WEIGHT]

    def fuses(self, place: int) -> bool:
        """Whether the convolution can do the steps before it on the way; not if its weight trains: that needs the
        convolution's input."""
        return self.layers.units[place].own is not None and not self.weighs(place)

    def keeps(self, place: int) -> bool:
        """Whether the convolution can also store what backward needs of these steps, and their output for others."""
        own = self.layers.units[place].own
        return own is not None and own.by_winograd and self.fuses(place)

    def _noise(self, place: int) -> int:
        return mixed(self.seed, place)

    @property
    def saved_bytes(self) -> int:
        """The bytes that are kept for backward now."""
        return sum(memory.size_bytes for memory in self.memories if memory)
