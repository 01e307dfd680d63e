"""Whether a rebuilt network is the one that its capsule claims: its frozen weights, its answers, its loss.

Elsewhere, the sums of a convolution are rounded otherwise, so an image whose two best classes are nearly equal may get
another answer. How many may is a bound on images, not on a percentage of a small test set.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from core.network.builder import Network
from core.network.scores import Scores
from core.trained.capsule import Capsule, has_its_seeds_weights

TURNED, AT_LEAST = 0.002, 2
"""Rounding may turn this share of the answers, and this many in any case."""
LOSS = 0.01
"""The part of the loss that rounding may change."""
SAME_LOSS = 1e-5
"""The same machine gives the same answers; the loss may differ by this part, since versions of torch add it up
otherwise."""


@dataclass(frozen=True)
class Check:
    """One thing that was compared: whether it passes, and what was found, in words."""

    passed: bool
    words: str


def verified(capsule: Capsule, network: Network, scores: Scores, why: str | None) -> dict[str, Check]:
    """The checks of `network`, rebuilt from `capsule`, whose answers to all test images have these `scores`.

    `why`: how this machine differs from the one that trained it, in words; None if it does not.
    """
    told, images = capsule.result, capsule.spec.images[1]
    return {
        "frozen weights": _weights(capsule, network),
        "test top-1": _answers(told.top1, scores.top1, images, why),
        **({} if told.top5 is None else {"test top-5": _answers(told.top5, scores.top5, images, why)}),
        "test loss": _loss(told.loss, scores.loss, why),
    }


def _weights(capsule: Capsule, network: Network) -> Check:
    if has_its_seeds_weights(capsule, network):
        return Check(True, "identical to the seed's, to the last bit")
    if capsule.spec.draw == 1:
        return Check(
            True,
            "not the seed's to the last bit: version 1 of the draw is PyTorch's, which differs in the last bits (up to "
            "5e-7) with the processor and the version of torch; the predictions decide",
        )
    return Check(False, "NOT the seed's, although version 2 of the draw is the same on every machine")


def _answers(told: float, found: float, images: int, why: str | None) -> Check:
    stored, now = round(told * images), round(found * images)
    told_now = f"{now:,} of {images:,} images correct"
    if stored == now:
        return Check(True, f"{told_now}, as stored")
    turned = abs(stored - now)
    differs = f"{told_now}, {stored:,} stored: {turned:,} {'differs' if turned == 1 else 'differ'}"
    if why is None:
        return Check(False, f"{differs}, although this machine trained it")
    allowed = max(AT_LEAST, ceil(TURNED * images))
    if turned <= allowed:
        return Check(True, f"{differs}; rounding explains up to {allowed:,}, since {why}")
    return Check(False, f"{differs}; rounding explains {allowed:,} at most, although {why}")


def _loss(told: float | None, found: float | None, why: str | None) -> Check:
    if told == found:
        return Check(True, f"{found!r}, the same to the last digit")
    if told is None or found is None:
        return Check(False, f"{found!r}, stored {told!r}: one of them is not finite")
    allowed = SAME_LOSS if why is None else LOSS
    same = abs(found - told) <= allowed * abs(told)
    return Check(same, f"{found!r}, stored {told!r}: {'the same except for rounding' if same else 'DIFFERENT'}")
