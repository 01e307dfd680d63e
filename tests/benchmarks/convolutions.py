"""How fast our convolutions are: against torch's, and what it saves to do norm layers on the way.

    python -m tests.benchmarks.convolutions                  # a minute
    python -m tests.benchmarks.convolutions --images 32 --turns 5 --dtype bfloat16

For each convolution of a CIFAR ResNet, in milliseconds, best of the turns, all ways turn by turn: torch's alone; ours
alone; ours with batch norm, ReLU and statistics (back: the norm layers' gradients) on the way; ours with the same in
passes of their own. Each way goes through as many tensors as do not fit in the caches, as in a network.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle

os.environ.setdefault("GOMP_SPINCOUNT", "5000")  # as `python -m core train` does

import torch
from torch import Tensor
from torch.nn import functional as F

from core.engine.compiled import CompiledKernels, compiled_kernels
from core.engine.values import Affine, Below, Kept, Running, Unapplied, Unfinished
from core.machine.memory import keep_freed_memory
from core.machine.processor import processor

LAYERS = [(16, 16, 3, 1, 32), (32, 32, 3, 1, 16), (64, 64, 3, 1, 8), (16, 32, 3, 2, 32), (32, 64, 3, 2, 16)]
LAYERS += [(16, 32, 1, 2, 32), (32, 64, 1, 2, 16)]
"""Inputs, outputs, kernel, stride, side of the input."""
TENSORS = 8
WAYS = ("torch", "ours", "on the way", "and passes")


def images(count: int, channels: int, side: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(count, channels, side, side).to(dtype, memory_format=torch.channels_last)


class Layer:
    """One convolution between two norm layers, and what each way does there and back."""

    def __init__(
        self, kernels: CompiledKernels, count: int, shape: tuple[int, int, int, int, int], dtype: torch.dtype
    ) -> None:
        inputs, outputs, kernel, stride, side = shape
        convolution = kernels.convolution(kernel, stride)
        assert convolution is not None
        self.kernels, self.own, self.stride, self.padding = kernels, convolution, stride, kernel // 2
        weight = torch.randn(outputs, inputs, kernel, kernel) / (kernel**2 * inputs) ** 0.5
        self.weight = weight.contiguous(memory_format=torch.channels_last)
        self.dtype, self.torch_weight = dtype, self.weight.to(dtype)
        self.norm = (Affine(torch.rand(outputs), torch.rand(outputs)), self._running(outputs))
        below = (Affine(torch.rand(inputs), torch.rand(inputs)), self._running(inputs))
        lower = [images(count, inputs, side) for _ in range(TENSORS)]
        self.below = cycle([Kept(x, kernels.statistics(x, *below)) for x in lower])
        upper = [images(count, outputs, side // stride) for _ in range(TENSORS)]
        self.above = cycle([Kept(y, kernels.statistics(y, *self.norm)) for y in upper])
        gradients = [images(count, outputs, side // stride, dtype) for _ in range(TENSORS)]
        self.gradients = cycle(gradients)
        self.factors = kernels.sums(next(self.above), gradients[0], None, "recompute", False).own.factors

    @staticmethod
    def _running(channels: int) -> Running:
        return Running(torch.zeros(channels), torch.ones(channels), 0.1, 1e-5)

    def there(self, way: str) -> None:
        below = next(self.below)
        x, statistics = below.values, below.statistics
        if way == "torch":
            F.conv2d(x, self.weight, None, self.stride, self.padding)
        elif way == "ours":
            self.own.forward(x, self.weight)
        elif way == "on the way":
            self.own.forward_to(Unapplied(x, statistics), self.weight, *self.norm, False)
        else:
            y = self.own.forward(self.kernels.apply(x, statistics).out, self.weight)
            self.kernels.statistics(y, *self.norm)

    def back(self, way: str) -> None:
        below, above, gradient = next(self.below), next(self.above), next(self.gradients)
        size = below.values.shape
        if way == "torch":
            sides = ([self.stride] * 2, [self.padding] * 2, [1, 1], False, [0, 0], 1, [True, False, False])
            torch.ops.aten.convolution_backward(gradient, below.values.to(self.dtype), self.torch_weight, None, *sides)
        elif way == "ours":
            self.own.backward(gradient, self.weight, size)
        elif way == "on the way":
            task = Unfinished(above, self.factors, gradient, "recompute")
            self.own.backward_to(task, self.weight, size, Below(below, "recompute"))
        else:
            finished = self.kernels.input_gradient(above, self.factors, gradient, "recompute", None)
            out = self.own.backward(finished, self.weight, size)
            self.kernels.sums(below, out, None, "recompute", False)


def milliseconds(works: dict[str, Callable[[], None]], turns: int) -> dict[str, float]:
    """Of each, the best of the turns, over TENSORS calls."""
    best = dict.fromkeys(works, float("inf"))
    for turn in range(turns):
        for name, work in works.items() if turn % 2 else reversed(works.items()):
            began = time.perf_counter()
            for _ in range(TENSORS):
                work()
            best[name] = min(best[name], 1e3 * (time.perf_counter() - began) / TENSORS)
    return best


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=128)
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"], help="of the gradients")
    arguments = parser.parse_args()
    keep_freed_memory()
    kernels = compiled_kernels()
    told = f"{torch.get_num_threads()} threads, torch {torch.__version__}, {arguments.images} images, {arguments.dtype}"
    print(f"{processor()}, {told}, ms")
    print(f"{'layer':<32}{'':<7}" + "".join(f"{way:>12}" for way in WAYS))
    for shape in LAYERS:
        inputs, outputs, kernel, stride, side = shape
        layer = Layer(kernels, arguments.images, shape, getattr(torch, arguments.dtype))
        for name, work in (("there", layer.there), ("back", layer.back)):
            found = milliseconds({way: partial(work, way) for way in WAYS}, arguments.turns)
            told = f"{kernel}x{kernel}, stride {stride}, {inputs} to {outputs}, {side}x{side}"
            print(f"{told:<32}{name:<7}" + "".join(f"{found[way]:>12.2f}" for way in WAYS), flush=True)


if __name__ == "__main__":
    main()
