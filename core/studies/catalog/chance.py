"""How accurate is a network in which nothing trains?: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from dataclasses import replace

from core.catalog.paper import marks
from core.studies.axes import DEPTH
from core.studies.catalog.shared import PAPER_CIFAR, PHOTOGRAPHS, RESNETS, small
from core.studies.contrasts import alone
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "chance",
    "Nothing trains",
    "How accurate is a network in which nothing trains?",
    "A random network in which nothing trains only guesses.",
    "v1, main figure",
    DEPTH,
    Criterion("over-chance", "within", alone("none"), margin=5.0),
    grids(
        {"policy": ("none",)},
        minutes=(small(2_000, 1), RESNETS[:3], 3),
        evening=({**PHOTOGRAPHS, "epochs": 1}, RESNETS[:4], 3),
        paper=({**PAPER_CIFAR, "epochs": 1}, RESNETS, 5),
    ),
    tuple(
        replace(mark, quantity="over-chance", value=round(mark.value - 10, 1), note="minus the 10% of guessing")
        for mark in marks("top1", {"none"}, {"resnet"})
    ),
    here="within 5 points of one divided by the number of classes",
)
