"""Thinning: few points, every peak, and the same points however they come in."""

from __future__ import annotations

import math
import random

from app.views.points import MAX_POINTS, Thinning
from core.run.events import Point
from core.run.spec import RunSpec

PAPER = RunSpec.model_validate(
    {"architecture": "resnet-110", "policy": "batchnorm", "dataset": "cifar-10", "epochs": 160}
)
SHORT = RunSpec.model_validate({"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": 2})


def points(spec: RunSpec) -> list[tuple[int, Point]]:
    """A noisy curve with a point at every step, and a test point after every epoch, with their cursors."""
    noise = random.Random(0)
    made = []
    for step in range(1, spec.total_steps + 1):
        loss = 2 * math.exp(-3 * step / spec.total_steps) + noise.random()
        epoch = step / spec.steps_per_epoch
        made.append(Point(step, epoch, "train", loss, 1 / (1 + loss), None, 0.1))
        if step % spec.steps_per_epoch == 0:
            made.append(Point(step, epoch, "test", loss, 1 / (1 + loss), 0.9, None))
    return [(100 + 3 * i, point) for i, point in enumerate(made)]


def test_of_sixty_thousand_points_remain_what_a_chart_can_show() -> None:
    said = points(PAPER)
    thinning = Thinning(PAPER)
    rows = [*thinning.add(said), *thinning.end()]
    train = [point for _, point in rows if point.split == "train"]
    assert len(said) > 62_000 and MAX_POINTS / 3 < len(train) <= MAX_POINTS + 1
    assert [p.step for _, p in rows if p.split == "test"] == [p.step for _, p in said if p.split == "test"]
    steps = [point.step for point in train]
    assert steps == sorted(set(steps)) and steps[-1] == PAPER.total_steps
    losses = [point.loss for _, point in said if point.split == "train"]
    assert max(point.loss for point in train) == float(f"{max(losses):.5g}")
    assert min(point.loss for point in train) == float(f"{min(losses):.5g}")


def test_the_same_rows_with_growing_cursors_however_they_come_in() -> None:
    said, whole, parts = points(PAPER), Thinning(PAPER), Thinning(PAPER)
    at_once = whole.add(said)
    size = random.Random(1)
    bit_by_bit = []
    while said:
        count = size.randrange(1, 900)
        bit_by_bit += parts.add(said[:count])
        said = said[count:]
    assert bit_by_bit == at_once and parts.end() == whole.end()
    cursors = [row[0] for row in at_once]
    assert cursors == sorted(cursors)


def test_a_short_run_passes_whole() -> None:
    said, thinning = points(SHORT), Thinning(SHORT)
    rows = thinning.add(said)
    assert [(cursor, point.step) for cursor, point in rows] == [(cursor, point.step) for cursor, point in said]
    assert thinning.latest is None and thinning.end() == []
