"""The picture of a headline: its two curves on one axis, their names and last values at the ends, and chance.

One SVG without colours of its own; the page's style sheet colours its classes. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.documents import templates
from core.documents.numbers import rounded
from core.studies.headline import Headline

WIDTH, HEIGHT = 400.0, 214.0
LEFT, RIGHT, TOP, BOTTOM = 34.0, 6.0, 8.0, 36.0
STEP = 0.1
"""The distance of two lines of the grid, as a share."""


@dataclass(frozen=True)
class Drawn:
    """A curve in pixels, and where its label stands."""

    kind: str
    points: str
    x: float
    y: float
    words: str


def curves(found: Headline, names: Sequence[str], chance: float) -> str:
    """The SVG. `names`: what trains on each side; `chance`: the accuracy of guessing (0..1)."""
    most = max(top1 for side in found.sides for _, top1 in side.curve)
    ceiling = STEP * (int(most / STEP) + 1)
    last = max(epoch for side in found.sides for epoch, _ in side.curve) or 1.0

    def x(epoch: float) -> float:
        return round(LEFT + epoch / last * (WIDTH - LEFT - RIGHT), 1)

    def y(share: float) -> float:
        return round(TOP + (1 - share / ceiling) * (HEIGHT - TOP - BOTTOM), 1)

    drawn = [
        Drawn(
            kind,
            " ".join(f"{x(epoch)},{y(top1)}" for epoch, top1 in side.curve),
            x(side.curve[-1][0]),
            y(side.curve[-1][1]),
            f"{name}: {rounded(side.top1)}",
        )
        for kind, side, name in zip(("first", "second"), found.sides, names, strict=True)
    ]
    ends = " and ".join(f"{name} from {rounded(side.curve[0][1])} to {rounded(side.top1)}"
                        for side, name in zip(found.sides, names, strict=True))  # fmt: skip
    ticks = [STEP * place for place in range(round(ceiling / STEP) + 1)]
    return templates.render(
        "core/documents/curves.svg.j2",
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        floor=y(0),
        grid=[(y(share), f"{share:.0%}") for share in ticks],
        epochs=[(x(last * part), f"{last * part:g}") for part in (0.0, 0.25, 0.5, 0.75, 1.0)],
        chance=y(chance),
        curves=drawn,
        words=f"Test accuracy over {found.epochs} epochs: {ends}. Guessing gives {chance:.0%}.",
    )
