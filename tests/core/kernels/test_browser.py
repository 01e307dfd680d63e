"""The committed WebAssembly is what the sources give, and no larger than a page can afford."""

from __future__ import annotations

import gzip
from pathlib import Path

from core.kernels.browser.build import BINARIES, OUT, build

MOST = 45_000


def test_the_binaries_are_those_of_the_sources(tmp_path: Path) -> None:
    build(tmp_path)
    for name in BINARIES:
        assert (tmp_path / name).read_bytes() == (OUT / name).read_bytes(), f"{name}: run `make wasm`"


def test_the_binaries_are_small() -> None:
    assert all(len(gzip.compress((OUT / name).read_bytes())) <= MOST for name in BINARIES)
