"""How a trained network is adapted to test images without labels, and what that gave. Imports no torch.

Three predictions for the same stream of corrupted test images: of the network as trained; with the statistics of the
test batches in place of the running ones; and with these while γ and β descend the entropy of the predictions. So
TENT (Wang et al., ICLR 2021, 2006.10726; our reading). `core/training/adaptation.py` does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from core.catalog.corruptions import CORRUPTIONS, WORST
from core.catalog.model import Misfit, Model
from core.catalog.normalisation import Normalisation
from core.run.recipe import Recipe, key_of

if TYPE_CHECKING:
    from core.catalog.plan import Plan

FEWEST = 16
"""Test images that an adaptation looks at, at least."""
PASSES = 5
"""Forward passes that an image costs: one as trained, one with its batch's statistics, and about three for a step."""

CorruptionName = key_of(CORRUPTIONS)


class Adaptation(Model):
    """Adapt to `corruptions` × `severities`, each from the trained network anew, in one pass over the test images.

    An image is predicted before the step on its batch, so no prediction has seen its own image. Nothing but γ and β
    changes. The defaults are those of TENT for CIFAR-10, but for the batch (there 200).
    """

    corruptions: tuple[CorruptionName, ...] = Field(  # type: ignore[valid-type]
        tuple(CORRUPTIONS), max_length=len(CORRUPTIONS), description="Which corruptions."
    )
    severities: tuple[int, ...] = Field(
        (3,), max_length=WORST + 1, description="Severities from 1 to 5; 0: the clean images."
    )
    optimizer: Literal["adam", "sgd"] = Field("adam", description="Updates γ and β; momentum (or β1) is 0.9.")
    lr: float = Field(1e-3, gt=0, le=10, description="Its learning rate.")
    batch_size: int = Field(64, ge=2, le=1000, description="Test images that arrive together.")
    images: int | None = Field(
        None,
        ge=FEWEST,
        le=1_000_000,
        description="Look at this many test images, evenly spread; null: at as many as time allows.",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Of the corruptions’ noise and of the order of the images.")

    @model_validator(mode="after")
    def _is_a_grid(self) -> Adaptation:
        for field, values in (("corruptions", self.corruptions), ("severities", self.severities)):
            if not values:
                raise Misfit(field, f"{field} must have at least one value")
            if len(set(values)) < len(values):
                raise Misfit(field, f"{field} may have each value only once, got {', '.join(map(str, values))}")
        if wrong := [severity for severity in self.severities if not 0 <= severity <= WORST]:
            raise Misfit("severities", f"severities must be 0..{WORST}, got {wrong[0]}")
        if self.images is not None and self.images <= self.batch_size:
            raise Misfit("batch_size", _too_large(self.batch_size, self.images))
        return self

    @property
    def cells(self) -> list[tuple[str | None, int]]:
        """Each corruption at each severity; the clean images, which have none, come once and first."""
        clean: list[tuple[str | None, int]] = [(None, 0)] if 0 in self.severities else []
        return clean + [(name, severity) for name in self.corruptions for severity in self.severities if severity]

    @property
    def recipe(self) -> Recipe:
        """How γ and β are updated."""
        return Recipe(optimizer=self.optimizer, lr=self.lr, batch_size=self.batch_size, weight_decay=0.0)

    def macs(self, plan: Plan, images: int) -> int:
        """Multiply-adds that it takes on `images` test images."""
        return len(self.cells) * PASSES * images * plan.macs


class Share(Model):
    """`share` of right answers, 0..1, and its 95% interval (Wilson 1927) as a sample of all images of this kind."""

    share: float
    low: float
    high: float


class Adapted(Model):
    """What the three predictions got right, for one corruption at one severity, on `images` test images."""

    corruption: str | None = Field(description="Null: the clean images.")
    severity: int
    images: int
    trained: Share = Field(description="The network as trained, with its running statistics.")
    statistics: Share = Field(description="With the statistics of each test batch instead.")
    entropy: Share = Field(description="With these, and γ and β after a step of entropy minimisation a batch.")


PREDICTIONS = {
    "trained": "as trained",
    "statistics": "test statistics",
    "entropy": "and γ, β by entropy",
}
"""The three predictions of Adapted, in short words."""


def obstacle(normalisation: Normalisation) -> str | None:
    """Why a network with `normalisation` cannot be adapted; None: it can."""
    if normalisation.kind == "none":
        return "adaptation needs BatchNorm; this network normalises nothing, so it has no statistics to adapt"
    if normalisation.kind != "batch":
        return (
            f"adaptation needs BatchNorm; {normalisation.title} normalises each image by its own statistics, in tests "
            "as in training, so there are none of the training images to replace"
        )
    return None if normalisation.affine else "adaptation needs γ and β; this network’s norm layers have none"


def enough(adaptation: Adaptation, images: int) -> None:
    """Raises Misfit unless there is an image left to predict after the first step."""
    if images <= adaptation.batch_size:
        raise Misfit("batch_size", _too_large(adaptation.batch_size, images))


def _too_large(batch: int, images: int) -> str:
    return (
        f"batch_size must be below the {images} test images that are looked at, got {batch}: with a single batch, "
        "all are predicted before the first step"
    )
