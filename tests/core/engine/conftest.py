"""The compiled kernels need a C compiler; without one these tests skip at home and fail in CI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.engine.compiled import compiled_kernels
from core.kernels.library import Uncompiled


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("CI"):
        return
    try:
        compiled_kernels()
    except Uncompiled as error:
        skip = pytest.mark.skip(reason=f"{error}; on Debian and Ubuntu: apt install gcc libc6-dev")
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(skip)
