"""Does depth help other small parts, too?: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.paper import marks
from core.studies.axes import DEPTH
from core.studies.catalog.shared import PAPER_CIFAR, PHOTOGRAPHS, RESNETS, small
from core.studies.contrasts import steps
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "output-and-depth",
    "Output layer, shortcuts and depth",
    "Does a deeper network also learn more when its output layer and shortcuts train instead of BatchNorm?",
    "With only the output layer and the shortcuts trained, accuracy falls with depth.",
    "v1, main figure",
    DEPTH,
    Criterion("top1", "above", steps("output+shortcut", falling=True)),
    grids(
        {"policy": ("output+shortcut",)},
        minutes=(small(8_000, 4), RESNETS[:3], 5),
        evening=(PHOTOGRAPHS, RESNETS[:4], 3),
        paper=(PAPER_CIFAR, RESNETS, 5),
    ),
    marks("top1", {"output+shortcut"}, {"resnet"}),
    here="at each step from one depth to the next",
)
