"""The kernels in C (core/kernels), called with torch's tensors."""

from __future__ import annotations

import ctypes
from ctypes import c_int, c_long, c_uint32
from functools import cache

import torch
from torch import Tensor

from core.engine import convolutions
from core.engine.arena import HEAP, Heap
from core.engine.convolutions import KERNELS_AND_STRIDES, LANES, FusedConvolution
from core.engine.structures import KINDS, RELUS, GradientsStruct, NormStruct, P, address
from core.engine.values import STATISTICS, Affine, Applied, Found, Kept, Relu, Running
from core.kernels.library import shared_library

ARGUMENTS = {
    "onlybn_statistics": (P, c_long, c_long, P),
    "onlybn_apply": (P, c_long, c_long, P, P, P, c_int, P, P, P, c_uint32),
    "onlybn_sums": (c_int, c_long, c_long, P, P, P),
    "onlybn_input_gradient": (c_int, c_int, P, c_long, c_long, P, P, P, c_int, P, P),
}


@cache
def compiled_kernels() -> CompiledKernels:
    """The kernels of this machine, compiled if they are not in the cache. Raises library.Uncompiled."""
    return CompiledKernels(ctypes.CDLL(str(shared_library())))


def _pixels(images: Tensor) -> int:
    return images.numel() // images.shape[1]


class CompiledKernels:
    """core.engine.kernels.Kernels in C. A layer's channels must be a multiple of LANES."""

    name = "compiled"

    def __init__(self, library: ctypes.CDLL) -> None:
        for function, arguments in {**ARGUMENTS, **convolutions.ARGUMENTS}.items():
            getattr(library, function).argtypes = arguments
            getattr(library, function).restype = None
        self._library = library

    def convolution(self, kernel: int, stride: int) -> FusedConvolution | None:
        known = (kernel, stride) in KERNELS_AND_STRIDES
        return FusedConvolution(self._library, kernel, stride) if known else None

    def statistics(self, y: Tensor, affine: Affine, running: Running, lean: bool = False, arena: Heap = HEAP) -> Tensor:
        assert y.dtype == torch.float32, "values are float32; only gradients may be bfloat16"
        out = arena.empty(STATISTICS, y.shape[1])
        norm = NormStruct.of(affine, running, lean, out)
        self._library.onlybn_statistics(y.data_ptr(), _pixels(y), y.shape[1], ctypes.byref(norm))
        return out

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
        assert y.dtype == torch.float32 and (other is None or other.dtype == y.dtype)
        out = y if in_place else torch.empty_like(y)
        signs = arena.empty(y.numel() // LANES, dtype=torch.int16) if keep_signs else None
        kept = None if lean_seed is None else arena.images(y.shape, torch.int8)
        self._library.onlybn_apply(
            y.data_ptr(),
            _pixels(y),
            y.shape[1],
            statistics.data_ptr(),
            address(other),
            address(other_statistics),
            relu,
            out.data_ptr(),
            address(signs),
            address(kept),
            (lean_seed or 0) & 0xFFFFFFFF,
        )
        return Applied(out, signs, kept)

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
        layer, found = GradientsStruct.of(kept, second, relu, other, arena)
        self._library.onlybn_sums(
            KINDS[gradient.dtype],
            _pixels(gradient),
            gradient.shape[1],
            ctypes.byref(layer),
            gradient.data_ptr(),
            gradient.data_ptr() if in_place else None,
        )
        return found

    def input_gradient(self, kept: Kept, factors: Tensor, gradient: Tensor, relu: Relu, into: Tensor | None) -> Tensor:
        out = torch.empty_like(gradient) if into is None else into
        self._library.onlybn_input_gradient(
            KINDS[gradient.dtype],
            KINDS[kept.values.dtype],
            kept.values.data_ptr(),
            _pixels(gradient),
            gradient.shape[1],
            kept.statistics.data_ptr(),
            factors.data_ptr(),
            gradient.data_ptr(),
            RELUS[relu],
            address(kept.signs),
            out.data_ptr(),
        )
        return out
