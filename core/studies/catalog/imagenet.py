"""The ImageNet family: a question of the paper (see named.py). Imports no torch."""

from __future__ import annotations

from core.catalog.paper import QUOTES, marks
from core.studies.axes import DEPTH
from core.studies.catalog.shared import IMAGENET, PAPER_IMAGENET, PHOTOGRAPHS, small
from core.studies.contrasts import policies
from core.studies.named import NamedStudy, grids
from core.studies.verdicts import Criterion

STUDY = NamedStudy(
    "imagenet",
    "The ImageNet family",
    "Do large ImageNet networks also learn when only BatchNorm trains?",
    "γ and β also learn in large ImageNet networks.",
    "Section 4; abstract",
    DEPTH,
    Criterion("top1", "above", policies("batchnorm", ("random-2",)), by_scale={"paper": "top5"}),
    grids(
        {"policy": ("batchnorm", "random-2")},
        minutes=(small(5_000, 4), IMAGENET[:2], 3),
        evening=(PHOTOGRAPHS, IMAGENET[:3], 3),
        paper=(PAPER_IMAGENET, IMAGENET, 3),
    ),
    marks("top5", {"batchnorm"}, {"imagenet-resnet"}),
    (QUOTES["abstract"],),
    here="more than two random weights per channel",
)
