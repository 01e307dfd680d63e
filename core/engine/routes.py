"""In which number format each convolution computes: bfloat16 where it is correct and fast on this machine, or float32.

Some processors and shapes compute bfloat16 wrongly or many times slower (pytorch#183815, #163347, #169688). So each
shape is tried once on a machine against float32, and what was found is kept, so that a seed gives the same bits again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from filelock import FileLock
from torch import Tensor
from torch.nn import functional as F

from core.architectures.plan import Convolution, Plan
from core.engine.compiled import cache_folder, machine
from core.files import write_atomically

TRIED_MACS = 4e8
"""Multiply-adds of the batch on which a shape is tried; a few milliseconds."""
TRIES = 5
WRONG_BEYOND = 0.03
"""Norm of the difference to float32, relative; rounding to bfloat16 makes about 0.004 of it."""
FASTER = 1.2
"""How much faster float32 must be, with its conversions, to be taken for one convolution among others in bfloat16..."""
WORTH = 1.1
"""...and how much faster the network must be with bfloat16 to be computed with it."""


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


@dataclass(frozen=True, slots=True)
class Trial:
    """Seconds of forward and backward in each format; `mixed`: float32 between bfloat16. `sound`: bfloat16 is right."""

    bfloat16_s: float
    float32_s: float
    mixed_s: float
    sound: bool

    @property
    def in_float32(self) -> bool:
        return not self.sound or self.bfloat16_s > FASTER * self.mixed_s

    @property
    def best_s(self) -> float:
        return self.mixed_s if self.in_float32 else self.bfloat16_s


@dataclass(frozen=True)
class Routes:
    """`dtype`: of what lies between the layers; `exceptions`: shapes whose convolution computes in float32."""

    dtype: torch.dtype
    exceptions: frozenset[Shape] = field(default_factory=frozenset)

    def of(self, conv: Convolution) -> torch.dtype:
        return torch.float32 if Shape.of(conv) in self.exceptions else self.dtype

    @property
    def words(self) -> str:
        """For people: `bf16`, `fp32`, `bf16 (3 convolution shapes in fp32)`."""
        if self.dtype == torch.float32:
            return "fp32"
        count = len(self.exceptions)
        return f"bf16 ({count} convolution shape{'s' * (count > 1)} in fp32)" if count else "bf16"


FLOAT32 = Routes(torch.float32)


def choose_routes(plan: Plan, batch: int) -> Routes:
    """The routes of `plan` on this machine with this number of threads; from the cache if it knows all its shapes."""
    shapes = Counter(Shape.of(conv) for conv in plan.convolutions)
    return decide(shapes, _tried(list(shapes), batch))


def decide(shapes: Mapping[Shape, int], trials: Mapping[Shape, Trial]) -> Routes:
    """What the `trials` of each shape say for a network that has so many of each.

    Where no shape computes in bfloat16, neither does anything else: only noise could make its conversions pay.
    """
    if all(trials[shape].in_float32 for shape in shapes):
        return FLOAT32
    best = sum(count * trials[shape].best_s for shape, count in shapes.items())
    plain = sum(count * trials[shape].float32_s for shape, count in shapes.items())
    if plain < WORTH * best:
        return FLOAT32
    return Routes(torch.bfloat16, frozenset(shape for shape in shapes if trials[shape].in_float32))


def _tried(shapes: list[Shape], batch: int) -> dict[Shape, Trial]:
    """The trial of each shape, made now where the cache has none."""
    try:
        path = _cache_file(torch.__version__, torch.get_num_threads())
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(path.with_suffix(".lock")):  # whoever comes second finds what the first one measured
            known = _read(path)
            missing = [shape for shape in shapes if shape.key not in known]
            if missing:
                known |= {shape.key: _trial(shape, batch) for shape in missing}
                rows = {key: [t.bfloat16_s, t.float32_s, t.mixed_s, t.sound] for key, t in known.items()}
                write_atomically(path, json.dumps(rows).encode())
    except (OSError, RuntimeError):  # nowhere to keep anything: no home, or one that is read-only
        return {shape: _trial(shape, batch) for shape in shapes}
    return {shape: known[shape.key] for shape in shapes}


def _read(path: Path) -> dict[str, Trial]:
    with suppress(OSError, ValueError, TypeError):
        return {key: Trial(*row) for key, row in json.loads(path.read_bytes()).items()}
    return {}


@cache
def _cache_file(torch_version: str, threads: int) -> Path:
    parts = f"{torch_version}/{threads}/{machine()}"
    return cache_folder() / f"routes-{hashlib.sha256(parts.encode()).hexdigest()[:20]}.json"


@torch.no_grad()
def _trial(shape: Shape, batch: int) -> Trial:
    images = max(1, min(batch, int(TRIED_MACS / shape.macs)))
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(images, shape.inputs, shape.size, shape.size, generator=draw)
    x = x.contiguous(memory_format=torch.channels_last)
    weight = torch.randn(shape.outputs, shape.inputs, shape.kernel, shape.kernel, generator=draw)
    weight = (weight / (shape.inputs * shape.kernel**2) ** 0.5).contiguous(memory_format=torch.channels_last)
    half, half_weight = x.bfloat16(), weight.bfloat16()
    ways = {
        "bfloat16": lambda: _there_and_back(shape, half, half_weight),
        "float32": lambda: _there_and_back(shape, x, weight),
        "mixed": lambda: [t.bfloat16() for t in _there_and_back(shape, half.float(), weight)],
    }
    results, seconds = {}, dict.fromkeys(ways, float("inf"))
    for name, way in ways.items():
        results[name] = way()
    for _ in range(TRIES):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    sound = all(_alike(a, b) for a, b in zip(results["bfloat16"], results["float32"], strict=True))
    return Trial(seconds["bfloat16"], seconds["float32"], seconds["mixed"], sound)


def _there_and_back(shape: Shape, x: Tensor, weight: Tensor) -> list[Tensor]:
    """The convolution's output, and what backward makes of it as gradient of the input (for a stem: of the weight)."""
    padding = (shape.kernel - 1) // 2
    y = F.conv2d(x, weight, None, shape.stride, padding)
    image = shape.inputs > 3
    rest = (None, [shape.stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, [image, not image, False])
    gradients = torch.ops.aten.convolution_backward(y, x, weight, *rest)
    return [y, *(gradient for gradient in gradients if gradient is not None)]


def _alike(half: Tensor, whole: Tensor) -> bool:
    return bool((half.float() - whole).norm() <= WRONG_BEYOND * whole.norm())
