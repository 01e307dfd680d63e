"""The points of a run's curves as the live panels get them: of a long run only what a picture can show.

At the paper's scale a run has 60,000 train points, megabytes for each watcher of each run, on a chart some hundred
pixels wide. The downloads (`downloads.py`) have them all. Knows no store and no requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.views.runs import maybe_short, short
from core.run.cost import point_stride
from core.run.spec import RunSpec
from jobs.store.records import StoredPoint

MAX_POINTS = 1500
EXTREMES = 4

PointRow = tuple[int, int, float, str, float, float, float | None, float | None]
"""Cursor id, step, epoch, split, loss, top1, top5, lr."""


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
        self._part: list[StoredPoint] = []
        self.newest = 0
        """The id after which to read on."""

    @property
    def thins(self) -> bool:
        """Whether train points are left out at all."""
        return self._steps is not None

    @property
    def latest(self) -> PointRow | None:
        """The newest train point while its part is under way, to be shown until the part is sent."""
        return _row(self._part[-1], self.newest) if self._part else None

    def add(self, points: Iterable[StoredPoint]) -> list[PointRow]:
        """What is to be sent now that `points`, the next ones in the order of their ids, are known."""
        rows: list[PointRow] = []
        for point in points:
            self.newest = point.id
            if self._steps is None or point.split != "train":
                rows.append(_row(point, point.id))
                continue
            if self._part and (self._part[0].step - 1) // self._steps != (point.step - 1) // self._steps:
                rows += self._close(_extremes(self._part), point.id)
            self._part.append(point)
        return rows

    def end(self) -> list[PointRow]:
        """The rest, with the last point of all, of a run to which no point will come any more."""
        rest = _extremes(self._part) + self._part[-1:]
        return self._close(list({point.id: point for point in rest}.values()), self.newest + 1)

    def _close(self, points: Sequence[StoredPoint], cursor: int) -> list[PointRow]:
        self._part = []
        return [_row(point, cursor) for point in points]


def _extremes(points: Sequence[StoredPoint]) -> list[StoredPoint]:
    """Where loss and accuracy are least and greatest, in the order of `points`."""
    if len(points) <= EXTREMES:
        return list(points)
    by_loss, by_top1 = sorted(points, key=lambda point: point.loss), sorted(points, key=lambda point: point.top1)
    wanted = {point.id for point in (by_loss[0], by_loss[-1], by_top1[0], by_top1[-1])}
    return [point for point in points if point.id in wanted]


def _row(point: StoredPoint, cursor: int) -> PointRow:
    top5, lr = maybe_short(point.top5), maybe_short(point.lr)
    return (cursor, point.step, short(point.epoch), point.split, short(point.loss), short(point.top1), top5, lr)
