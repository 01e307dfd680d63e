"""A question of the catalog in the words of its file, and the named study that it makes. Imports no torch.

The claim and the grids have the words of anybody's own question (`asked/`); what only the paper has is beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field

from core.catalog.model import Model
from core.catalog.paper import QUOTES, marks
from core.run.recipe import key_of
from core.studies.asked.claim import Claim
from core.studies.asked.words import GridWords, Values
from core.studies.axes import PLOTS
from core.studies.contrasts import criterion_of
from core.studies.matching import matching
from core.studies.named import Further, Grid, NamedStudy
from core.studies.optimisers import optimiser_share
from core.studies.records import QUANTITIES
from core.studies.spec import SCALES, Scale
from core.studies.tasks import kilobytes

OURS = "not in the paper"
"""The source of a question of our own."""
FURTHER: Mapping[str, Further] = {
    "matching": matching,
    "kilobytes": kilobytes,
    "optimiser-share": optimiser_share,
}
"""What a file may ask for beside its verdict: a number that no comparison gives."""


class MarksWords(Model):
    """Which of the paper's values to show, for the policies of the study: `families` or single `architectures`."""

    quantity: str = "top1"
    families: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    norms: tuple[str, ...] = ("uniform",)


class NamedWords(Model):
    """The file of a question. `source` is where the paper asks it; `own`: the question is ours; `checked`: whether
    somebody has compared the wording of the claim with the paper; `said`: the paper's difference where only its words
    have it. `figure`: how its results are drawn, one of PLOTS; `also`: further quantities in its tables. `vary` is
    shared by all scales, each of which has its own networks."""

    title: str
    question: str
    source: str = OURS
    own: bool = False
    checked: bool = True
    claim: Claim
    said: str = ""
    figure: Literal[*PLOTS]  # type: ignore[valid-type]
    also: tuple[key_of(QUANTITIES), ...] = ()  # type: ignore[valid-type]
    further: Literal[*FURTHER] | None = None  # type: ignore[valid-type]
    marks: tuple[MarksWords, ...] = ()
    quotes: tuple[Literal[*QUOTES], ...] = ()  # type: ignore[valid-type]
    vary: dict[str, Values] = Field({}, max_length=6)
    scales: dict[Scale, GridWords]

    def study(self, name: str) -> NamedStudy:
        """The named study of this file, called `name`."""
        policies = {str(policy) for policy in self.vary.get("policy", ())}
        return NamedStudy(
            name,
            self.title,
            self.question,
            self.claim.says,
            self.source,
            PLOTS[self.figure],
            criterion_of(self.claim),
            {scale: self._grid(self.scales[scale]) for scale in SCALES},
            tuple(
                mark
                for row in self.marks
                for mark in marks(row.quantity, policies, row.families, row.norms, row.architectures)
            ),
            tuple(QUOTES[quote] for quote in self.quotes),
            self.also,
            self._further(),
            self.claim.here,
            self.said,
            self.checked,
            self.own,
            self.claim,
        )

    def _grid(self, words: GridWords) -> Grid:
        return Grid(words.shared(), {**words.vary, **self.vary}, words.replicates)

    def _further(self) -> Callable[..., str] | None:
        return FURTHER[self.further] if self.further else None


def read(file: Path) -> NamedStudy:
    """The question in `file`, called like the file without its number: `04-random-k.yaml`. Raises ValidationError."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # our own file, so speed is all that differs
    return NamedWords.model_validate(yaml.load(file.read_text("utf-8"), loader)).study(name_of(file))


def name_of(file: Path) -> str:
    """`04-random-k.yaml` -> `random-k`"""
    return file.stem.partition("-")[2]
