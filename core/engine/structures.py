"""The structures of `norm.h` and `convolution.h`, field by field, and how tensors are put into them."""

from __future__ import annotations

import ctypes
from ctypes import c_double, c_int, c_long, c_uint32, c_void_p

import torch
from torch import Tensor

from core.engine.arena import Heap
from core.engine.values import Affine, Found, Kept, Relu, Running, Sums

KINDS = {torch.float32: 0, torch.bfloat16: 1, torch.int8: 2}
RELUS: dict[Relu, int] = {"none": 0, "recompute": 1, "mask": 2}
P = c_void_p


class NormStruct(ctypes.Structure):
    """`struct norm`. Whoever makes one keeps the tensors for as long as it is used."""

    _fields_ = (
        *((name, P) for name in ("gamma", "beta", "bias", "running_mean", "running_var")),
        ("eps", c_double),
        ("momentum", c_double),
        ("lean", c_int),
        ("stat", P),
    )

    @classmethod
    def of(cls, affine: Affine, running: Running, lean: bool, statistics: Tensor) -> NormStruct:
        tensors = (affine.gamma, affine.beta, affine.bias, running.mean, running.var)
        return cls(*map(address, tensors), running.eps, running.momentum, lean, address(statistics))


class GradientsStruct(ctypes.Structure):
    """`struct gradients`."""

    _fields_ = (
        *((name, P) for name in ("saved", "stat", "second", "signs", "other", "other_stat")),
        *((name, P) for name in ("beta", "gamma", "factors", "other_gamma", "other_factors")),
        ("saved_kind", c_int),
        ("relu", c_int),
    )

    @classmethod
    def of(
        cls, kept: Kept, second: Tensor | None, relu: Relu, other: Kept | None, arena: Heap
    ) -> tuple[GradientsStruct, Found]:
        channels = kept.statistics.shape[1]
        own = Sums(arena.empty(channels), arena.empty(channels), arena.empty(3, channels))
        others = None if other is None else Sums(own.beta, arena.empty(channels), arena.empty(3, channels))
        shortcut = (other.values, other.statistics) if other else (None, None)
        tensors = (kept.values, kept.statistics, second, kept.signs, *shortcut)
        results = (own.beta, own.gamma, own.factors, *((others.gamma, others.factors) if others else (None, None)))
        made = cls(*map(address, tensors), *map(address, results), KINDS[kept.values.dtype], RELUS[relu])
        return made, Found(own, others)


class ConvolutionStruct(ctypes.Structure):
    """`struct convolution`."""

    _fields_ = (
        *((name, c_long) for name in ("images", "height", "width", "inputs", "out_height", "out_width", "outputs")),
        *((name, P) for name in ("input", "weights", "output", "stat", "factors", "other_stat", "saved", "other")),
        *((name, P) for name in ("applied", "applied_signs", "applied_bytes", "signs")),
        *((name, P) for name in ("norm", "gradients")),
        *(
            (name, c_int)
            for name in ("kind", "before", "after", "saved_kind", "relu", "kernel", "stride", "transposed")
        ),
        ("seed", c_uint32),
    )


def address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def reference(structure: ctypes.Structure) -> int:
    """Its address, for a field of another structure."""
    return ctypes.addressof(structure)
