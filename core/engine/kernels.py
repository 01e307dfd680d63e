"""Batch norm, residual sum and ReLU between two convolutions, forward and backward, as four functions on tensors.

Two classes have them: `CompiledKernels` (compiled.py), in C, and `EagerKernels` (eager.py), in torch's own operators,
for where there is no compiler. Images are (N, C, H, W) in channels-last memory, float32 or bfloat16.

Backward keeps one tensor a layer: the convolution's output, from which the ReLU's sign is recomputed; where a residual
was added, the sign is kept as one bit. Lean: the normalised values in 8 bits, and the sign as one bit.
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from core.engine.arena import HEAP, Heap
from core.engine.convolutions import FusedConvolution
from core.engine.values import Affine, Applied, Found, Kept, Relu, Running


class Kernels(Protocol):
    """See the module. `name` is shown to people. What a step keeps comes from `arena`."""

    name: str

    def convolution(self, kernel: int, stride: int) -> FusedConvolution | None:
        """A new one of `kernel` by `kernel` that does more than that on the way; None: there is none."""

    def statistics(self, y: Tensor, affine: Affine, running: Running, lean: bool = False, arena: Heap = HEAP) -> Tensor:
        """(6, C): those of the batch; moves the running statistics."""

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
        """relu(y * scale + shift [+ other [* its scale + its shift]]), in the place of `y` if `in_place`."""

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
        """Of `gradient` [+ `second`] behind the ReLU; where `in_place`, that is left in `gradient`. `other` got the
        same gradient."""

    def input_gradient(self, kept: Kept, factors: Tensor, gradient: Tensor, relu: Relu, into: Tensor | None) -> Tensor:
        """The gradient of the convolution's output, into `into` (may be the kept values or the gradient)."""
