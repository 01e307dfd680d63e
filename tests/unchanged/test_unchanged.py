"""What the program does, seen from outside, is what was recorded. A change that is meant is recorded anew:

python -m tests.unchanged.record write tests/unchanged/recorded.json --only web
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unchanged.record import RECORDED, ROOT, differences, web

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def now() -> dict[str, Any]:
    return web(ROOT)


@pytest.mark.parametrize("part", ["openapi", "options", "counts", "addresses"])
def test_it_is_as_recorded(now: dict[str, Any], part: str) -> None:
    recorded = json.loads(RECORDED.read_text())
    assert not list(differences(recorded[part], now[part]))
