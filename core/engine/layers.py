"""The layers of a network as the engine runs them, a convolution and its batch norm as one unit; what blocks keep."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.catalog.plan import Pool
from core.engine.convolutions import FusedConvolution
from core.engine.kernels import Kernels
from core.engine.values import Affine, Kept, Relu, Running
from core.network.freezing import FrozenWeight

NOT_TRANSPOSED = (False, [0, 0], 1)
OF_A_UNIT = 4
WEIGHT, BIAS, GAMMA, BETA = range(OF_A_UNIT)
"""The tensors of a unit, in the order in which they are passed on."""


@dataclass(slots=True)
class FusedUnit:
    """A convolution, its batch norm, and the name of the ReLU behind them.

    `own`: the kernel that computes the convolution, except the gradient of a weight that trains. Torch computes that
    gradient, or everything where `own` is None: values in float32, gradients in `gradients`.
    """

    layer: nn.Conv2d | FrozenWeight
    norm: nn.BatchNorm2d
    stride: int
    padding: int
    gradients: torch.dtype
    own: FusedConvolution | None
    relu: str

    @property
    def weight(self) -> Tensor:
        return self.layer.effective() if isinstance(self.layer, FrozenWeight) else self.layer.weight

    def affine(self, gamma: Tensor | None, beta: Tensor | None) -> Affine:
        return Affine(gamma, beta, self.layer.bias)

    def running(self) -> Running:
        norm = self.norm
        assert norm.running_mean is not None and norm.running_var is not None and norm.momentum is not None
        return Running(norm.running_mean, norm.running_var, norm.momentum, norm.eps)

    def convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H', W'), without the bias."""
        if self.own:
            return self.own.forward(x, weight)
        y = F.conv2d(x, weight, None, self.stride, self.padding)
        # With a single input channel torch cannot tell the memory formats apart and may choose the other one.
        return y.contiguous(memory_format=torch.channels_last)

    def convolve_back(
        self, gradient: Tensor, x: Tensor | None, shape: torch.Size, weight: Tensor, *, image: bool, weighs: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Gradients of the input, if `image`, and of the weight, if `weighs`. `x`: the input, which has `shape`; may be
        None if only `image`."""
        if not (image or weighs):
            return None, None
        if x is None:  # only its shape is read
            x = torch.empty(shape, dtype=self.gradients, device=gradient.device, memory_format=torch.channels_last)
        stride, padding, ones = [self.stride] * 2, [self.padding] * 2, [1, 1]
        images, weights, _ = torch.ops.aten.convolution_backward(
            gradient.to(self.gradients),
            x.to(self.gradients),
            weight.to(self.gradients),
            None,
            stride,
            padding,
            ones,
            *NOT_TRANSPOSED,
            [image, weighs, False],
        )
        if image:
            images = images.to(gradient.dtype).contiguous(memory_format=torch.channels_last)
        return images, weights.float() if weighs else None


@dataclass(frozen=True, slots=True)
class FusedBlock:
    """The places of a block's units, and of its shortcut's unit, among all units of the network."""

    units: tuple[int, ...]
    shortcut: int | None
    residual: bool
    pool: Pool | None


@dataclass(frozen=True, slots=True)
class Layers:
    """All units of a network (the stem's first), its blocks after the stem, and the kernels that compute them.

    `gradients`: the format of the gradients between the layers, whose values are float32; `lean`: whether what backward
    needs is kept in 8 bits.
    """

    units: list[FusedUnit]
    blocks: list[FusedBlock]
    kernels: Kernels
    gradients: torch.dtype
    lean: bool


@dataclass(slots=True)
class Memory:
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

    def relu(self, place: int) -> Relu:
        """How backward knows what the unit's ReLU let through."""
        return "recompute" if self.kept[place].signs is None else "mask"


def squares(pool: Pool) -> tuple[list[int], list[int], list[int]]:
    """Kernel, stride and padding of a pool, as torch's own operators want them."""
    return [pool.kernel] * 2, [pool.stride] * 2, [pool.padding] * 2
