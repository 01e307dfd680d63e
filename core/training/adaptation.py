"""Adapts a trained network to corrupted test images without their labels: statistics, then γ and β by entropy.

The method is TENT's (Wang et al., ICLR 2021, 2006.10726): each batch is normalised by its own statistics, predicted,
and then γ and β make a step down the mean entropy of these predictions. One pass over the images; everything else is
frozen. All of it happens on a copy of the network.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from core.catalog.datasets import DataSet
from core.data.augmentation import normalise, pixels
from core.data.batches import Batches
from core.data.corruptions import corrupted
from core.draws.versions import drawn
from core.engine.choice import make_engine
from core.network.builder import Network
from core.network.freezing import draw_network
from core.network.scores import Window, tally
from core.run.adaptation import Adaptation, Adapted, Share, enough
from core.run.spec import RunSpec
from core.studies.statistics import wilson
from core.trained.evaluation import HELD_BYTES, Sample
from core.trained.progress import scaled
from core.training.learner import be_deterministic
from core.training.optimizers import OPTIMIZERS, Optimizer

STEP_PASSES = 3
"""What a step costs in forward passes, roughly; for the progress."""
Steps = Generator[float, None, tuple[Adapted, ...]]
Right = Generator[float, None, tuple[int, int, int]]
"""Yields how much is done; its result is how many images each of the three predictions got right."""


def adapting(network: Network, spec: RunSpec, batches: Batches, adaptation: Adaptation, images: int | None) -> Steps:
    """What `adaptation` gives for the trained `network` of `spec`, which stays as it is: the generator's result, a row
    for each corruption and severity. It yields how much is done, 0..1.

    `images`: look at this many test images, evenly spread; None: at all. Raises Misfit where they are too few.
    """
    be_deterministic()
    device = next(network.parameters()).device
    stream = ImageStream.of(batches, spec, images, adaptation.seed)
    enough(adaptation, len(stream.labels))
    copy = Adaptable(network, spec, device)
    rows: list[Adapted] = []
    for name, severity in adaptation.cells:
        steps = _predicting(copy, stream.corrupted(name, severity), spec.data, adaptation)
        right = yield from scaled(steps, len(rows), len(adaptation.cells))
        trained, statistics, by_entropy = (_share(number, len(stream.labels)) for number in right)
        rows.append(
            Adapted(
                corruption=name,
                severity=severity,
                images=len(stream.labels),
                trained=trained,
                statistics=statistics,
                entropy=by_entropy,
            )
        )
    return tuple(rows)


def _share(right: int, count: int) -> Share:
    low, high = wilson(right, count)
    return Share(share=right / count, low=low, high=high)


@dataclass(frozen=True)
class ImageStream:
    """Test images in the order in which they arrive: (N, C, H, W) uint8, (N,) int64, and their N numbers in the test
    set. `seed` is that of corruptions and order."""

    images: Tensor
    labels: Tensor
    numbers: tuple[int, ...]
    seed: int

    @classmethod
    def of(cls, batches: Batches, spec: RunSpec, images: int | None, seed: int) -> ImageStream:
        """`images` test images (None: all that fit into memory), evenly spread, in an order drawn from `seed`: a test
        set may be sorted by class, and a batch of one class has the statistics of that class."""
        held = HELD_BYTES // prod(spec.data.shape)
        most = min(batches.test_images, held)
        sample = Sample(batches, spec.plan, most if images is None else min(images, most))
        parts = [(pixels(part, spec.data), labels) for part, labels in sample]
        order = torch.from_numpy(drawn(2, seed, "corruption", "order").order(sample.count))
        values, labels = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        there = order.to(labels.device)
        return cls(values[there].contiguous(), labels[there], tuple(sample.numbers[order].tolist()), seed)

    def corrupted(self, name: str | None, severity: int) -> ImageStream:
        """The same images under a corruption; None: clean."""
        if name is None:
            return self
        images = corrupted(self.images, name, severity, self.numbers, self.seed)
        return ImageStream(images, self.labels, self.numbers, self.seed)

    def arriving(self, size: int, data: DataSet) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalised images and labels, `size` at a time. A single one at the end joins the batch before it, because
        it has no statistics of its own."""
        begins = list(range(0, len(self.labels), size))
        if len(self.labels) - begins[-1] == 1 and len(begins) > 1:
            begins.pop()
        for begin, end in zip(begins, [*begins[1:], len(self.labels)], strict=True):
            yield normalise(self.images[begin:end], data), self.labels[begin:end]


class Adaptable:
    """A copy of the trained `network` of `spec`, of which only γ and β may change: its running statistics do not
    either."""

    def __init__(self, network: Network, spec: RunSpec, device: torch.device) -> None:
        # Drawn again instead of copied: the modules of a run that several processes train wait for the others.
        copy, _ = draw_network(spec)
        copy.load_state_dict(network.state_dict())
        self.network = copy.requires_grad_(False).to(device).to(memory_format=torch.channels_last)
        for norm in spec.plan.norms:
            module = copy.get_submodule(norm.name).requires_grad_(True)
            module.momentum = 0.0  # type: ignore[assignment]
        self.affine = {name: p for name, p in copy.named_parameters() if p.requires_grad}
        self._trained = {name: p.detach().clone() for name, p in self.affine.items()}
        self.engine = make_engine(copy, spec, device)
        self.device = device

    def reset(self) -> None:
        """γ and β as trained."""
        for name, parameter in self.affine.items():
            parameter.data.copy_(self._trained[name])

    def as_trained(self, images: Tensor) -> Tensor:
        """Logits with the running statistics."""
        return self.engine.evaluate(images)

    @torch.no_grad()
    def with_statistics(self, images: Tensor) -> Tensor:
        """Logits with the statistics of `images`."""
        return self.engine.train(images, 0)

    def by_entropy(self, images: Tensor, optimizer: Optimizer, lr: float, step: int) -> Tensor:
        """Logits with the statistics of `images`; afterwards γ and β have made a step down their entropy."""
        optimizer.clear_gradients()
        logits = self.engine.train(images, step)
        entropy(logits).backward()
        optimizer.step(lr)
        return logits.detach()


def entropy(logits: Tensor) -> Tensor:
    """(N, classes) -> the mean over images of the entropy of the predicted distribution, in nats."""
    chances = logits.log_softmax(dim=1)
    return -(chances.exp() * chances).sum(dim=1).mean()


def _predicting(copy: Adaptable, seen: ImageStream, data: DataSet, adaptation: Adaptation) -> Right:
    copy.reset()
    optimizer = OPTIMIZERS[adaptation.optimizer](copy.affine, adaptation.recipe)
    trained, statistics, by_entropy = (Window(copy.device) for _ in range(3))
    whole, done = (2 + STEP_PASSES) * len(seen.labels), 0
    for images, labels in seen.arriving(adaptation.batch_size, data):
        trained.add(tally(copy.as_trained(images), labels), len(labels))
        statistics.add(tally(copy.with_statistics(images), labels), len(labels))
        done += 2 * len(labels)
        yield done / whole
    for step, (images, labels) in enumerate(seen.arriving(adaptation.batch_size, data)):
        logits = copy.by_entropy(images, optimizer, adaptation.lr, step)
        by_entropy.add(tally(logits, labels), len(labels))
        done += STEP_PASSES * len(labels)
        yield done / whole
    return trained.mean().correct, statistics.mean().correct, by_entropy.mean().correct
