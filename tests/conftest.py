"""Fixtures and helpers that all tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("GOMP_SPINCOUNT", "5000")  # before torch is imported, as `python -m core train` does

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


@pytest.fixture(autouse=True)
def _clean_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test reads this machine's settings or writes into the project's data folder."""
    for name in list(os.environ):
        if name.startswith("ONLYBN_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ONLYBN_DATA", str(tmp_path / "data"))
    yield
