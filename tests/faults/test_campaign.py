"""The short form of the campaign: a few faults of the cheap kinds. `make faults` has all of them, in their numbers."""

from __future__ import annotations

import sys

import pytest

from tests.faults.campaign import cancels, checkpoints, kills, points, trainings
from tests.faults.campaign.report import Fault, Order

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]


@pytest.mark.parametrize(
    ("fault", "rounds"),
    [
        (kills.trainers, 5),
        (points.sqlite, 2),
        (checkpoints.mutations, len(checkpoints.CHANGES)),
        (cancels.fake, 4),
        (trainings.hung, 1),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_nothing_is_wrong_after(fault: Fault, rounds: int) -> None:
    report = fault(Order(rounds, seed=1))
    print(report)
    assert report.n > 0 and report.wrong == []
