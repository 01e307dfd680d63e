"""What a training measures of itself: sums of loss and correct answers, and how fast it goes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from core.checkpoint import Mean
from core.spec import RunSpec


class Window:
    """Sums of loss and correct answers on the device, read only when a mean is wanted (reading waits for a GPU)."""

    def __init__(self, device: torch.device, begin: Mean | None = None) -> None:
        begin = begin or Mean()
        self.loss = torch.tensor(begin.loss, dtype=torch.float64, device=device)
        self.correct = torch.tensor(begin.correct, dtype=torch.int64, device=device)
        self.seen = begin.seen

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """`loss` is the mean over the batch."""
        self.loss += loss.detach().double() * len(labels)
        self.correct += (logits.detach().argmax(dim=1) == labels).sum()
        self.seen += len(labels)

    def mean(self) -> Mean:
        return Mean(float(self.loss), int(self.correct), self.seen)


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

    def eta_s(self, step: int) -> float | None:
        """Seconds to the end of the run; None before the first step was timed."""
        if not self.train_s:
            return None
        train, test = self.spec.images
        epochs_left = self.spec.epochs - step / self.spec.steps_per_epoch
        rest = epochs_left * train * self.train_s / self.train_images
        if self.test_images:
            rest += math.ceil(epochs_left) * test * self.test_s / self.test_images
        return round(rest, 1)
