"""How well a network answers: sums of loss and right answers over batches, and the means that they become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class Scores(NamedTuple):
    """Mean loss, and the shares of examples whose label has the highest or one of the five highest logits."""

    loss: float
    top1: float
    top5: float


@dataclass(frozen=True)
class Mean:
    """A sum over examples that becomes a mean: loss and correct answers."""

    loss: float = 0.0
    correct: int = 0
    correct5: int = 0
    seen: int = 0

    @property
    def scores(self) -> Scores:
        """As means over what was seen, which must not be nothing."""
        return Scores(self.loss / self.seen, self.correct / self.seen, self.correct5 / self.seen)


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
