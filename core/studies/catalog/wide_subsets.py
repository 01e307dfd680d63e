"""Which small parts of a wide network are worth training?: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.paper import marks
from core.studies.axes import BY_POLICY
from core.studies.catalog.shared import PAPER_CIFAR, PHOTOGRAPHS, SUBSETS, WIDE, digits
from core.studies.contrasts import policies
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "wide-subsets",
    "Subsets in wide networks",
    "Which small parts of a wide network are worth training?",
    "In wide networks, too, the output layer and the shortcuts add to BatchNorm.",
    "v1, main figure",
    BY_POLICY,
    Criterion(
        "top1", "above", policies("batchnorm+output+shortcut", ("batchnorm",), ("output+shortcut", "batchnorm+output"))
    ),
    grids(
        {"policy": SUBSETS},
        minutes=(digits(30), WIDE[1:2], 3),
        evening=(PHOTOGRAPHS, WIDE[1:2], 3),
        paper=(PAPER_CIFAR, WIDE, 5),
    ),
    marks("top1", set(SUBSETS), {"wrn"}),
)
