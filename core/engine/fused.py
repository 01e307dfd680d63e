"""A network of convolutions and BatchNorm as one differentiable function that keeps and moves little memory.

Between two convolutions, batch norm, the residual sum and ReLU are one step (kernels.py). `forward.py` and
`backward.py` compute the whole network by hand, so that no operator of autograd runs between the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.plan import Block, Plan, Unit
from core.draws.seeds import mixed
from core.engine.algorithms import Algorithm, Dispatch
from core.engine.backward import BackwardPass
from core.engine.forward import ForwardPass
from core.engine.kernels import Kernels
from core.engine.layers import FusedBlock, FusedUnit, Layers
from core.engine.values import running_statistics
from core.network.builder import Network
from core.network.freezing import FrozenWeight

PREPARED_BYTES = 64 << 20
"""The most bytes that prepared frozen weights, kept from step to step, may take in a network."""
Seen = Callable[[str, Tensor], None]
"""Gets each ReLU's name and its output (N, C, H, W)."""


class Features(torch.autograd.Function):
    """Images -> mean of each channel of the last layer, (N, C) float32."""

    @staticmethod
    def forward(ctx: Any, layers: Layers, images: Tensor, seed: int, *tensors: Tensor | None) -> Tensor:
        ctx.forward_pass = step = ForwardPass(layers, tensors, ctx.needs_input_grad[3:], seed)
        return step.run(images)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        step, ctx.forward_pass = ctx.forward_pass, None  # a second backward has nothing left to use
        return (None, None, None, *BackwardPass(step).run(gradients[0]))


class FusedNetwork:
    """`network` of `plan`, trained and tested by `kernels`, with the algorithms of `dispatch`.

    `lean`: what backward needs of a layer is kept in 8 bits, rounded at random (by `seed` and the step).
    """

    def __init__(
        self, network: Network, plan: Plan, kernels: Kernels, dispatch: Dispatch, *, lean: bool = False, seed: int = 0
    ) -> None:
        self.network, self.seed = network, seed
        self.layers = Layers([], [], kernels, dispatch.gradients, lean)
        self._room = PREPARED_BYTES
        self._trains = any(parameter.requires_grad for parameter in network.parameters())
        self._add(plan.stem, dispatch, "relu")
        self.saved_bytes = 0
        """What the last step kept for backward."""
        self.layers.blocks.extend(self._block(block, dispatch) for block in plan.blocks)

    def _add(self, unit: Unit, dispatch: Dispatch, relu: str) -> int:
        conv = unit.convolution
        layer, norm = (self.network.get_submodule(name) for name in (conv.name, unit.norm.name))
        assert isinstance(layer, nn.Conv2d | FrozenWeight) and isinstance(norm, nn.BatchNorm2d)
        padding = (conv.kernel - 1) // 2
        algorithm = dispatch.of(conv)
        own = self.layers.kernels.convolution(conv.kernel, conv.stride) if algorithm is Algorithm.FUSED else None
        assert own or algorithm is not Algorithm.FUSED, "these kernels have no such convolution"
        if own and isinstance(layer, nn.Conv2d) and not layer.weight.requires_grad:
            self._room -= own.freeze(layer.weight, self._room, back=self._trains)
        dtype = dispatch.torch_format(conv)
        self.layers.units.append(FusedUnit(layer, norm, conv.stride, padding, dtype, own, relu))
        return len(self.layers.units) - 1

    def _block(self, block: Block, dispatch: Dispatch) -> FusedBlock:
        path = block.units[0].convolution.name.rpartition(".")[0]
        units = tuple(self._add(unit, dispatch, f"{path}.relu{i}") for i, unit in enumerate(block.units, start=1))
        shortcut = self._add(block.shortcut, dispatch, "") if block.shortcut else None
        return FusedBlock(units, shortcut, block.residual, block.pool)

    # -- forward ---------------------------------------------------------------------------------------------

    def train(self, images: Tensor, step: int) -> Tensor:
        """Logits (N, classes) with the statistics of the batch; differentiable in all that trains."""
        tensors: list[Tensor | None] = []
        for unit in self.layers.units:
            tensors += [unit.weight, unit.layer.bias, unit.norm.weight, unit.norm.bias]
        seed = mixed(self.seed, "lean", step) if self.layers.lean else 0
        features: Tensor = Features.apply(self.layers, images, seed, *tensors)
        forward = getattr(features.grad_fn, "forward_pass", None)
        self.saved_bytes = forward.saved_bytes if forward else 0
        return self.network.output(features)

    @torch.no_grad()
    def evaluate(self, images: Tensor, seen: Seen | None = None) -> Tensor:
        """Logits (N, classes) with the running statistics."""
        x = self._tested(0, images, seen)
        for block in self.layers.blocks:
            if block.pool:
                x = F.max_pool2d(x, block.pool.kernel, block.pool.stride, block.pool.padding)
            out = x
            for place in block.units[: -1 if block.residual else None]:
                out = self._tested(place, out, seen)
            if block.residual:
                other = x if block.shortcut is None else self._convolved(block.shortcut, x)
                scale = None if block.shortcut is None else self._running(block.shortcut)
                out = self._tested(block.units[-1], out, seen, other, scale)
            x = out
        return self.network.output(x.mean(dim=(2, 3)))

    def _convolved(self, place: int, x: Tensor) -> Tensor:
        return self.layers.units[place].convolve(x, self.layers.units[place].weight)

    def _running(self, place: int) -> Tensor:
        unit = self.layers.units[place]
        return running_statistics(unit.affine(unit.norm.weight, unit.norm.bias), unit.running())

    def _tested(
        self, place: int, x: Tensor, seen: Seen | None, other: Tensor | None = None, scale: Tensor | None = None
    ) -> Tensor:
        y = self._convolved(place, x)
        out = self.layers.kernels.apply(y, self._running(place), other, scale, in_place=True).out
        if seen:
            seen(self.layers.units[place].relu, out)
        return out
