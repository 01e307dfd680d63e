"""A job of Slurm that is requeued while it trains goes on, on a cluster that this test makes."""

from __future__ import annotations

import sys

import pytest

from tests.faults.slurm import campaign
from tests.faults.slurm_cluster import missing
from tests.jobs.conftest import postgres_url, redis_url  # noqa: F401  # fixtures

pytestmark = [pytest.mark.server, pytest.mark.services, pytest.mark.training]


@pytest.mark.skipif(sys.platform != "linux" or missing() is not None, reason=missing() or "Slurm is for Linux")
@pytest.mark.usefixtures("postgres_url", "redis_url")
def test_a_requeued_job_goes_on() -> None:
    (report,) = campaign("scontrol", epochs=40)
    # On a busy machine Slurm's patience may end before the checkpoint is written; then the last one of every ten
    # seconds counts. The campaign (python -m tests.faults.slurm) is strict.
    assert not [fault for fault in report.faults if not fault.startswith("it lost ")], report
    assert report.seconds_lost <= 11 and report.starts_of_the_job == 2 and report.same_bits
