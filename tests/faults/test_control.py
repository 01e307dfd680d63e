"""Killed workers lose nothing here, and a database that several processes write stays whole."""

from __future__ import annotations

import pytest

from tests.faults.control import store
from tests.faults.torture import torture

pytestmark = pytest.mark.server


def test_killed_workers_lose_no_run() -> None:
    found = store(jobs=10, kills=3, seed=1)
    assert (found["lost"], found["doubled"]) == (0, 0), found


def test_a_tortured_database_is_whole() -> None:
    found = torture(3.0)
    assert (found["missing"], found["integrity"]) == (0, "ok") and found["committed"] > 100, found
