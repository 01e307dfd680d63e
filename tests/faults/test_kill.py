"""Real trainers and workers killed with SIGKILL: the run ends as if nothing had happened."""

from __future__ import annotations

import sys

import pytest

from tests.faults.kill import campaign


@pytest.mark.server
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_killed_runs_end_with_the_same_bits() -> None:
    for report in campaign(epochs=12):
        print(report)
        assert report.faults == []
