"""Batch norm, residual sum and ReLU between two convolutions, forward and backward, as four functions on tensors.

Two classes implement them: `CompiledKernels` (compiled.py) in C, and `EagerKernels` (eager.py) in torch's own
operators, where there is no compiler. Images are (N, C, H, W) in channels-last memory, float32 or bfloat16.

For backward, one tensor a layer is kept: the convolution's output, from which backward recomputes the ReLU's sign.
Where a residual was added, the sign is kept as one bit. In lean mode, the normalised values are kept in 8 bits and the
sign as one bit. A gradient is "behind" a ReLU once backward has taken it through that ReLU.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from core.engine.arena import HEAP, Heap
from core.engine.convolutions import FusedConvolution
from core.engine.values import Affine, Applied, Found, Kept, Relu, Running


class Kernels(Protocol):
    """The functions of the module's docstring. `name` is shown to people. `arena`: memory for what a step keeps."""

    name: str

    def convolution(self, kernel: int, stride: int) -> FusedConvolution | None:
        """A new convolution, `kernel` by `kernel`, that also does the steps around it; None: there is none."""

    def statistics(self, y: Tensor, affine: Affine, running: Running, lean: bool = False, arena: Heap = HEAP) -> Tensor:
        """The batch's statistics, (6, C). Updates the running statistics."""

    def apply(
        self,
        y: Tensor,
        statistics: Tensor,
        other: Tensor | None = None,
        other_statistics: Tensor | None = None,
        relu: bool = True,
        keep_signs: bool = False,
        lean_seed: int | None = None,
        in_place: bool = False,
        arena: Heap = HEAP,
    ) -> Applied:
        """relu(y * scale + shift [+ other [* its scale + its shift]]), written over `y` if `in_place`."""

    def sums(
        self,
        kept: Kept,
        gradient: Tensor,
        second: Tensor | None,
        relu: Relu,
        in_place: bool,
        other: Kept | None = None,
        arena: Heap = HEAP,
    ) -> Found:
        """The sums of `gradient` [+ `second`] behind the ReLU, which is left in `gradient` if `in_place`. `other`: the
        shortcut's layer, which gets the same gradient."""

    def input_gradient(self, kept: Kept, factors: Tensor, gradient: Tensor, relu: Relu, into: Tensor | None) -> Tensor:
        """The gradient of the convolution's output, written to `into` (may be the kept values or `gradient`)."""
