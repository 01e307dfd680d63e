"""The committed WebAssembly is what the sources give, and no larger than a page can afford."""

from __future__ import annotations

import gzip
from pathlib import Path

from core.kernels.browser.build import BINARIES, OUT, build

MOST = 45_000
FILES = tuple(f"{name}.wasm.gz" for name in BINARIES)


def test_the_binaries_are_those_of_the_sources(tmp_path: Path) -> None:
    build(tmp_path)
    assert {file.name for file in OUT.iterdir()} == {file.name for file in tmp_path.iterdir()} == set(FILES)
    for name in FILES:
        # Compressed by another version of zlib, the same binary has other bytes.
        made, kept = (gzip.decompress((folder / name).read_bytes()) for folder in (tmp_path, OUT))
        assert made == kept, f"{name}: run `make wasm`"


def test_the_binaries_are_small() -> None:
    assert all((OUT / name).stat().st_size <= MOST for name in FILES)
