"""Which algorithm computes each convolution: the usual one, if it is right and no other is clearly faster.

The usual one is our own kernel, or torch's in the processor's format. But torch computes bfloat16 wrongly or many times
slower for some processors and shapes (pytorch#183815, #163347, #169688), and whether our own kernels pay depends on
caches and registers. So each shape is tried once on a machine against torch's convolution in float32, and the
measurements are cached.

A seed must give the same bits again even if that cache was lost, or if the machine does other work while it measures.
So the format is the processor's (unless float32 is clearly faster for every shape), and another algorithm must be half
as fast again as the usual one, which noise seldom causes (`tests/benchmarks/algorithms.py`).
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from filelock import FileLock
from torch import Tensor
from torch.nn import functional as F

from core.catalog.plan import Convolution, Plan
from core.engine.convolutions import LANES, FusedConvolution
from core.engine.kernels import Kernels
from core.kernels.library import cache_folder, machine, sources
from core.machine.files import write_atomically
from core.machine.processor import abilities

TRIED_MACS, TRIED_IMAGES = 4e8, 16
"""Multiply-adds of the batch on which a shape is tried, a few milliseconds of work, and its least number of images."""
FEW = 4
"""Images of a first trial, which shows which algorithms are hopeless."""
TRIES, DOUBTS = 5, 4
"""How often each algorithm is timed, and how many times as often at most while the usual one would not be taken."""
HOPELESS = 4.0
"""An algorithm that takes more than this many times the best one's time on a few images is not tried any further."""
CLEARLY = 1.5
"""Another algorithm must be this many times as fast as the usual one to be taken in its place."""
NATIVE = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Abilities of a processor, as Linux names them. Any of them means that it computes in bfloat16 itself."""


class Algorithm(StrEnum):
    """How a convolution computes: torch's in either format, or one of convolutions.py, in float32."""

    BFLOAT16 = "bf16"
    FLOAT32 = "fp32"
    FUSED = "fused"


OWN = {torch.bfloat16: Algorithm.BFLOAT16, torch.float32: Algorithm.FLOAT32}
"""The algorithm that needs no conversion, by the format between the layers."""
HOW = {Algorithm.FLOAT32: "wholly in fp32", Algorithm.FUSED: "in own kernels"}
"""The algorithms that can be exceptions, in words for people."""
WRONG_BEYOND = {torch.bfloat16: 0.03, torch.float32: 1e-4}
"""An algorithm is wrong if its difference to torch's float32 has a relative norm above this, by the format between the
layers. Rounding to bfloat16 makes about 0.004 of it, the sums of Winograd's form 2e-6."""


class Shape(NamedTuple):
    """What makes two convolutions take equally long. `size`: side of the input."""

    inputs: int
    outputs: int
    kernel: int
    stride: int
    size: int

    @classmethod
    def of(cls, conv: Convolution) -> Shape:
        return cls(conv.inputs, conv.outputs, conv.kernel, conv.stride, conv.size * conv.stride)

    @property
    def key(self) -> str:
        return "x".join(map(str, self))

    @property
    def macs(self) -> int:
        return self.outputs * self.inputs * self.kernel**2 * (self.size // self.stride) ** 2


Trial = Mapping[Algorithm, float]
"""Seconds of forward and backward of each algorithm that is right, between layers of one format."""


@dataclass(frozen=True)
class Dispatch:
    """Which algorithm computes each shape.

    `gradients`: the format of the gradients between the layers; `exceptions`: the shapes that an algorithm other than
    that format's own computes; `halves`: those of them whose gradients torch computes faster in bfloat16.
    """

    gradients: torch.dtype
    exceptions: Mapping[Shape, Algorithm] = field(default_factory=dict)
    halves: frozenset[Shape] = frozenset()

    def of(self, conv: Convolution) -> Algorithm:
        return self.exceptions.get(Shape.of(conv), OWN[self.gradients])

    def torch_format(self, conv: Convolution) -> torch.dtype:
        """The format in which torch computes gradients of `conv`: all, or beside an own kernel the weight's."""
        algorithm, half = self.of(conv), Shape.of(conv) in self.halves
        in_half = algorithm is Algorithm.BFLOAT16 or (algorithm is Algorithm.FUSED and half)
        return torch.bfloat16 if in_half else torch.float32

    @property
    def words(self) -> str:
        """For people: `fp32`, `fp32, gradients in bf16 (convolution shapes: 2 in own kernels)`."""
        counts = Counter(self.exceptions.values())
        told = [f"{counts[algorithm]} {how}" for algorithm, how in HOW.items() if counts[algorithm]]
        formats = "fp32" if self.gradients == torch.float32 else "fp32, gradients in bf16"
        return f"{formats} (convolution shapes: {', '.join(told)})" if told else formats


FLOAT32 = Dispatch(torch.float32)


def native_format() -> torch.dtype:
    """The format of the values between the layers: bfloat16 if this processor computes in that itself, because it
    halves what is kept and moved; else float32."""
    return torch.bfloat16 if NATIVE & set(abilities().split()) else torch.float32


def choose_dispatch(plan: Plan, batch: int, kernels: Kernels | None) -> Dispatch:
    """The dispatch of `plan` on this machine with this number of threads, from the cache if that has all its shapes."""
    dtype = native_format()
    return decide(try_shapes(plan, batch, kernels, dtype), dtype)


def decide(trials: Mapping[Shape, Trial], dtype: torch.dtype) -> Dispatch:
    """The dispatch that follows from the `trials` of a network's shapes between layers of `dtype`.

    If every shape would have to be converted to float32, the values between the layers are float32, too.
    """
    chosen = {shape: best(trial, usual_algorithms(dtype)) for shape, trial in trials.items()}
    if set(chosen.values()) <= {Algorithm.FLOAT32}:
        return FLOAT32
    exceptions = {shape: algorithm for shape, algorithm in chosen.items() if algorithm != OWN[dtype]}
    halves = (shape for shape in exceptions if best(_of_torch(trials[shape]), (OWN[dtype],)) is Algorithm.BFLOAT16)
    return Dispatch(dtype, exceptions, frozenset(halves))


def usual_algorithms(dtype: torch.dtype) -> tuple[Algorithm, ...]:
    """The usual algorithms between layers of `dtype`. The first that exists is taken if no other is clearly faster."""
    return Algorithm.FUSED, OWN[dtype]


def best(trial: Trial, usual: Sequence[Algorithm]) -> Algorithm:
    """The first of the `usual` algorithms that is right and not clearly slower than the fastest; else the fastest."""
    fastest = min(trial, key=trial.__getitem__)
    enough = CLEARLY * trial[fastest]
    return next((algorithm for algorithm in usual if trial.get(algorithm, enough) < enough), fastest)


def _of_torch(trial: Trial) -> Trial:
    return {algorithm: seconds for algorithm, seconds in trial.items() if algorithm is not Algorithm.FUSED}


def try_shapes(plan: Plan, batch: int, kernels: Kernels | None, dtype: torch.dtype) -> dict[Shape, Trial]:
    """The trial of each shape of `plan`, between layers of `dtype`, made now where the cache has none."""
    shapes = list(dict.fromkeys(Shape.of(conv) for conv in plan.convolutions))
    try:
        path = _cache_file(torch.__version__, torch.get_num_threads(), kernels is not None, dtype)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(path.with_suffix(".lock")):  # a second process finds what the first one measured
            known = _read(path)
            missing = [shape for shape in shapes if shape.key not in known]
            if missing:
                known |= {shape.key: _trial(shape, batch, kernels, dtype) for shape in missing}
                write_atomically(path, json.dumps(known).encode())
    except (OSError, RuntimeError):  # no place for a cache: no home folder, or one that is read-only
        return {shape: _trial(shape, batch, kernels, dtype) for shape in shapes}
    return {shape: known[shape.key] for shape in shapes}


def _read(path: Path) -> dict[str, Trial]:
    with suppress(OSError, ValueError, TypeError, AttributeError):
        rows = json.loads(path.read_bytes()).items()
        return {key: {Algorithm(name): float(seconds) for name, seconds in told.items()} for key, told in rows}
    return {}


@cache
def _cache_file(torch_version: str, threads: int, own: bool, dtype: torch.dtype) -> Path:
    parts = f"{torch_version}/{threads}/{machine()}/{dtype}/{sources() if own else ''}"
    return cache_folder() / f"algorithms-{hashlib.sha256(parts.encode()).hexdigest()[:20]}.json"


Work = Callable[[int], list[Tensor]]
"""Runs forward and backward on this many images."""


@torch.no_grad()
def _trial(shape: Shape, batch: int, kernels: Kernels | None, dtype: torch.dtype) -> Trial:
    images = min(batch, max(TRIED_IMAGES, int(TRIED_MACS / shape.macs)))
    draw = torch.Generator().manual_seed(0)
    exact = torch.randn(images, shape.inputs, shape.size, shape.size, generator=draw)
    exact = exact.contiguous(memory_format=torch.channels_last)
    weight = torch.randn(shape.outputs, shape.inputs, shape.kernel, shape.kernel, generator=draw)
    weight = (weight / (shape.inputs * shape.kernel**2) ** 0.5).contiguous(memory_format=torch.channels_last)
    works: dict[Algorithm, Work] = {  # in float32 the first two are the same
        OWN[dtype]: lambda n: _forward_backward(shape, exact[:n], weight, dtype, dtype),
        Algorithm.FLOAT32: lambda n: _forward_backward(shape, exact[:n], weight, dtype, torch.float32),
    }
    if own := own_convolution(shape, kernels):
        own.freeze(weight, sys.maxsize, back=True)  # as in a network, though some have not room for all their weights
        works[Algorithm.FUSED] = lambda n: _fused(own, exact[:n], weight, dtype)
    works = _promising(works, min(FEW, images))
    right = _forward_backward(shape, exact, weight, torch.float32, torch.float32)
    for algorithm, work in list(works.items()):
        y, gradient = work(images)
        if not (_alike(y, right[0], WRONG_BEYOND[torch.float32]) and _alike(gradient, right[1], WRONG_BEYOND[dtype])):
            del works[algorithm]
    seconds = dict.fromkeys(works, float("inf"))
    usual = next((algorithm for algorithm in usual_algorithms(dtype) if algorithm in works), Algorithm.FLOAT32)
    for _ in range(DOUBTS):
        for _ in range(TRIES):
            for algorithm, work in works.items():
                seconds[algorithm] = min(seconds[algorithm], _timed(work, images))
        if best(seconds, usual_algorithms(dtype)) is usual:
            break
    return seconds


def _promising(works: dict[Algorithm, Work], images: int) -> dict[Algorithm, Work]:
    """The algorithms that are not hopeless on a few images. Only torch's bfloat16 can be: for some shapes it has no
    fast code and would take seconds."""
    if Algorithm.BFLOAT16 not in works:
        return works
    seconds = {algorithm: min(_timed(work, images) for _ in range(2)) for algorithm, work in works.items()}
    most = HOPELESS * min(seconds.values())
    return {name: work for name, work in works.items() if name is not Algorithm.BFLOAT16 or seconds[name] <= most}


def own_convolution(shape: Shape, kernels: Kernels | None) -> FusedConvolution | None:
    """The convolution of `kernels` for `shape`, if they have one."""
    if kernels is None or shape.inputs % LANES or shape.outputs % LANES:
        return None
    return kernels.convolution(shape.kernel, shape.stride)


def _timed(work: Work, images: int) -> float:
    began = time.perf_counter()
    work(images)
    return time.perf_counter() - began


def _forward_backward(
    shape: Shape, x: Tensor, weight: Tensor, between: torch.dtype, within: torch.dtype
) -> list[Tensor]:
    """The convolution's output, and the gradient of the input (for a stem: of the weight) that backward computes with
    that output as the gradient. `between`: the format of gradients between the layers; `within`: in the convolution."""
    padding = (shape.kernel - 1) // 2
    y = F.conv2d(x, weight, None, shape.stride, padding)
    image = shape.inputs > 3
    rest = (None, [shape.stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, [image, not image, False])
    gradients = torch.ops.aten.convolution_backward(y.to(between).to(within), x.to(within), weight.to(within), *rest)
    return [y, *(gradient.to(between) for gradient in gradients if gradient is not None)]


def _fused(own: FusedConvolution, x: Tensor, weight: Tensor, between: torch.dtype) -> list[Tensor]:
    y = own.forward(x, weight)
    return [y, own.backward(y.to(between), weight, x.shape)]


def _alike(own: Tensor, right: Tensor, bound: float) -> bool:
    return bool((own.float() - right).norm() <= bound * right.norm())
