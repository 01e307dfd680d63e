"""MATLAB files as SciPy 1.17.1 writes them, and damaged ones."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from core.data.matlab import HEADER_BYTES, read_arrays

HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
X = bytes.fromhex(
    "0e00000048000000060000000800000009000000000000000500000010000000020000000200000003000000010000000100010058000000"
    "020000000c000000000603090107040a0208050b00000000"
)
"""`X`: the numbers 0 to 11 as uint8 of shape (2, 2, 3, 1), from scipy.io.savemat."""
Y = bytes.fromhex(
    "0e0000004000000006000000080000000600000000000000050000000800000002000000010000000100010079000000090000001000000000"
    "00000000002440000000000000 0840".replace(" ", "")
)
"""`y`: 10.0 and 3.0 as a column of float64."""


def packed(element: bytes) -> bytes:
    squeezed = zlib.compress(element)
    return (15).to_bytes(4, "little") + len(squeezed).to_bytes(4, "little") + squeezed


@pytest.mark.parametrize("content", [X + Y, packed(X) + packed(Y)], ids=["plain", "compressed"])
def test_arrays_by_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.mat").write_bytes(HEADER + content)
    found = read_arrays(tmp_path / "file.mat")
    assert found["X"].shape == (2, 2, 3, 1) and found["X"].flatten().tolist() == list(range(12))
    assert found["y"].tolist() == [[10.0], [3.0]]


@pytest.mark.parametrize("cut", [0, HEADER_BYTES - 1, HEADER_BYTES + 5, HEADER_BYTES + 40, -5])
@pytest.mark.parametrize("content", [X, packed(X)], ids=["plain", "compressed"])
def test_a_file_that_was_cut(content: bytes, cut: int, tmp_path: Path) -> None:
    (tmp_path / "file.mat").write_bytes((HEADER + content)[:cut])
    with pytest.raises(ValueError, match=r"file\.mat"):
        read_arrays(tmp_path / "file.mat")
