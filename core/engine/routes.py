"""In which way each convolution computes: the fastest that is right on this machine.

Some processors and shapes compute bfloat16 wrongly or many times slower (pytorch#183815, #163347, #169688), and whether
own convolutions pay depends on caches and registers. So each shape is tried once on a machine against torch's
convolution in float32, and what was found is kept, so that a seed gives the same bits again.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
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

from core.architectures.plan import Convolution, Plan
from core.engine.convolutions import LANES, FusedConvolution
from core.engine.kernels import Kernels
from core.engine.library import cache_folder, machine, sources
from core.files import write_atomically

TRIED_MACS, TRIED_IMAGES = 4e8, 16
"""Multiply-adds of the batch on which a shape is tried, a few milliseconds; and how many images it has at least."""
FEW = 4
"""Images on which it is seen first which ways are hopeless."""
TRIES = 5
HOPELESS = 4.0
"""A way that takes so many times the best one's time on a few images is not tried any further."""
WORTH = 1.1
"""How much faster the network must be with bfloat16 between the layers to have it there."""


class Way(StrEnum):
    """How a convolution computes: torch's in either format, or one of convolutions.py, in float32."""

    BFLOAT16 = "bf16"
    FLOAT32 = "fp32"
    FUSED = "fused"


COSTS = {Way.FUSED: 0.8, Way.BFLOAT16: 1.0, Way.FLOAT32: 1.0}
"""By what the seconds of a way are multiplied before they are compared: what is fused saves a norm layer's passes over
the data, a quarter of both on Zen 4, a tenth on Zen 5 (16 channels, `tests/benchmarks/README.md`), and writes less
memory on the way."""
CONVERTED = 1.1
"""The same for float32 between layers in bfloat16: something must be gained by it."""
OWN = {torch.bfloat16: Way.BFLOAT16, torch.float32: Way.FLOAT32}
"""The way that needs no conversion, by the format between the layers."""
HOW = {Way.FLOAT32: "in fp32", Way.FUSED: "in own kernels"}
"""The ways that can be exceptions, for people."""
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


Seconds = Mapping[Way, float]


@dataclass(frozen=True, slots=True)
class Trial:
    """Seconds of forward and backward of each way that is right, by the format between the layers."""

    bfloat16: Seconds
    float32: Seconds

    def costs(self, dtype: torch.dtype) -> dict[Way, float]:
        """What each way costs between layers of `dtype`."""
        seconds = self.bfloat16 if dtype == torch.bfloat16 else self.float32
        converted = CONVERTED if dtype == torch.bfloat16 else 1.0
        return {w: s * COSTS[w] * (converted if w is Way.FLOAT32 else 1.0) for w, s in seconds.items()}

    @property
    def half_is_faster(self) -> bool:
        """Whether torch is right in bfloat16 and faster than in float32."""
        return self.bfloat16.get(Way.BFLOAT16, float("inf")) < self.float32.get(Way.FLOAT32, 0.0)

    def best(self, dtype: torch.dtype) -> Way:
        costs = self.costs(dtype)
        return min(costs, key=costs.__getitem__)


@dataclass(frozen=True)
class Routes:
    """`dtype`: of what lies between the layers; `exceptions`: the shapes that compute in another way than its own;
    `halves`: those of them that torch computes faster in bfloat16."""

    dtype: torch.dtype
    exceptions: Mapping[Shape, Way] = field(default_factory=dict)
    halves: frozenset[Shape] = frozenset()

    def of(self, conv: Convolution) -> Way:
        return self.exceptions.get(Shape.of(conv), OWN[self.dtype])

    def torch_dtype(self, conv: Convolution) -> torch.dtype:
        """In which format torch computes its part of `conv`: all, or beside own kernels the weight's gradient."""
        way, half = self.of(conv), Shape.of(conv) in self.halves
        return torch.bfloat16 if way is Way.BFLOAT16 or (way is Way.FUSED and half) else torch.float32

    @property
    def words(self) -> str:
        """For people: `bf16`, `fp32`, `bf16 (convolution shapes: 3 in fp32, 2 in own kernels)`."""
        counts, own = Counter(self.exceptions.values()), OWN[self.dtype]
        told = [f"{counts[way]} {how}" for way, how in HOW.items() if counts[way]]
        return f"{own} (convolution shapes: {', '.join(told)})" if told else own


FLOAT32 = Routes(torch.float32)


def choose_routes(plan: Plan, batch: int, kernels: Kernels | None) -> Routes:
    """The routes of `plan` on this machine with this number of threads; from the cache if it knows all its shapes."""
    shapes = Counter(Shape.of(conv) for conv in plan.convolutions)
    return decide(shapes, _tried(list(shapes), batch, kernels))


def decide(shapes: Mapping[Shape, int], trials: Mapping[Shape, Trial]) -> Routes:
    """What the `trials` of each shape say for a network that has so many of each.

    Where no shape computes in bfloat16, nothing lies in it between the layers: only noise could make its conversions
    pay.
    """

    def routes(dtype: torch.dtype) -> dict[Shape, Way]:
        return {shape: trials[shape].best(dtype) for shape in shapes}

    def costs(dtype: torch.dtype) -> float:
        return sum(shapes[shape] * trials[shape].costs(dtype)[way] for shape, way in routes(dtype).items())

    dtype = torch.bfloat16
    if Way.BFLOAT16 not in routes(dtype).values() or costs(torch.float32) < WORTH * costs(dtype):
        dtype = torch.float32
    exceptions = {shape: way for shape, way in routes(dtype).items() if way != OWN[dtype]}
    halves = (shape for shape in exceptions if dtype == torch.bfloat16 and trials[shape].half_is_faster)
    return Routes(dtype, exceptions, frozenset(halves))


def _tried(shapes: list[Shape], batch: int, kernels: Kernels | None) -> dict[Shape, Trial]:
    """The trial of each shape, made now where the cache has none."""
    try:
        path = _cache_file(torch.__version__, torch.get_num_threads(), kernels is not None)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(path.with_suffix(".lock")):  # whoever comes second finds what the first one measured
            known = _read(path)
            missing = [shape for shape in shapes if shape.key not in known]
            if missing:
                known |= {shape.key: _trial(shape, batch, kernels) for shape in missing}
                rows = {key: [trial.bfloat16, trial.float32] for key, trial in known.items()}
                write_atomically(path, json.dumps(rows).encode())
    except (OSError, RuntimeError):  # nowhere to keep anything: no home, or one that is read-only
        return {shape: _trial(shape, batch, kernels) for shape in shapes}
    return {shape: known[shape.key] for shape in shapes}


def _read(path: Path) -> dict[str, Trial]:
    with suppress(OSError, ValueError, TypeError, AttributeError):
        rows = json.loads(path.read_bytes()).items()
        return {key: Trial(*({Way(way): s for way, s in told.items()} for told in row)) for key, row in rows}
    return {}


@cache
def _cache_file(torch_version: str, threads: int, own: bool) -> Path:
    parts = f"{torch_version}/{threads}/{machine()}/{sources() if own else ''}"
    return cache_folder() / f"routes-{hashlib.sha256(parts.encode()).hexdigest()[:20]}.json"


Work = Callable[[int], list[Tensor]]
"""A way there and back with so many images."""


@torch.no_grad()
def _trial(shape: Shape, batch: int, kernels: Kernels | None) -> Trial:
    images = min(batch, max(TRIED_IMAGES, int(TRIED_MACS / shape.macs)))
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(images, shape.inputs, shape.size, shape.size, generator=draw)
    x = x.contiguous(memory_format=torch.channels_last)
    weight = torch.randn(shape.outputs, shape.inputs, shape.kernel, shape.kernel, generator=draw)
    weight = (weight / (shape.inputs * shape.kernel**2) ** 0.5).contiguous(memory_format=torch.channels_last)
    half, half_weight = x.bfloat16(), weight.bfloat16()
    works: dict[tuple[torch.dtype, Way], Work] = {
        (torch.float32, Way.FLOAT32): lambda n: _there_and_back(shape, x[:n], weight),
        (torch.bfloat16, Way.FLOAT32): lambda n: [
            t.bfloat16() for t in _there_and_back(shape, half[:n].float(), weight)
        ],
        (torch.bfloat16, Way.BFLOAT16): lambda n: _there_and_back(shape, half[:n], half_weight),
    }
    if own := own_convolution(shape, kernels):
        own.freeze(weight, sys.maxsize, back=True)  # as in a network, though there is not room for all in every one
        works[torch.float32, Way.FUSED] = lambda n: _fused(own, x[:n], weight)
        works[torch.bfloat16, Way.FUSED] = lambda n: _fused(own, half[:n], weight)
    works = _promising(works, min(FEW, images))  # bfloat16 without instructions for it would take seconds
    right = _there_and_back(shape, x, weight)
    for key, work in list(works.items()):
        if not all(_alike(a, b, WRONG_BEYOND[key[0]]) for a, b in zip(work(images), right, strict=True)):
            del works[key]
    seconds = dict.fromkeys(works, float("inf"))
    for _ in range(TRIES):
        for key, work in works.items():
            seconds[key] = min(seconds[key], _timed(work, images))
    told: dict[torch.dtype, dict[Way, float]] = {torch.bfloat16: {}, torch.float32: {}}
    for (dtype, way), taken in seconds.items():
        told[dtype][way] = taken
    return Trial(told[torch.bfloat16], told[torch.float32])


def _promising(works: dict[tuple[torch.dtype, Way], Work], images: int) -> dict[tuple[torch.dtype, Way], Work]:
    """Those that are not hopeless with a few images; torch's float32, which all are compared with, always."""
    seconds = {key: min(_timed(work, images) for _ in range(2)) for key, work in works.items()}
    most = HOPELESS * min(seconds.values())
    return {key: work for key, work in works.items() if key[1] is Way.FLOAT32 or seconds[key] <= most}


def own_convolution(shape: Shape, kernels: Kernels | None) -> FusedConvolution | None:
    """That of `kernels`, if they have one for such layers."""
    if kernels is None or shape.inputs % LANES or shape.outputs % LANES:
        return None
    return kernels.convolution(shape.kernel, shape.stride)


def _timed(work: Work, images: int) -> float:
    began = time.perf_counter()
    work(images)
    return time.perf_counter() - began


def _there_and_back(shape: Shape, x: Tensor, weight: Tensor) -> list[Tensor]:
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
