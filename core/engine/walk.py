"""One step's way through a network and back by hand, block by block: what `fused.py` hands to autograd as one function.

Backward keeps a convolution's output, and its input only where its weight trains: torch's own convolution keeps the
input also of a frozen one. What was kept is freed, or written over, as soon as it has been used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from core.architectures.plan import Pool
from core.engine.kernels import Kept, Relu
from core.engine.layers import FusedBlock, Layers
from core.randomness import mixed

OF_A_UNIT = 4
WEIGHT, BIAS, GAMMA, BETA = range(OF_A_UNIT)
"""The tensors of a unit, in the order in which they are passed on."""


@dataclass(slots=True)
class _Memory:
    """What one block keeps for backward."""

    kept: dict[int, Kept] = field(default_factory=dict)
    inputs: dict[int, Tensor] = field(default_factory=dict)
    shapes: dict[int, torch.Size] = field(default_factory=dict)
    pooled: tuple[Tensor, Tensor] | None = None
    """The pool's input and where its maxima were."""

    @property
    def size_bytes(self) -> int:
        tensors = [*self.inputs.values(), *(self.pooled or ())]
        return sum(kept.size_bytes for kept in self.kept.values()) + sum(tensor.nbytes for tensor in tensors)


class Features(torch.autograd.Function):
    """Images -> mean of each channel of the last layer, (N, C) float32."""

    @staticmethod
    def forward(ctx: Any, layers: Layers, images: Tensor, seed: int, *tensors: Tensor | None) -> Tensor:
        ctx.walk = walk = Walk(layers, tensors, ctx.needs_input_grad[3:], seed)
        return walk.forward(images)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        walk, ctx.walk = ctx.walk, None  # a second backward has nothing left to use
        return (None, None, None, *walk.backward(gradients[0]))


class Walk:
    """One step's way through the network and back. `tensors`: those of every unit, OF_A_UNIT each; `needs`: which
    train."""

    def __init__(self, layers: Layers, tensors: Sequence[Tensor | None], needs: Sequence[bool], seed: int) -> None:
        self.layers, self.kernels, self.seed = layers, layers.kernels, seed
        self.tensors, self.needs = tensors, needs
        self.gradients: list[Tensor | None] = [None] * len(tensors)
        self.blocks = [FusedBlock((0,), None, False, None), *layers.blocks]
        self.lowest = next((i for i, block in enumerate(self.blocks) if self._trains(block)), len(self.blocks))
        """The first block in which anything trains: those before it keep nothing."""
        self.memories: list[_Memory | None] = []
        self.shape = torch.Size()

    def _trains(self, block: FusedBlock) -> bool:
        places = (*block.units, *(() if block.shortcut is None else (block.shortcut,)))
        return any(self.needs[OF_A_UNIT * place + i] for place in places for i in range(OF_A_UNIT))

    def forward(self, images: Tensor) -> Tensor:
        x = images.to(self.layers.dtype)
        for index, block in enumerate(self.blocks):
            memory = _Memory() if index >= self.lowest else None
            x = self._block(block, x, memory)
            self.memories.append(memory)
        self.shape = x.shape
        return x.mean(dim=(2, 3), dtype=torch.float32)

    def _block(self, block: FusedBlock, x: Tensor, memory: _Memory | None) -> Tensor:
        if block.pool:
            pool, below = block.pool, x
            x, places = torch.ops.aten.max_pool2d_with_indices(x, *squares(pool))
            if memory:
                memory.pooled = (below, places)
        out = x
        for place in block.units[: -1 if block.residual else None]:
            out = self._unit(place, out, memory)
        if not block.residual:
            return out
        if block.shortcut is None:
            return self._unit(block.units[-1], out, memory, residual=True, other=x)
        y = self._convolved(block.shortcut, x, memory)
        scale = self._statistics(block.shortcut, y)
        result = self._unit(block.units[-1], out, memory, residual=True, other=y, scale=scale)
        if memory:
            memory.kept[block.shortcut] = Kept(y, scale)
            if self.layers.lean:
                scaled = self.kernels.apply(y, scale, relu=False, lean_seed=self._noise(block.shortcut), in_place=True)
                assert scaled.bytes is not None
                memory.kept[block.shortcut] = Kept(scaled.bytes, scale)
        return result

    def _convolved(self, place: int, x: Tensor, memory: _Memory | None) -> Tensor:
        weight = self.tensors[OF_A_UNIT * place + WEIGHT]
        assert weight is not None
        if memory:
            memory.shapes[place] = x.shape
            if self.needs[OF_A_UNIT * place + WEIGHT]:
                memory.inputs[place] = x
        return self.layers.units[place].convolve(x, weight)

    def _statistics(self, place: int, y: Tensor) -> Tensor:
        unit, (gamma, beta) = (
            self.layers.units[place],
            self.tensors[OF_A_UNIT * place + GAMMA : OF_A_UNIT * place + BETA + 1],
        )
        return self.kernels.statistics(y, unit.affine(gamma, beta), unit.running(), self.layers.lean)

    def _unit(
        self,
        place: int,
        x: Tensor,
        memory: _Memory | None,
        *,
        residual: bool = False,
        other: Tensor | None = None,
        scale: Tensor | None = None,
    ) -> Tensor:
        y = self._convolved(place, x, memory)
        statistics = self._statistics(place, y)
        lean = self.layers.lean and memory is not None
        done = self.kernels.apply(
            y,
            statistics,
            other,
            scale,
            keep_signs=memory is not None and (residual or lean),
            lean_seed=self._noise(place) if lean else None,
            in_place=lean or memory is None,
        )
        if memory:
            memory.kept[place] = Kept(y if done.bytes is None else done.bytes, statistics, done.signs)
        return done.out

    def _noise(self, place: int) -> int:
        return mixed(self.seed, place)

    @property
    def saved_bytes(self) -> int:
        """What is kept for backward now."""
        return sum(memory.size_bytes for memory in self.memories if memory)

    # -- backward --------------------------------------------------------------------------------------------

    def backward(self, gradient: Tensor) -> list[Tensor | None]:
        _, _, height, width = self.shape
        spread = (gradient / (height * width)).to(self.layers.dtype)[:, :, None, None].expand(self.shape)
        images: Tensor | None = spread.contiguous(memory_format=torch.channels_last)
        skip: Tensor | None = None
        for index in range(len(self.blocks) - 1, self.lowest - 1, -1):
            memory = self.memories.pop()
            assert memory is not None and images is not None
            images, skip = self._block_back(self.blocks[index], memory, images, skip, below=index > self.lowest)
        return self.gradients

    def _block_back(
        self, block: FusedBlock, memory: _Memory, gradient: Tensor, skip: Tensor | None, *, below: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """`gradient` (+ `skip`) of the block's output -> the same of its input, where `below` asks for it."""
        last, passed = block.units[-1], None
        if block.residual:
            kept, other = memory.kept[last], None if block.shortcut is None else memory.kept[block.shortcut]
            sums, others = self.kernels.sums(kept, gradient, skip, "mask", True, other)
            passed = gradient
            self._trained(last, sums.gamma, sums.beta)
            into = kept.values if kept.values.dtype == gradient.dtype else None
            gradient_in = self.kernels.input_gradient(kept, sums.factors, gradient, "none", into)
            if block.shortcut is not None:
                assert other is not None and others is not None
                self._trained(block.shortcut, others.gamma, others.beta)
                in_shortcut = self.kernels.input_gradient(other, others.factors, gradient, "none", gradient)
                passed = self._convolve_back(block.shortcut, memory, in_shortcut, image=below)
            out = self._convolve_back(last, memory, gradient_in, image=below or len(block.units) > 1)
            places = block.units[:-1]
        else:
            if skip is not None:
                gradient = gradient + skip
            out, places = gradient, block.units
        for place in reversed(places):
            assert out is not None
            out = self._unit_back(place, memory, out, image=below or place != block.units[0])
        if not below:
            return None, None
        if block.pool:
            assert out is not None and memory.pooled is not None
            whole = out if passed is None else out + passed
            return self._pool_back(block.pool, memory.pooled, whole), None
        return out, passed

    def _unit_back(self, place: int, memory: _Memory, gradient: Tensor, *, image: bool) -> Tensor | None:
        kept = memory.kept[place]
        relu: Relu = "mask" if kept.signs is not None else "recompute"
        sums, _ = self.kernels.sums(kept, gradient, None, relu, False)
        self._trained(place, sums.gamma, sums.beta)
        if not (image or self.needs[OF_A_UNIT * place + WEIGHT]):
            return None
        into = kept.values if kept.values.dtype == gradient.dtype else gradient
        return self._convolve_back(
            place, memory, self.kernels.input_gradient(kept, sums.factors, gradient, relu, into), image=image
        )

    def _trained(self, place: int, gamma: Tensor, beta: Tensor) -> None:
        # A bias before batch statistics moves nothing but the running mean: its gradient is 0.
        for offset, value in ((BIAS, torch.zeros_like(beta)), (GAMMA, gamma), (BETA, beta)):
            if self.needs[OF_A_UNIT * place + offset]:
                self.gradients[OF_A_UNIT * place + offset] = value

    def _convolve_back(self, place: int, memory: _Memory, gradient: Tensor, *, image: bool) -> Tensor | None:
        weight = self.tensors[OF_A_UNIT * place + WEIGHT]
        assert weight is not None
        images, weights = self.layers.units[place].convolve_back(
            gradient,
            memory.inputs.get(place),
            memory.shapes[place],
            weight,
            image=image,
            weighs=self.needs[OF_A_UNIT * place + WEIGHT],
        )
        if weights is not None:
            self.gradients[OF_A_UNIT * place + WEIGHT] = weights
        return images

    @staticmethod
    def _pool_back(pool: Pool, pooled: tuple[Tensor, Tensor], gradient: Tensor) -> Tensor:
        below, places = pooled
        back: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
            gradient, below, *squares(pool), [1, 1], False, places
        )
        return back


def squares(pool: Pool) -> tuple[list[int], list[int], list[int]]:
    """Kernel, stride and padding of a pool, as torch's own operators want them."""
    return [pool.kernel] * 2, [pool.stride] * 2, [pool.padding] * 2
