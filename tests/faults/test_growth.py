"""Machines that share no disk and are lost for good lose no run, and double none."""

from __future__ import annotations

import sys

import pytest

from tests.faults.growth import campaign, wrong
from tests.jobs.conftest import postgres_url, redis_url  # noqa: F401  # fixtures

pytestmark = [pytest.mark.server, pytest.mark.services]


@pytest.mark.skipif(sys.platform != "linux", reason="uses Linux's namespaces")
@pytest.mark.usefixtures("postgres_url", "redis_url")
def test_lost_machines_lose_no_run() -> None:
    (found,) = campaign([2], runs=10, real=1, epochs=20, every_s=5.0, most_kills=2)["arms"]
    print(found)
    assert not wrong(found), found
    assert found["kills"] >= 1 and found["checkpoints left"] == 0, found
