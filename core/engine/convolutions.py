"""Convolutions that do the steps before and after them "on the way", without a pass of their own over the values.
`Unapplied`, `Unfinished` and `Below` in values.py say which steps.

3 by 3 with stride 1 is computed in Winograd's form (`winograd.c`), which takes a quarter of the multiplications; its
rounding error in float32 is about five times torch's, some 1e-6 of the values, and that of bfloat16 is a thousand times
as large. 3 by 3 with stride 2, and 1 by 1, are computed directly (`direct.c`).
"""

from __future__ import annotations

import ctypes
from ctypes import c_int, c_long
from dataclasses import dataclass

import torch
from torch import Tensor

from core.engine.arena import HEAP, Heap
from core.engine.structures import KINDS, RELUS, ConvolutionStruct, GradientsStruct, NormStruct, P, address, reference
from core.engine.values import Affine, Below, Found, Running, Unapplied, Unfinished

ARGUMENTS = {
    "onlybn_winograd": (P,),
    "onlybn_winograd_weights": (P, c_long, c_long, P, P),
    "onlybn_direct": (P,),
    "onlybn_direct_weights": (P, c_long, c_long, P, c_int, P),
}
KERNELS_AND_STRIDES = ((3, 1), (3, 2), (1, 1), (1, 2))
"""The convolutions that exist."""
LANES = 16
"""Channels that are handled together; a layer's channels must be a multiple of it."""
POINTS = 36
AS_IS, NORMALISED, RESIDUAL, GRADIENT = range(4)
NOTHING, STATISTICS, GRADIENTS = range(3)
"""`enum before` and `enum after` of convolution.h."""


@dataclass(slots=True)
class _Prepared:
    """`values`: those of `weight` at `version`, in the kernels' layout. The weight is held, so that no other tensor can
    get its address."""

    values: Tensor
    weight: Tensor | None = None
    version: int = -1

    def is_of(self, weight: Tensor) -> bool:
        same = self.weight is not None and self.weight.data_ptr() == weight.data_ptr()
        return same and self.version == weight._version


class FusedConvolution:
    """One of KERNELS_AND_STRIDES, without a bias, from a library that has the functions of ARGUMENTS.

    All images are (N, C, H, W), channels-last, float32 or bfloat16, C a multiple of LANES; weights (C', C, kernel,
    kernel) float32. Every call prepares the weights anew; after `freeze`, only a call that finds them changed does.
    """

    def __init__(self, library: ctypes.CDLL, kernel: int, stride: int) -> None:
        self.kernel, self.stride = kernel, stride
        self.by_winograd = kernel == 3 and stride == 1
        self._library = library
        self._prepared: dict[bool, _Prepared] = {}

    @property
    def frozen(self) -> bool:
        return bool(self._prepared)

    def freeze(self, weight: Tensor, room: int, *, back: bool) -> int:
        """Keep prepared weights for forward, and for backward if `back`, if they take at most `room` bytes. Returns the
        bytes that they take, or 0.

        `weight` may be written to, but not through `.data`, and later calls may pass another one of its shape. The
        memory is taken now: later it would lie between what a step takes and gives back.
        """
        ways = (False, True) if back else (False,)
        size = len(ways) * self._values(weight) * torch.float32.itemsize
        if size > room:
            return 0
        self._prepared = {way: _Prepared(torch.empty(self._values(weight))) for way in ways}
        return size

    def forward(self, source: Tensor | Unapplied, weight: Tensor) -> Tensor:
        return self._run(self._there(source, weight), source, weight)

    def forward_to(
        self,
        source: Tensor | Unapplied,
        weight: Tensor,
        affine: Affine,
        running: Running,
        lean: bool,
        arena: Heap = HEAP,
    ) -> tuple[Tensor, Tensor]:
        """The output, and its statistics as Kernels.statistics computes them."""
        assert _images(source).dtype == torch.float32, "values are float32; only gradients may be bfloat16"
        task, statistics = self._there(source, weight), arena.empty(6, weight.shape[0])
        norm = NormStruct.of(affine, running, lean, statistics)
        task.after, task.norm = STATISTICS, reference(norm)
        return self._run(task, source, weight), statistics

    def backward(self, gradient: Tensor | Unfinished, weight: Tensor, size: torch.Size) -> Tensor:
        """The gradient of the input, whose height and width are the last two of `size`."""
        return self._run(self._back(gradient, weight, size), gradient, weight, back=True)

    def backward_to(
        self, gradient: Tensor | Unfinished, weight: Tensor, size: torch.Size, below: Below, arena: Heap = HEAP
    ) -> tuple[Tensor, Found]:
        """The gradient behind the ReLU of the layer below, and its sums as Kernels.sums computes them."""
        task = self._back(gradient, weight, size)
        gradients, found = GradientsStruct.of(below.kept, below.second, below.relu, below.other, arena)
        task.after, task.gradients = GRADIENTS, reference(gradients)
        return self._run(task, gradient, weight, back=True, into=below.second), found

    def _there(self, source: Tensor | Unapplied, weight: Tensor) -> ConvolutionStruct:
        height, width = ((side - 1) // self.stride + 1 for side in _images(source).shape[2:])
        return self._task(source, weight.shape[0], height, width)

    def _back(self, gradient: Tensor | Unfinished, weight: Tensor, size: torch.Size) -> ConvolutionStruct:
        height, width = size[-2:]
        task = self._task(gradient, weight.shape[1], height, width)
        task.transposed = self.stride > 1  # with stride 1, backward is a forward convolution with other weights
        return task

    def _task(
        self, source: Tensor | Unapplied | Unfinished, outputs: int, height: int, width: int
    ) -> ConvolutionStruct:
        images = _images(source)
        count, inputs, *sides = images.shape
        sizes = (count, *sides, inputs, height, width, outputs)
        task = ConvolutionStruct(*sizes, images.data_ptr(), kind=KINDS[images.dtype])
        task.kernel, task.stride = self.kernel, self.stride
        if isinstance(source, Unapplied):
            assert images.dtype == torch.float32, "values are float32; only gradients may be bfloat16"
            task.before, task.stat = NORMALISED, source.statistics.data_ptr()
            assert self.by_winograd or not (source.residual or source.keeping)
            if added := source.residual:
                task.before, task.other, task.applied = RESIDUAL, added.other.data_ptr(), added.out.data_ptr()
                task.other_stat = address(added.statistics)
            if kept := source.keeping:
                task.applied_signs, task.applied_bytes, task.seed = *map(address, (kept.signs, kept.bytes)), kept.seed
        elif isinstance(source, Unfinished):
            above = source.kept
            task.before, task.relu, task.saved_kind = GRADIENT, RELUS[source.relu], KINDS[above.values.dtype]
            task.saved, task.stat, task.signs = map(address, (above.values, above.statistics, above.signs))
            task.factors = source.factors.data_ptr()
        return task

    def _run(
        self,
        task: ConvolutionStruct,
        source: Tensor | Unapplied | Unfinished,
        weight: Tensor,
        *,
        back: bool = False,
        into: Tensor | None = None,
    ) -> Tensor:
        shape = (task.images, task.outputs, task.out_height, task.out_width)
        if into is None:
            into = torch.empty(shape, dtype=_images(source).dtype, memory_format=torch.channels_last)
        weights = self._weights(weight, back)
        task.weights, task.output = weights.data_ptr(), into.data_ptr()
        run = self._library.onlybn_winograd if self.by_winograd else self._library.onlybn_direct
        run(ctypes.byref(task))
        return into

    def _weights(self, weight: Tensor, back: bool) -> Tensor:
        """`weight` in the kernels' layout."""
        prepared = self._prepared.get(back)
        if prepared is None:
            return self._prepare(weight, back, torch.empty(self._values(weight)))
        if not prepared.is_of(weight):
            self._prepare(weight, back, prepared.values)
            prepared.weight, prepared.version = weight, weight._version
        return prepared.values

    def _values(self, weight: Tensor) -> int:
        """How many values a prepared weight has."""
        return (POINTS if self.by_winograd else self.kernel**2) * weight.shape[0] * weight.shape[1]

    def _prepare(self, weight: Tensor, back: bool, out: Tensor) -> Tensor:
        outputs, inputs = weight.shape[:2]
        strides, first = list(weight.stride()), weight.data_ptr()
        if back:
            outputs, inputs = inputs, outputs
            strides = [strides[1], strides[0], *strides[2:]]
        if not self.by_winograd:
            rest = (outputs, inputs, (c_long * 4)(*strides), self.kernel, out.data_ptr())
            self._library.onlybn_direct_weights(first, *rest)
            return out
        if back:  # the kernel is rotated by 180 degrees
            first += weight.element_size() * 2 * (strides[2] + strides[3])
            strides = [*strides[:2], -strides[2], -strides[3]]
        self._library.onlybn_winograd_weights(first, outputs, inputs, (c_long * 4)(*strides), out.data_ptr())
        return out


def _images(source: Tensor | Unapplied | Unfinished) -> Tensor:
    if isinstance(source, Unapplied):
        return source.y
    return source.gradient if isinstance(source, Unfinished) else source
