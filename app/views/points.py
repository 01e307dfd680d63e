"""The points of a run's curves as the live panels get them: of a long run only what a picture can show.

At the paper's scale a run has 60,000 train points, megabytes for each watcher of each run, on a chart some hundred
pixels wide. The downloads (`downloads.py`) have them all. Knows no store and no requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any, get_type_hints

from app.views.runs import short
from core.run.cost import point_stride
from core.run.events import Point
from core.run.spec import RunSpec

MAX_POINTS = 1500
EXTREMES = 4

KINDS: dict[str, Any] = {**get_type_hints(Point), "split": str}
"""What each column of the points holds, for the documentation of the API."""


class Thinning:
    """Thins the train points of one run to at most MAX_POINTS and one; test points and short runs pass as they are.

    The steps are cut into parts of the same length. Of a part remain the points at which loss and accuracy are least
    and greatest, so that no peak gets lost. They come with the first point after the part, and carry its id as their
    cursor: so cursors only grow, and as the parts follow from the spec alone, a new server makes the same of the same
    rows.
    """

    def __init__(self, spec: RunSpec) -> None:
        stride = point_stride(spec)
        expected = -(-spec.total_steps // stride)
        parts = max(1, MAX_POINTS // EXTREMES)
        self._steps = stride * -(-expected // parts) if expected > MAX_POINTS else None
        self._part: list[Point] = []
        self.newest = 0
        """The cursor after which to read on."""

    @property
    def thins(self) -> bool:
        """Whether train points are left out at all."""
        return self._steps is not None

    @property
    def latest(self) -> tuple[int, Point] | None:
        """The newest train point while its part is under way, to be shown until the part is sent."""
        return (self.newest, shortened(self._part[-1])) if self._part else None

    def add(self, points: Iterable[tuple[int, Point]]) -> list[tuple[int, Point]]:
        """What is to be sent now that `points`, the next ones in the order of their cursors, are known."""
        rows: list[tuple[int, Point]] = []
        for cursor, point in points:
            self.newest = cursor
            if self._steps is None or point.split != "train":
                rows.append((cursor, shortened(point)))
                continue
            if self._part and (self._part[0].step - 1) // self._steps != (point.step - 1) // self._steps:
                rows += self._close(_extremes(self._part), cursor)
            self._part.append(point)
        return rows

    def end(self) -> list[tuple[int, Point]]:
        """The rest, with the last point of all, of a run to which no point will come any more."""
        rest = _extremes(self._part) + self._part[-1:]
        return self._close(list({point.step: point for point in rest}.values()), self.newest + 1)

    def _close(self, points: Sequence[Point], cursor: int) -> list[tuple[int, Point]]:
        self._part = []
        return [(cursor, shortened(point)) for point in points]


def shortened(point: Point) -> Point:
    """`point` in as many digits as a picture can show."""
    return Point(*(short(value) if isinstance(value, float) else value for value in point))  # type: ignore[arg-type]


def _extremes(points: Sequence[Point]) -> list[Point]:
    """Where loss and accuracy are least and greatest, in the order of `points`."""
    if len(points) <= EXTREMES:
        return list(points)
    by_top1 = sorted(points, key=lambda point: point.top1)
    by_loss = sorted(points, key=lambda point: inf if point.loss is None else point.loss)
    wanted = {point.step for point in (by_loss[0], by_loss[-1], by_top1[0], by_top1[-1])}
    return [point for point in points if point.step in wanted]
