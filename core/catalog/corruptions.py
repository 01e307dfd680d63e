"""Corruptions of test images: what each does, and how strong it is at each severity. Imports no torch.

They are definitions of our own, small and exact, and not those of ImageNet-C or CIFAR-10-C: numbers cannot be compared
with works that use these. `core/data/corruptions.py` computes them.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.catalog.registry import Registry

MILDEST, WORST = 1, 5
"""The least and the greatest severity of a corruption; severity 0 is the clean image."""


@dataclass(frozen=True)
class Corruption:
    """A corruption. `strengths`: one for each severity from 1 to 5; `strength` says what they measure."""

    name: str
    title: str
    strength: str
    strengths: tuple[float, float, float, float, float]

    def at(self, severity: int) -> float:
        """The strength at `severity`, 1..5."""
        return self.strengths[severity - 1]


CORRUPTIONS: Registry[Corruption] = Registry(
    "corruption",
    (
        Corruption(
            "gaussian-noise",
            "Gaussian noise",
            "standard deviation of the noise, as a share of the whole range",
            (0.04, 0.08, 0.12, 0.18, 0.26),
        ),
        Corruption(
            "blur",
            "Blur",
            "standard deviation of a Gaussian filter in pixels, divided by the root of the image’s height in pixels",
            (0.12, 0.16, 0.2, 0.28, 0.38),
        ),
        Corruption(
            "contrast",
            "Low contrast",
            "factor on each value’s distance from the mean of its image and channel",
            (0.75, 0.5, 0.4, 0.3, 0.15),
        ),
        Corruption(
            "brightness",
            "Brightness",
            "amount added to each value, as a share of the whole range",
            (0.1, 0.2, 0.3, 0.4, 0.5),
        ),
        Corruption(
            "rotation",
            "Rotation",
            "angle in degrees; a coin for each image says which way",
            (10.0, 20.0, 30.0, 45.0, 60.0),
        ),
    ),
)
