"""What several questions share: the networks, and the settings of the three scales.

minutes: digits, or a part of Fashion-MNIST; evening: a tenth of the paper's epochs on CIFAR-10, or on a copy of it;
paper: the paper's nets, epochs and replicates on CIFAR-10 and ImageNet. The recipe is the paper's at every scale.
Imports no torch.
"""

from __future__ import annotations

from typing import Any

from core.catalog.presets import PRESETS
from core.studies.named import grids

RESNETS = tuple(f"resnet-{depth}" for depth in (14, 32, 56, 110, 218, 434, 866))
WIDE = tuple(f"wrn-14-{width}" for width in (1, 2, 4, 8, 16, 32))
COUPLES = dict(zip(RESNETS[1:6], WIDE[1:], strict=True))
"""Deep and wide networks with about the same number of γ and β (paper table 1): 2,464 and 2,240, ... 32,480 and
35,840."""
IMAGENET = tuple(f"imagenet-resnet-{depth}" for depth in (18, 34, 50, 101, 200))
RANDOMS = tuple(f"random-{k}" for k in (1, 2, 4, 8, 16))
SUBSETS = (
    "output",
    "shortcut",
    "output+shortcut",
    "batchnorm",
    "batchnorm+output",
    "batchnorm+shortcut",
    "batchnorm+output+shortcut",
    "all",
)
OURS = "not in the paper"
"""The source of a question of our own."""


# These functions give the fields that all runs of a study share at a scale.
def paper_setting(preset: str, dataset: str) -> dict[str, Any]:
    found = PRESETS[preset]
    recipe = {key: list(value) if isinstance(value, tuple) else value for key, value in found.recipe.items()}
    return {"dataset": dataset, "epochs": found.epochs, **({"recipe": recipe} if recipe else {})}


PAPER_CIFAR, PAPER_IMAGENET = paper_setting("paper-cifar", "cifar-10"), paper_setting("paper-imagenet", "imagenet")


def small(train: int, epochs: int, test: int = 2000) -> dict[str, Any]:
    """A part of Fashion-MNIST."""
    return {"dataset": "fashion-mnist", "epochs": epochs, "train_examples": train, "test_examples": test}


PHOTOGRAPHS = {"dataset": "cifar-10", "epochs": 16}
"""The paper's data set for a tenth of its epochs, the same for all that are compared."""


def digits(epochs: int) -> dict[str, Any]:
    return {"dataset": "digits", "epochs": epochs}


ALL_AND_BATCHNORM = grids(
    {"policy": ("batchnorm", "all")},
    minutes=(small(10_000, 11), RESNETS[:1], 3),
    evening=(PHOTOGRAPHS, RESNETS[2:3], 3),
    paper=(PAPER_CIFAR, RESNETS, 5),
)
"""The same runs answer three questions; they are trained once."""
