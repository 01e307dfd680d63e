"""A named study: a question, what it claims, the grids that we run for it, and what decides.

`catalog/table.py` has the table of them. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.catalog.paper import Mark, Quote
from core.studies.asked.claim import Claim, Value
from core.studies.axes import Plot
from core.studies.records import Record
from core.studies.spec import Scale, StudySpec
from core.studies.verdicts import Criterion

Further = Callable[[StudySpec, Sequence[Record]], str]


@dataclass(frozen=True)
class Grid:
    """What a study runs at one scale: shared fields, axes (dotted field -> values), and the number of replicates."""

    base: Mapping[str, Any]
    axes: Mapping[str, tuple[Value, ...]]
    replicates: int


@dataclass(frozen=True)
class NamedStudy:
    """One question. `source` is where the paper asks it; `marks` and `quotes` are the paper's own numbers.

    `claim` is one sentence of at most 16 words; `here` adds what exactly our test asks for.
    """

    name: str
    title: str
    question: str
    claim: str
    source: str
    plot: Plot
    criterion: Criterion
    grids: Mapping[Scale, Grid]
    marks: tuple[Mark, ...] = ()
    quotes: tuple[Quote, ...] = ()
    also: tuple[str, ...] = ()
    """Further quantities that its tables show."""
    further: Further | None = None
    """A number that no comparison gives, in a sentence."""
    here: str = ""
    said: str = ""
    """The paper's difference where only its words have it: `+0.5 to +2.0`, in points."""
    checked: bool = True
    """Whether somebody has compared the wording of the claim with the paper."""
    own: bool = False
    """Whether the question and the claim are ours, not the paper's."""
    asks: Claim | None = None
    """The claim in the words of its file."""

    def shown(self, scale: Scale) -> tuple[str, ...]:
        """The quantities in its tables; the one that decides comes first."""
        return tuple(dict.fromkeys((self.criterion.quantity_at(scale), "top1", "train", "disabled", *self.also)))
