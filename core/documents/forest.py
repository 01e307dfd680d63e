"""The small figure of a verdict: each deciding difference with its interval on one axis, and the paper's below.

One SVG, which a page takes as it is and a file carries with its own colours. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from core.documents import templates
from core.studies.against import PaperDifference, signed, unit_in_words
from core.studies.verdicts import Compared, Criterion, Verdict

WIDTH, EDGE = 260.0, 14.0
ROW, MANY, AXIS = 11.0, 6, 16.0
"""Heights: of a comparison, of which more than MANY move closer together, and of the axis' numbers."""
STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Line:
    """A difference at height `y`: from `low` to `high` (None: no interval), all in pixels; `words` say it."""

    y: float
    x: float
    low: float | None
    high: float | None
    words: str


@dataclass(frozen=True)
class Ruler:
    """A scale from values to pixels that has 0 and all of `values` on it."""

    low: float
    high: float

    @classmethod
    def around(cls, values: Sequence[float]) -> Ruler:
        low, high = min([0.0, *values]), max([0.0, *values])
        room = 0.04 * (high - low or 1.0)
        return cls(low - room if low else low - room / 4, high + room)

    def at(self, value: float) -> float:
        return round(EDGE + (value - self.low) / (self.high - self.low) * (WIDTH - 2 * EDGE), 1)

    @property
    def ticks(self) -> list[float]:
        """At most three round numbers, or four where the ends just meet them."""
        power = 10.0 ** floor(log10(self.high - self.low))
        steps = [step * power * factor for factor in (0.1, 1.0) for step in STEPS]
        step = next(step for step in [*steps, 10 * power] if (self.high - self.low) / step < 3)
        first, last = -floor(-self.low / step), floor(self.high / step)
        return [round(step * place, 6) for place in range(first, last + 1)]


def forest(
    criterion: Criterion, verdict: Verdict | None, papers: Sequence[PaperDifference], *, alone: bool = False
) -> str:
    """The SVG; empty where there is nothing to draw. `verdict`: None for the paper's differences by themselves;
    `alone`: for a file of its own, with its own style sheet."""
    known = [c for c in verdict.comparisons if c.decides and c.difference] if verdict else []
    values = [value for c in known for value in _values(c)] + [row.value for row in papers]
    if not values:
        return ""
    margins = [-criterion.margin, criterion.margin] if criterion.rule == "within" else [criterion.margin]
    margins = [margin for margin in margins if margin]
    axis = Ruler.around([*values, *margins])
    step = ROW if len(known) <= MANY else ROW * MANY / len(known)
    ours = [_line(axis, compared, step * (place + 0.7)) for place, compared in enumerate(known)]
    below = step * len(known) + ROW * 0.7
    theirs = [
        Line(below, axis.at(row.value), None, None, f"the paper: {row.label}: {signed(row.value)}") for row in papers
    ]
    floor_at = below + ROW * 0.7 if theirs else step * len(known) + 3
    return templates.render(
        "core/documents/forest.svg.j2",
        alone=alone,
        width=WIDTH,
        height=round(floor_at + AXIS, 1),
        floor=round(floor_at, 1),
        zero=axis.at(0.0),
        margins=[axis.at(margin) for margin in margins],
        ticks=[(axis.at(tick), f"{tick:+g}".replace("-", "−") if tick else "0") for tick in axis.ticks],
        ours=ours,
        theirs=theirs,
        words=f"{verdict.words}; differences in {unit_in_words(verdict)}" if verdict else "the paper's differences",
    )


def _values(compared: Compared) -> list[float]:
    found = compared.difference
    assert found
    return [found.mean, *(end for end in (found.low, found.high) if end is not None)]


def _line(axis: Ruler, compared: Compared, y: float) -> Line:
    found = compared.difference
    assert found
    ends = [None if end is None else axis.at(end) for end in (found.low, found.high)]
    words = f"ours: {compared.label}: {signed(found.mean)}"
    if found.low is not None and found.high is not None:
        words += f" ({signed(found.low)} to {signed(found.high)})"
    words += f", n = {found.n}"
    return Line(round(y, 1), axis.at(found.mean), ends[0], ends[1], words)
