"""What the speed benchmark compares: the usual way to train, ours, and the bare convolutions. One process runs one.

    plain       as it is usually written: float32, NCHW, images opened and cut one by one by torchvision's transforms in
                a DataLoader, torch's own modules, frozen weights by requires_grad=False, the allocator as it is
    half        the same in channels-last memory and, by autocast, in bfloat16
    ours        what a launched run does; ours-fp32 has the recipe `precision=fp32`, ours-32-bits `lean=false`
    limit       only the convolutions that a step needs, as torch has them, in the faster format: forward, input
                gradients, weight gradients where weights train

All train on the same made-up images of CIFAR-10's shape.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "5000")  # as `python -m core train` does

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.data import batches as in_memory
from core.data.memory import Split
from core.engine.algorithms import Algorithm, Shape, native_format, try_shapes
from core.engine.fused import FusedNetwork
from core.machine.lifeline import die_with_launcher
from core.machine.memory import keep_freed_memory
from core.machine.part import ALONE
from core.network.freezing import draw_network
from core.run.spec import RunSpec
from core.training.learner import Learner

IMAGES = 12_800
BATCH = 128
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def spec_of(architecture: str, policy: str, **recipe: Any) -> RunSpec:
    return RunSpec.model_validate(
        {
            "architecture": architecture,
            "policy": policy,
            "dataset": "cifar-10",
            "epochs": 100,
            "train_examples": IMAGES,
            "recipe": {"batch_size": BATCH, **recipe},
        }
    )


def made_up() -> Split:
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (IMAGES, 3, 32, 32), dtype=torch.uint8, generator=draw)
    return Split(images, torch.randint(0, 10, (IMAGES,), generator=draw))


class Contender:
    """Steps of training. `step()` does one and returns how many seconds of it went into getting the images."""

    saved_bytes = 0
    words = ""

    def step(self) -> float:
        raise NotImplementedError


class Plain(Contender):
    """See the module; with `workers` processes that open images, `half` in channels-last bfloat16."""

    def __init__(self, architecture: str, policy: str, workers: int, *, half: bool = False) -> None:
        from PIL import Image
        from torchvision import transforms as T

        spec = spec_of(architecture, policy)
        cut = T.Compose(
            [T.RandomCrop(32, padding=4), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize(MEAN, DEVIATION)]
        )
        split = made_up()
        pixels, labels = split.images.permute(0, 2, 3, 1).numpy(), split.labels.tolist()

        class Pictures(torch.utils.data.Dataset[tuple[Tensor, int]]):
            def __len__(self) -> int:
                return IMAGES

            def __getitem__(self, index: int) -> tuple[Tensor, int]:
                return cut(Image.fromarray(pixels[index])), labels[index]

        self.loader = torch.utils.data.DataLoader(
            Pictures(), BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0
        )
        self.network, trainable = draw_network(spec)
        self.half = half
        if half:
            self.network = self.network.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(trainable.values(), 0.1, momentum=0.9, weight_decay=1e-4)
        self.network.train()
        self.stream = self._endless()
        formats = "channels-last bf16" if half else "fp32"
        self.words = f"torch modules, {formats}, {workers} loader processes"
        self.saved_bytes = self._saved()

    def _endless(self) -> Iterator[list[Tensor]]:
        while True:
            yield from self.loader

    def step(self) -> float:
        began = time.perf_counter()
        images, labels = next(self.stream)
        waited = time.perf_counter() - began
        self.optimizer.zero_grad()
        self._loss(images, labels).backward()
        self.optimizer.step()
        return waited

    def _loss(self, images: Tensor, labels: Tensor) -> Tensor:
        if self.half:
            images = _channels_last(images)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            logits = self.network(images)
        return F.cross_entropy(logits.float(), labels)

    def _saved(self) -> int:
        """Bytes that autograd keeps for backward, each storage once, without parameters and buffers."""
        images, labels = next(self.stream)
        own = {t.untyped_storage().data_ptr() for t in (*self.network.parameters(), *self.network.buffers(), images)}
        found: dict[int, int] = {}

        def pack(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                found[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            loss = self._loss(images, labels)
        total = sum(found.values())
        loss.backward()
        self.optimizer.zero_grad()
        return total


class Ours(Contender):
    """A Learner as a training has it, on images that lie in memory."""

    def __init__(self, architecture: str, policy: str, **recipe: Any) -> None:
        from pathlib import Path

        from core.network.group import Group

        keep_freed_memory()
        spec, split = spec_of(architecture, policy, **recipe), made_up()
        in_memory.load = lambda name, folder, copy: (split, split)  # type: ignore[attr-defined]
        self.learner = Learner(spec, Path(), torch.device("cpu"), Group(ALONE), Path())
        self.stream = self._endless()
        self.words = self.learner.engine.words

    def _endless(self) -> Iterator[tuple[Tensor, Tensor]]:
        epoch = 0
        while True:
            yield from self.learner.batches.train(epoch, 0)
            epoch += 1

    def step(self) -> float:
        began = time.perf_counter()
        images, labels = next(self.stream)
        waited = time.perf_counter() - began
        self.learner.train_step(images, labels, time.monotonic())
        if isinstance(self.learner.engine, FusedNetwork):
            self.saved_bytes = self.learner.engine.saved_bytes
        return waited


class Limit(Contender):
    """The convolutions of one step, on tensors that are there, in the format in which torch's own are the fastest."""

    def __init__(self, architecture: str, policy: str) -> None:
        keep_freed_memory()
        spec = spec_of(architecture, policy)
        _, trainable = draw_network(spec)
        trials = try_shapes(spec.plan, BATCH, None, native_format())
        fastest = {shape: min(trial, key=trial.__getitem__) for shape, trial in trials.items()}
        self.words = f"torch's convolutions, {' and '.join(sorted(set(fastest.values())))}"
        self.calls: list[Callable[[], object]] = []
        for conv in spec.plan.convolutions:
            dtype = torch.bfloat16 if fastest[Shape.of(conv)] is Algorithm.BFLOAT16 else torch.float32
            side = conv.size * conv.stride
            x = _channels_last(torch.randn(BATCH, conv.inputs, side, side).to(dtype))
            padding = (conv.kernel - 1) // 2
            weight = _channels_last(torch.randn(conv.outputs, conv.inputs, conv.kernel, conv.kernel).to(dtype))
            y = _channels_last(torch.randn(BATCH, conv.outputs, conv.size, conv.size).to(dtype))
            image, weighs = conv is not spec.plan.stem.convolution, f"{conv.name}.weight" in trainable
            self.calls.append(_convolution(x, weight, conv.stride, padding))
            if image or weighs:
                self.calls.append(_backward(y, x, weight, conv.stride, padding, image, weighs))

    @torch.no_grad()
    def step(self) -> float:
        for call in self.calls:
            call()
        return 0.0


def _channels_last(tensor: Tensor) -> Tensor:
    return tensor.contiguous(memory_format=torch.channels_last)


def _convolution(x: Tensor, weight: Tensor, stride: int, padding: int) -> Callable[[], object]:
    return lambda: F.conv2d(x, weight, None, stride, padding)


def _backward(
    y: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int, image: bool, weighs: bool
) -> Callable[[], object]:
    rest = (None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, [image, weighs, False])
    return lambda: torch.ops.aten.convolution_backward(y, x, weight, *rest)


CONTENDERS: dict[str, Callable[[str, str], Contender]] = {
    "plain": lambda a, p: Plain(a, p, 0),
    "plain-2": lambda a, p: Plain(a, p, 2),
    "half": lambda a, p: Plain(a, p, 0, half=True),
    "ours": Ours,
    "ours-fp32": lambda a, p: Ours(a, p, precision="fp32"),
    "ours-32-bits": lambda a, p: Ours(a, p, lean=False),
    "limit": Limit,
}


def main() -> None:
    """Answer each number N on a line of standard input with the seconds of N steps."""
    die_with_launcher()
    name, architecture, policy = sys.argv[1:4]
    contender = CONTENDERS[name](architecture, policy)
    assert not isinstance(contender, nn.Module)
    contender.step()
    print("ready", flush=True)
    for line in sys.stdin:
        steps, waited, began = int(line), 0.0, time.perf_counter()
        for _ in range(steps):
            waited += contender.step()
        told = {
            "seconds": time.perf_counter() - began,
            "waited": waited,
            "saved_bytes": contender.saved_bytes,
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10,
            "words": contender.words,
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
