"""How fast a training goes, and so how long the rest will take."""

from __future__ import annotations

import math

from core.run.spec import RunSpec


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
