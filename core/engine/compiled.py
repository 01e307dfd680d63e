"""The kernels in C on the tensors of torch: compiled at the first use on a machine, then kept in the user's cache.

Needs a C compiler with OpenMP (`cc`, or what the environment variable CC names), for a few seconds.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_int, c_long, c_uint32
from functools import cache
from pathlib import Path

import torch
from filelock import FileLock
from torch import Tensor

from core.engine import convolutions
from core.engine.arena import HEAP, Heap
from core.engine.convolutions import KERNELS_AND_STRIDES, LANES, FusedConvolution
from core.engine.kernels import STATISTICS, Affine, Applied, Found, Kept, Relu, Running
from core.engine.structures import KINDS, RELUS, Gradients, Norm, P, address
from core.processor import abilities, processor

FOLDER = Path(__file__).parent
SOURCES = ("kernels.c", "convolution.c", "winograd.c", "direct.c")
HEADERS = ("vectors.h", "norm.h", "convolution.h")
# No -ffast-math: NaN must stay NaN, and sums must be made in the order in which they are written.
FLAGS = ("-O3", "-march=native", "-fopenmp", "-fno-unswitch-loops", "-funroll-loops", "-fPIC")
COMPILE_TIMEOUT_S = 120
ARGUMENTS = {
    "onlybn_statistics": (c_int, P, c_long, c_long, P),
    "onlybn_apply": (c_int, P, c_long, c_long, P, P, P, c_int, P, P, P, c_uint32),
    "onlybn_sums": (c_int, c_long, c_long, P, P, P),
    "onlybn_input_gradient": (c_int, c_int, P, c_long, c_long, P, P, P, c_int, P, P),
}


class Uncompiled(Exception):
    """There are no compiled kernels on this machine; the message says why."""


@cache
def compiled_kernels() -> CompiledKernels:
    """The kernels of this machine, compiled if they are not in the cache. Raises Uncompiled."""
    return CompiledKernels(ctypes.CDLL(str(_library())))


def cache_folder() -> Path:
    """Where this user's programs keep what they can make again: `$XDG_CACHE_HOME/onlybn` or `~/.cache/onlybn`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "onlybn"


def machine() -> str:
    """What compiled code and measured times hold for."""
    return f"{platform.machine()}/{processor()}/{abilities()}"


def sources() -> str:
    """All that is compiled."""
    return "\n".join((FOLDER / file).read_text() for file in (*SOURCES, *HEADERS))


def _library() -> Path:
    """The shared library of this source, these flags, this compiler and this processor."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    parts = (sources(), " ".join(FLAGS), _run([*compiler, "--version"]), machine())
    name = f"kernels-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:20]}.so"
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(folder, os.W_OK):
            raise PermissionError
    except (OSError, RuntimeError):  # no home, or one that is read-only
        folder = Path(tempfile.mkdtemp(prefix="onlybn-"))
    library = folder / name
    if not library.exists():
        with FileLock(folder / "kernels.lock"):  # of several trainings that begin at once, one compiles
            if not library.exists():
                _compile(compiler, library)
    return library


def _compile(compiler: list[str], library: Path) -> None:
    with tempfile.TemporaryDirectory(dir=library.parent) as draft:
        made = [str(Path(draft) / f"{file}.o") for file in SOURCES]
        commands = [[*compiler, *FLAGS, "-c", str(FOLDER / f), "-o", o] for f, o in zip(SOURCES, made, strict=True)]
        with ThreadPoolExecutor() as side_by_side:
            list(side_by_side.map(_run, commands))
        whole = Path(draft) / library.name
        _run([*compiler, "-fopenmp", "-shared", *made, "-o", str(whole), "-lm"])
        whole.replace(library)  # whole or not at all


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise Uncompiled(f"the C compiler {command[0]} took longer than {COMPILE_TIMEOUT_S} seconds") from error
    except OSError as error:
        raise Uncompiled(f"no C compiler: {error}") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise Uncompiled(f"the C compiler failed: {next((line for line in lines if 'error' in line), lines[0])}")
    return done.stdout


def _pixels(images: Tensor) -> int:
    return images.numel() // images.shape[1]


class CompiledKernels:
    """core.engine.kernels.Kernels in C. A layer's channels must be a multiple of LANES."""

    name = "compiled"

    def __init__(self, library: ctypes.CDLL) -> None:
        for function, arguments in {**ARGUMENTS, **convolutions.ARGUMENTS}.items():
            getattr(library, function).argtypes = arguments
            getattr(library, function).restype = None
        self._library = library
        self._convolutions = {which: FusedConvolution(library, *which) for which in KERNELS_AND_STRIDES}

    def convolution(self, kernel: int, stride: int) -> FusedConvolution | None:
        return self._convolutions.get((kernel, stride))

    def statistics(self, y: Tensor, affine: Affine, running: Running, lean: bool = False, arena: Heap = HEAP) -> Tensor:
        out = arena.empty(STATISTICS, y.shape[1])
        norm = Norm.of(affine, running, lean, out)
        self._library.onlybn_statistics(KINDS[y.dtype], y.data_ptr(), _pixels(y), y.shape[1], ctypes.byref(norm))
        return out

    def apply(
        self,
        y: Tensor,
        statistics: Tensor,
        other: Tensor | None = None,
        other_statistics: Tensor | None = None,
        relu: bool = True,
        keep_signs: bool = False,
        lean_seed: int | None = None,
        in_place: bool = False,
        arena: Heap = HEAP,
    ) -> Applied:
        out = y if in_place else torch.empty_like(y)
        signs = arena.empty(y.numel() // LANES, dtype=torch.int16) if keep_signs else None
        kept = None if lean_seed is None else arena.images(y.shape, torch.int8)
        self._library.onlybn_apply(
            KINDS[y.dtype],
            y.data_ptr(),
            _pixels(y),
            y.shape[1],
            statistics.data_ptr(),
            address(other),
            address(other_statistics),
            relu,
            out.data_ptr(),
            address(signs),
            address(kept),
            (lean_seed or 0) & 0xFFFFFFFF,
        )
        return Applied(out, signs, kept)

    def sums(
        self,
        kept: Kept,
        gradient: Tensor,
        second: Tensor | None,
        relu: Relu,
        in_place: bool,
        other: Kept | None = None,
        arena: Heap = HEAP,
    ) -> Found:
        layer, found = Gradients.of(kept, second, relu, other, arena)
        self._library.onlybn_sums(
            KINDS[gradient.dtype],
            _pixels(gradient),
            gradient.shape[1],
            ctypes.byref(layer),
            gradient.data_ptr(),
            gradient.data_ptr() if in_place else None,
        )
        return found

    def input_gradient(self, kept: Kept, factors: Tensor, gradient: Tensor, relu: Relu, into: Tensor | None) -> Tensor:
        out = torch.empty_like(gradient) if into is None else into
        self._library.onlybn_input_gradient(
            KINDS[gradient.dtype],
            KINDS[kept.values.dtype],
            kept.values.data_ptr(),
            _pixels(gradient),
            gradient.shape[1],
            kept.statistics.data_ptr(),
            factors.data_ptr(),
            gradient.data_ptr(),
            RELUS[relu],
            address(kept.signs),
            out.data_ptr(),
        )
        return out
