"""The backward pass of a step by hand: from the gradient of the network's features to the gradients of all that trains.

Between two convolutions, the norm layer's gradients are sums over all pixels. If the convolution above can compute them
on the way (convolutions.py), `Below` tells it for which layer; otherwise they take a pass of their own (kernels.py).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from core.catalog.plan import Pool
from core.engine.forward import ForwardPass
from core.engine.layers import BETA, BIAS, GAMMA, OF_A_UNIT, WEIGHT, FusedBlock, Memory, squares
from core.engine.values import Below, Found, Kept, Relu, Sums, Unfinished


class _Gradient(NamedTuple):
    """The gradient of a layer's or a block's output; `second` is still to be added. `found`: the sums, if the
    convolution above has found them on the way; then `second` is added, and `values` are behind the last ReLU."""

    values: Tensor
    second: Tensor | None = None
    found: Found | None = None


class _Place(NamedTuple):
    """A block and what it keeps."""

    block: FusedBlock
    memory: Memory

    def shortcut(self) -> Kept | None:
        return None if self.block.shortcut is None else self.memory.kept[self.block.shortcut]

    def asks(self, place: int, second: Tensor | None = None) -> Below:
        """What the norm layer of `place` asks of the gradient of its output; the block's last layer asks for the
        shortcut's layer, too."""
        other = self.shortcut() if place == self.block.units[-1] else None
        return Below(self.memory.kept[place], self.memory.relu(place), second, other)


class BackwardPass:
    """The backward pass of the step whose `forward` pass is given; it uses up what that pass has kept."""

    def __init__(self, forward: ForwardPass) -> None:
        self.forward, self.kernels = forward, forward.kernels
        self.gradients: list[Tensor | None] = [None] * len(forward.tensors)

    def run(self, gradient: Tensor) -> list[Tensor | None]:
        """`gradient` (N, C) of the features -> the gradients of the step's tensors."""
        forward = self.forward
        _, _, height, width = forward.shape
        spread = (gradient / (height * width)).to(forward.layers.gradients)[:, :, None, None].expand(forward.shape)
        arriving = _Gradient(spread.contiguous(memory_format=torch.channels_last))
        here = self._last(forward.blocks[-1])
        for block in reversed(forward.blocks[forward.lowest : -1]):
            below = self._last(block)
            arriving = self._block(here, arriving, below)
            here = below
        self._block(here, arriving, None)
        return self.gradients

    def _last(self, block: FusedBlock) -> _Place:
        memory = self.forward.memories.pop()
        assert memory is not None
        return _Place(block, memory)

    def _block(self, here: _Place, arriving: _Gradient, below: _Place | None) -> _Gradient:
        """From the gradient of a block's output to the gradient of the output of the block below. If there is no block
        below, the result has no meaning."""
        block, memory = here
        *inner, last = block.units
        passed: Tensor | None = None
        if block.residual:
            passed = arriving.values
            found = arriving.found or self._sums(here.asks(last, arriving.second), passed, in_place=True)
            self._trained(last, found.own)
            task = Unfinished(memory.kept[last], found.own.factors, passed, "none")
            arriving = self._through(last, memory, task, here.asks(inner[-1]))
            if block.shortcut is not None:
                assert found.other is not None
                self._trained(block.shortcut, found.other)
                task = Unfinished(memory.kept[block.shortcut], found.other.factors, passed, "none")
                passed = self._through(block.shortcut, memory, task, None, spare=passed, image=bool(below)).values
        else:
            inner.append(last)
            if arriving.second is not None and arriving.found is None:
                arriving = _Gradient(arriving.values + arriving.second)
        for i, place in reversed(list(enumerate(inner))):
            asked = here.asks(place)
            found = arriving.found or self._sums(asked, arriving.values)
            self._trained(place, found.own)
            relu: Relu = "none" if arriving.found else asked.relu
            task = Unfinished(asked.kept, found.own.factors, arriving.values, relu)
            target = here.asks(inner[i - 1]) if i else None
            if below and not i and block.pool is None:
                target = below.asks(below.block.units[-1], passed)
            arriving = self._through(place, memory, task, target, spare=arriving.values, image=bool(i or below))
        if below and block.pool:
            assert memory.pooled is not None
            return _Gradient(self._pooled(block.pool, memory.pooled, _sum(arriving.values, passed)))
        return arriving if arriving.found else arriving._replace(second=passed)

    def _sums(self, asked: Below, gradient: Tensor, *, in_place: bool = False) -> Found:
        arena = self.forward.arena
        return self.kernels.sums(asked.kept, gradient, asked.second, asked.relu, in_place, asked.other, arena)

    def _trained(self, place: int, sums: Sums) -> None:
        for offset, value in ((BIAS, None), (GAMMA, sums.gamma), (BETA, sums.beta)):
            if self.forward.needs[OF_A_UNIT * place + offset]:
                # A bias before batch statistics moves nothing but the running mean: its gradient is 0.
                self.gradients[OF_A_UNIT * place + offset] = torch.zeros_like(sums.beta) if value is None else value

    def _through(
        self,
        place: int,
        memory: Memory,
        task: Unfinished,
        asked: Below | None,
        *,
        spare: Tensor | None = None,
        image: bool = True,
    ) -> _Gradient:
        """Through a convolution to the gradient of its input, if `image`, and to the sums that are `asked`, if it can
        find them on the way. `spare`: a tensor that may be written over."""
        forward, unit = self.forward, self.forward.layers.units[place]
        weight, weighs = forward.weight(place), forward.weighs(place)
        nothing = _Gradient(task.gradient)
        if not (image or weighs):
            return nothing
        gradient: Tensor | Unfinished = task
        images: Tensor | None = None
        if not forward.fuses(place):
            into = task.kept.values if task.kept.values.dtype == task.gradient.dtype else spare
            gradient = self.kernels.input_gradient(task.kept, task.factors, task.gradient, task.relu, into)
            images, weights = unit.convolve_back(
                gradient,
                memory.inputs.get(place),
                memory.shapes[place],
                weight,
                image=image and unit.own is None,
                weighs=weighs,
            )
            if weights is not None:
                self.gradients[OF_A_UNIT * place + WEIGHT] = weights
        if unit.own and image:
            if asked:
                images, found = unit.own.backward_to(gradient, weight, memory.shapes[place], asked, forward.arena)
                return _Gradient(images, None, found)
            images = unit.own.backward(gradient, weight, memory.shapes[place])
        return nothing if images is None else _Gradient(images)

    @staticmethod
    def _pooled(pool: Pool, pooled: tuple[Tensor, Tensor], gradient: Tensor) -> Tensor:
        below, places = pooled
        back: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
            gradient.to(below.dtype), below, *squares(pool), [1, 1], False, places
        )
        return back.to(gradient.dtype)


def _sum(a: Tensor, b: Tensor | None) -> Tensor:
    return a if b is None else a + b
