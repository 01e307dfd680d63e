"""Which algorithm computes each convolution: our own kernels, or torch's in the processor's format, where that is right
and nothing else is clearly faster.

Some processors and shapes compute bfloat16 wrongly or many times slower (pytorch#183815, #163347, #169688), and whether
own convolutions pay depends on caches and registers. So each shape is tried once on a machine against torch's
convolution in float32, and what was found is kept. A seed must give the same bits again also where that was lost, or
is measured beside other work: so the format is the processor's (unless float32 is clearly faster for every shape), and
noise seldom makes an algorithm half as fast again as another one (`tests/benchmarks/algorithms.py`).
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
"""Multiply-adds of the batch on which a shape is tried, a few milliseconds; and how many images it has at least."""
FEW = 4
"""Images on which it is seen first which algorithms are hopeless."""
TRIES, DOUBTS = 5, 4
"""How often each algorithm is tried, and how many times as often where the usual one would not be taken."""
HOPELESS = 4.0
"""An algorithm that takes so many times the best one's time on a few images is not tried any further."""
CLEARLY = 1.5
"""How many times faster another one must be than the usual one to be taken in its place."""
NATIVE = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Abilities of a processor, as Linux calls them, any of which says that it computes in bfloat16 itself."""


class Algorithm(StrEnum):
    """How a convolution computes: torch's in either format, or one of convolutions.py, in float32."""

    BFLOAT16 = "bf16"
    FLOAT32 = "fp32"
    FUSED = "fused"


OWN = {torch.bfloat16: Algorithm.BFLOAT16, torch.float32: Algorithm.FLOAT32}
"""The algorithm that needs no conversion, by the format between the layers."""
HOW = {Algorithm.FLOAT32: "in fp32", Algorithm.FUSED: "in own kernels"}
"""The algorithms that can be exceptions, for people."""
WRONG_BEYOND = {torch.bfloat16: 0.03, torch.float32: 1e-4}
"""Norm of the difference to torch's float32, relative, by that format. Rounding to bfloat16 makes about 0.004 of it,
the sums of Winograd's form 2e-6."""


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
    """`dtype`: of what lies between the layers; `exceptions`: the shapes that another algorithm than its own computes;
    `halves`: those of them that torch computes faster in bfloat16."""

    dtype: torch.dtype
    exceptions: Mapping[Shape, Algorithm] = field(default_factory=dict)
    halves: frozenset[Shape] = frozenset()

    def of(self, conv: Convolution) -> Algorithm:
        return self.exceptions.get(Shape.of(conv), OWN[self.dtype])

    def torch_dtype(self, conv: Convolution) -> torch.dtype:
        """In which format torch computes its part of `conv`: all, or beside own kernels the weight's gradient."""
        algorithm, half = self.of(conv), Shape.of(conv) in self.halves
        in_half = algorithm is Algorithm.BFLOAT16 or (algorithm is Algorithm.FUSED and half)
        return torch.bfloat16 if in_half else torch.float32

    @property
    def words(self) -> str:
        """For people: `bf16`, `fp32`, `bf16 (convolution shapes: 3 in fp32, 2 in own kernels)`."""
        counts, own = Counter(self.exceptions.values()), OWN[self.dtype]
        told = [f"{counts[algorithm]} {how}" for algorithm, how in HOW.items() if counts[algorithm]]
        return f"{own} (convolution shapes: {', '.join(told)})" if told else own


FLOAT32 = Dispatch(torch.float32)


def native_format() -> torch.dtype:
    """What should lie between the layers on this processor: bfloat16 if it computes in that itself, which halves what
    is kept and moved."""
    return torch.bfloat16 if NATIVE & set(abilities().split()) else torch.float32


def choose_dispatch(plan: Plan, batch: int, kernels: Kernels | None) -> Dispatch:
    """That of `plan` on this machine with this number of threads; from the cache if it knows all its shapes."""
    dtype = native_format()
    return decide(try_shapes(plan, batch, kernels, dtype), dtype)


def decide(trials: Mapping[Shape, Trial], dtype: torch.dtype) -> Dispatch:
    """What the `trials` of a network's shapes, between layers of `dtype`, say for it.

    Where all would have to be converted to float32, nothing lies in bfloat16 between the layers.
    """
    chosen = {shape: best(trial, usual_algorithms(dtype)) for shape, trial in trials.items()}
    if set(chosen.values()) <= {Algorithm.FLOAT32}:
        return FLOAT32
    exceptions = {shape: algorithm for shape, algorithm in chosen.items() if algorithm != OWN[dtype]}
    halves = (shape for shape in exceptions if best(_of_torch(trials[shape]), (OWN[dtype],)) is Algorithm.BFLOAT16)
    return Dispatch(dtype, exceptions, frozenset(halves))


def usual_algorithms(dtype: torch.dtype) -> tuple[Algorithm, ...]:
    """What is taken between layers of `dtype`, the first that there is, unless another is clearly faster."""
    return Algorithm.FUSED, OWN[dtype]


def best(trial: Trial, usual: Sequence[Algorithm]) -> Algorithm:
    """The first of the `usual` algorithms that is right and to which no other is clearly faster; else the fastest."""
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
        with FileLock(path.with_suffix(".lock")):  # whoever comes second finds what the first one measured
            known = _read(path)
            missing = [shape for shape in shapes if shape.key not in known]
            if missing:
                known |= {shape.key: _trial(shape, batch, kernels, dtype) for shape in missing}
                write_atomically(path, json.dumps(known).encode())
    except (OSError, RuntimeError):  # nowhere to keep anything: no home, or one that is read-only
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
    return cache_folder() / f"routes-{hashlib.sha256(parts.encode()).hexdigest()[:20]}.json"


Work = Callable[[int], list[Tensor]]
"""Forward and backward of so many images."""


@torch.no_grad()
def _trial(shape: Shape, batch: int, kernels: Kernels | None, dtype: torch.dtype) -> Trial:
    images = min(batch, max(TRIED_IMAGES, int(TRIED_MACS / shape.macs)))
    draw = torch.Generator().manual_seed(0)
    exact = torch.randn(images, shape.inputs, shape.size, shape.size, generator=draw)
    exact = exact.contiguous(memory_format=torch.channels_last)
    weight = torch.randn(shape.outputs, shape.inputs, shape.kernel, shape.kernel, generator=draw)
    weight = (weight / (shape.inputs * shape.kernel**2) ** 0.5).contiguous(memory_format=torch.channels_last)
    x, own_weight = exact.to(dtype), weight.to(dtype)
    works: dict[Algorithm, Work] = {  # in float32 the first two are one
        OWN[dtype]: lambda n: _forward_backward(shape, x[:n], own_weight),
        Algorithm.FLOAT32: lambda n: [t.to(dtype) for t in _forward_backward(shape, x[:n].float(), weight)],
    }
    if own := own_convolution(shape, kernels):
        own.freeze(weight, sys.maxsize, back=True)  # as in a network, though there is not room for all in every one
        works[Algorithm.FUSED] = lambda n: _fused(own, x[:n], weight)
    works = _promising(works, min(FEW, images))
    right = _forward_backward(shape, exact, weight)
    for algorithm, work in list(works.items()):
        if not all(_alike(a, b, WRONG_BEYOND[dtype]) for a, b in zip(work(images), right, strict=True)):
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
    """Those that are not hopeless with a few images. Only torch's bfloat16 may be: for some shapes it has no fast code
    and would take seconds."""
    if Algorithm.BFLOAT16 not in works:
        return works
    seconds = {algorithm: min(_timed(work, images) for _ in range(2)) for algorithm, work in works.items()}
    most = HOPELESS * min(seconds.values())
    return {name: work for name, work in works.items() if name is not Algorithm.BFLOAT16 or seconds[name] <= most}


def own_convolution(shape: Shape, kernels: Kernels | None) -> FusedConvolution | None:
    """That of `kernels`, if they have one for such layers."""
    if kernels is None or shape.inputs % LANES or shape.outputs % LANES:
        return None
    return kernels.convolution(shape.kernel, shape.stride)


def _timed(work: Work, images: int) -> float:
    began = time.perf_counter()
    work(images)
    return time.perf_counter() - began


def _forward_backward(shape: Shape, x: Tensor, weight: Tensor) -> list[Tensor]:
    """The convolution's output, and what backward makes of it as gradient of the input (for a stem: of the weight)."""
    padding = (shape.kernel - 1) // 2
    y = F.conv2d(x, weight, None, shape.stride, padding)
    image = shape.inputs > 3
    rest = (None, [shape.stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, [image, not image, False])
    gradients = torch.ops.aten.convolution_backward(y, x, weight, *rest)
    return [y, *(gradient for gradient in gradients if gradient is not None)]


def _fused(own: FusedConvolution, x: Tensor, weight: Tensor) -> list[Tensor]:
    y = own.forward(x, weight)
    return [y, own.backward(y, weight, x.shape)]


def _alike(own: Tensor, right: Tensor, bound: float) -> bool:
    return bool((own.float() - right).norm() <= bound * right.norm())
