"""How well a network answers: sums of loss and right answers over batches, and the means that they become."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class Scores(NamedTuple):
    """Mean loss, None where it is no finite number; the shares of examples whose label has the highest or one of the
    five highest logits."""

    loss: float | None
    top1: float
    top5: float


@dataclass(frozen=True)
class Mean:
    """Sums over the examples seen, from which means are computed: loss and correct answers."""

    loss: float = 0.0
    correct: int = 0
    correct5: int = 0
    seen: int = 0

    def __add__(self, other: Mean) -> Mean:
        return Mean(
            self.loss + other.loss,
            self.correct + other.correct,
            self.correct5 + other.correct5,
            self.seen + other.seen,
        )

    @property
    def scores(self) -> Scores:
        """The means over the examples seen, of which there must be at least one."""
        loss = self.loss / self.seen
        return Scores(loss if isfinite(loss) else None, self.correct / self.seen, self.correct5 / self.seen)


def summed_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy summed over the images; 0 where there are none."""
    return F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="sum")


@torch.no_grad()
def tally(logits: Tensor, labels: Tensor) -> Tensor:
    """A batch's summed cross-entropy, correct answers, and labels among the five highest; (3,) float64 on the device.

    Logits that are not all finite numbers are no answer.
    """
    best = logits.topk(min(5, logits.shape[1]), dim=1).indices
    answers = logits.isfinite().all(dim=1)
    correct = ((logits.argmax(dim=1) == labels) & answers).sum()
    correct5 = ((best == labels[:, None]).any(dim=1) & answers).sum()
    return torch.stack([summed_loss(logits, labels).double(), correct.double(), correct5.double()])


class Window:
    """Tallies of batches, summed on the device and read only when a mean is wanted (reading waits for a GPU)."""

    def __init__(self, device: torch.device, begin: Mean | None = None) -> None:
        begin = begin or Mean()
        self.sums = torch.tensor([begin.loss, begin.correct, begin.correct5], dtype=torch.float64, device=device)
        self.seen = begin.seen

    def add(self, sums: Tensor, images: int) -> None:
        """Add the `sums` that `tally` computed from `images` images."""
        self.sums += sums
        self.seen += images

    def mean(self) -> Mean:
        loss, correct, correct5 = self.sums.tolist()
        return Mean(loss, int(correct), int(correct5), self.seen)
