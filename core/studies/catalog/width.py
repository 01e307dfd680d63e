"""Width: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.paper import marks
from core.studies.axes import WIDTH
from core.studies.catalog.shared import PAPER_CIFAR, PHOTOGRAPHS, WIDE, digits
from core.studies.contrasts import steps
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "width",
    "Width",
    "Does a wider network learn more when only BatchNorm trains?",
    "With only γ and β trained, accuracy rises with width.",
    "Section 4; v1, main figure",
    WIDTH,
    Criterion("top1", "above", steps("batchnorm")),
    grids(
        {"policy": ("batchnorm",)},
        minutes=(digits(30), WIDE[:4], 3),
        evening=(PHOTOGRAPHS, WIDE[:3], 3),
        paper=(PAPER_CIFAR, WIDE, 5),
    ),
    (
        *marks("top1", {"batchnorm"}, {"wrn"}),
        *(m for m in marks("top1", {"batchnorm"}, {"resnet"}) if m.architecture == "resnet-14"),
    ),
    here="at each step from one width to the next",
)
