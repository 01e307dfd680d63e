"""The compiled kernels in vectors of both sizes. Without a C compiler these tests skip at home and fail in CI."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

import pytest

from core.engine.compiled import CompiledKernels, compiled_kernels
from core.kernels.library import FOLDER, SOURCES, Uncompiled
from core.machine.processor import abilities


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


@pytest.fixture(scope="module", params=["as compiled here", "in other vectors"])
def kernels(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CompiledKernels:
    """Vectors are of 16 values on processors with AVX-512, of 8 on others. Each can be tried on the other: AVX-512 need
    not be used, and without it the compiler takes vectors of 16 apart."""
    if request.param == "as compiled here":
        return compiled_kernels()
    library = tmp_path_factory.mktemp("other") / "other.so"
    other = ["-march=x86-64-v3"] if "avx512f" in abilities().split() else ["-march=native", "-DONLYBN_WIDE"]
    flags = ("-O1", *other, "-w", "-fopenmp", "-shared", "-fPIC")
    files = [str(FOLDER / file) for file in SOURCES]
    subprocess.run(["cc", *flags, *files, "-o", str(library), "-lm"], check=True)
    return CompiledKernels(ctypes.CDLL(str(library)))
