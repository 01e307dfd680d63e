"""Convolutions of 3 by 3 with stride 1 in Winograd's form, `winograd.c` on the tensors of torch.

They take a quarter of the multiplications. Their rounding in float32 is about five times torch's, some 1e-6 of the
values; bfloat16 makes a thousand times as much. What stands before a convolution and behind it is done on the way: see
`Unapplied`, `Unfinished` and `Below`.
"""

from __future__ import annotations

import ctypes
from ctypes import c_long
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from core.engine.kernels import Affine, Found, Kept, Relu, Running
from core.engine.structures import KINDS, RELUS, Convolution, Gradients, Norm, P, address, reference

ARGUMENTS = {
    "onlybn_winograd": (P,),
    "onlybn_winograd_weights": (P, c_long, c_long, P, P),
}
POINTS = 36
AS_IS, NORMALISED, GRADIENT = range(3)
NOTHING, STATISTICS, GRADIENTS = range(3)
"""`enum before` and `enum after`."""


class Unapplied(NamedTuple):
    """relu(y * scale + shift) of a convolution's output y, not made yet: whoever reads it makes it."""

    y: Tensor
    statistics: Tensor


@dataclass(slots=True)
class Unfinished:
    """The gradient of a convolution's output, not made yet, of that behind its layer's ReLU (see Kernels.sums)."""

    kept: Kept
    factors: Tensor
    gradient: Tensor
    relu: Relu


@dataclass(slots=True)
class Below:
    """The layer that gets a gradient: what Kernels.sums is asked for. `second` is written over."""

    kept: Kept
    relu: Relu
    second: Tensor | None = None
    other: Kept | None = None


class Winograd:
    """Of a library with these functions. All images are (N, C, H, W), channels-last, float32 or bfloat16, C a multiple
    of LANES; weights (C', C, 3, 3) float32."""

    def __init__(self, library: ctypes.CDLL) -> None:
        for function, arguments in ARGUMENTS.items():
            getattr(library, function).argtypes = arguments
            getattr(library, function).restype = None
        self._library = library

    def forward(self, source: Tensor | Unapplied, weight: Tensor) -> Tensor:
        return self._run(self._of(source, weight.shape[0]), source, weight, transposed=False)

    def forward_to(
        self, source: Tensor | Unapplied, weight: Tensor, affine: Affine, running: Running, lean: bool
    ) -> tuple[Tensor, Tensor]:
        """The output, and what Kernels.statistics makes of it."""
        task, statistics = self._of(source, weight.shape[0]), torch.empty(6, weight.shape[0])
        norm = Norm.of(affine, running, lean, statistics)
        task.after, task.norm = STATISTICS, reference(norm)
        return self._run(task, source, weight, transposed=False), statistics

    def backward(self, gradient: Tensor | Unfinished, weight: Tensor) -> Tensor:
        """The gradient of the input."""
        return self._run(self._of(gradient, weight.shape[1]), gradient, weight, transposed=True)

    def backward_to(self, gradient: Tensor | Unfinished, weight: Tensor, below: Below) -> tuple[Tensor, Found]:
        """The gradient behind the ReLU of the layer below, and what Kernels.sums makes of it."""
        task = self._of(gradient, weight.shape[1])
        gradients, found = Gradients.of(below.kept, below.second, below.relu, below.other)
        task.after, task.gradients = GRADIENTS, reference(gradients)
        return self._run(task, gradient, weight, transposed=True, into=below.second), found

    def _of(self, source: Tensor | Unapplied | Unfinished, outputs: int) -> Convolution:
        images = _images(source)
        count, inputs, height, width = images.shape
        task = Convolution(count, height, width, inputs, outputs, images.data_ptr(), kind=KINDS[images.dtype])
        if isinstance(source, Unapplied):
            task.before, task.stat = NORMALISED, source.statistics.data_ptr()
        elif isinstance(source, Unfinished):
            kept = source.kept
            task.before, task.relu, task.saved_kind = GRADIENT, RELUS[source.relu], KINDS[kept.values.dtype]
            task.saved, task.stat, task.signs = map(address, (kept.values, kept.statistics, kept.signs))
            task.factors = source.factors.data_ptr()
        return task

    def _run(
        self,
        task: Convolution,
        source: Tensor | Unapplied | Unfinished,
        weight: Tensor,
        *,
        transposed: bool,
        into: Tensor | None = None,
    ) -> Tensor:
        images = _images(source)
        shape = (images.shape[0], task.outputs, *images.shape[2:])
        if into is None:
            into = torch.empty(shape, dtype=images.dtype, memory_format=torch.channels_last)
        weights = self._weights(weight, transposed)
        task.weights, task.output = weights.data_ptr(), into.data_ptr()
        self._library.onlybn_winograd(ctypes.byref(task))
        return into

    def _weights(self, weight: Tensor, transposed: bool) -> Tensor:
        outputs, inputs = weight.shape[:2]
        strides, first = list(weight.stride()), weight.data_ptr()
        if transposed:  # what was input is output now, and the kernel is turned round
            outputs, inputs = inputs, outputs
            first += weight.element_size() * 2 * (strides[2] + strides[3])
            strides = [strides[1], strides[0], -strides[2], -strides[3]]
        out = torch.empty(POINTS * outputs * inputs)
        self._library.onlybn_winograd_weights(first, outputs, inputs, (c_long * 4)(*strides), out.data_ptr())
        return out


def _images(source: Tensor | Unapplied | Unfinished) -> Tensor:
    if isinstance(source, Unapplied):
        return source.y
    return source.gradient if isinstance(source, Unfinished) else source
