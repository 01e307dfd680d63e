"""Thinning: few points, every peak, and the same points however they come in."""

from __future__ import annotations

import math
import random

from app.views.points import MAX_POINTS, Thinning
from core.run.spec import RunSpec
from jobs.store.records import StoredPoint

PAPER = RunSpec.model_validate(
    {"architecture": "resnet-110", "policy": "batchnorm", "dataset": "cifar-10", "epochs": 160}
)
SHORT = RunSpec.model_validate({"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": 2})


def points(spec: RunSpec) -> list[StoredPoint]:
    """A noisy curve with a point at every step, and a test point after every epoch."""
    noise = random.Random(0)
    made = []
    for step in range(1, spec.total_steps + 1):
        loss = 2 * math.exp(-3 * step / spec.total_steps) + noise.random()
        epoch = step / spec.steps_per_epoch
        made.append(StoredPoint(0, step, epoch, "train", loss, 1 / (1 + loss), None, 0.1))
        if step % spec.steps_per_epoch == 0:
            made.append(StoredPoint(0, step, epoch, "test", loss, 1 / (1 + loss), 0.9, None))
    return [StoredPoint(100 + 3 * i, *[getattr(p, name) for name in p.__slots__[1:]]) for i, p in enumerate(made)]


def test_of_sixty_thousand_points_remain_what_a_chart_can_show() -> None:
    said = points(PAPER)
    thinning = Thinning(PAPER)
    rows = [*thinning.add(said), *thinning.end()]
    train = [row for row in rows if row[3] == "train"]
    assert len(said) > 62_000 and MAX_POINTS / 3 < len(train) <= MAX_POINTS + 1
    assert [row[1] for row in rows if row[3] == "test"] == [point.step for point in said if point.split == "test"]
    assert [row[1] for row in train] == sorted({row[1] for row in train}) and train[-1][1] == PAPER.total_steps
    losses = [point.loss for point in said if point.split == "train"]
    assert max(row[4] for row in train) == float(f"{max(losses):.5g}")
    assert min(row[4] for row in train) == float(f"{min(losses):.5g}")


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
    assert [row[:2] for row in rows] == [(point.id, point.step) for point in said]
    assert thinning.latest is None and thinning.end() == []
