"""What a training measures of itself: sums of loss and correct answers, and how fast it goes."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from core.run.spec import RunSpec
from core.training.checkpoint import Mean


def summed_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy summed over the images; 0 where there are none."""
    return F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="sum")


@torch.no_grad()
def tally(loss: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
    """Of a batch: summed loss, correct answers, and labels among the five highest; (3,) float64 on the device."""
    best = logits.topk(min(5, logits.shape[1]), dim=1).indices
    correct = (logits.argmax(dim=1) == labels).sum()
    return torch.stack([loss.double(), correct.double(), (best == labels[:, None]).sum().double()])


class Window:
    """Tallies of batches, summed on the device and read only when a mean is wanted (reading waits for a GPU)."""

    def __init__(self, device: torch.device, begin: Mean | None = None) -> None:
        begin = begin or Mean()
        self.sums = torch.tensor([begin.loss, begin.correct, begin.correct5], dtype=torch.float64, device=device)
        self.seen = begin.seen

    def add(self, sums: Tensor, images: int) -> None:
        """`sums` as `tally` makes them, of `images` images."""
        self.sums += sums
        self.seen += images

    def mean(self) -> Mean:
        loss, correct, correct5 = self.sums.tolist()
        return Mean(loss, int(correct), int(correct5), self.seen)


class Speed:
    """How fast steps and tests go, as moving averages, and so how long the rest will take."""

    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec
        self.train_s = self.test_s = 0.0
        self.train_images = self.test_images = 0.0

    def trained(self, seconds: float, images: int) -> None:
        self.train_s, self.train_images = 0.98 * self.train_s + seconds, 0.98 * self.train_images + images

    def tested(self, seconds: float, images: int) -> None:
        self.test_s, self.test_images = 0.98 * self.test_s + seconds, 0.98 * self.test_images + images

    @property
    def train_images_per_s(self) -> float:
        return self.train_images / self.train_s if self.train_s else 0.0

    def eta_s(self, step: int, untested: int = 0) -> float | None:
        """Seconds to the end of the run, with `untested` images left in the test under way.

        None before the first step was timed.
        """
        if not self.train_s:
            return None
        train, test = self.spec.images
        epochs_left = self.spec.epochs - step / self.spec.steps_per_epoch
        rest = epochs_left * train * self.train_s / self.train_images
        if self.test_images:
            rest += (math.ceil(epochs_left) * test + untested) * self.test_s / self.test_images
        return round(rest, 1)
