"""`kernels.c` on the tensors of torch: compiled at the first use on a machine, then kept in the user's cache.

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
from ctypes import c_double, c_int, c_long, c_uint32, c_void_p
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from core.engine.kernels import STATISTICS, Affine, Applied, Kept, Relu, Running, Sums
from core.processor import abilities, processor

SOURCE = Path(__file__).with_name("kernels.c")
# No -ffast-math: NaN must stay NaN, and sums must be made in the order in which they are written.
FLAGS = ("-O3", "-march=native", "-fopenmp", "-fno-unswitch-loops", "-funroll-loops", "-shared", "-fPIC")
COMPILE_TIMEOUT_S = 120
LANES = 16
"""Channels that are handled together; a layer must have a multiple of it."""
KINDS = {torch.float32: 0, torch.bfloat16: 1, torch.int8: 2}
RELUS: dict[Relu, int] = {"none": 0, "recompute": 1, "mask": 2}
P = c_void_p
ARGUMENTS = {
    "onlybn_statistics": (c_int, P, c_long, c_long, P, P, P, c_double, c_double, P, P, c_int, P),
    "onlybn_apply": (c_int, P, c_long, c_long, P, P, P, c_int, P, P, P, c_uint32),
    "onlybn_sums": (c_int, c_int, P, c_long, c_long, P, P, P, c_int, P, P, P, P, P, P, P, P, P),
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


def _library() -> Path:
    """The shared library of this source, these flags, this compiler and this processor."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    parts = (SOURCE.read_text(), " ".join(FLAGS), _run([*compiler, "--version"]), machine())
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
        with tempfile.TemporaryDirectory(dir=folder) as draft:
            _run([*compiler, *FLAGS, str(SOURCE), "-o", str(Path(draft) / name), "-lm"])
            (Path(draft) / name).replace(library)  # whole or not at all, whoever else compiles it now
    return library


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Uncompiled(f"no C compiler: {error}") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise Uncompiled(f"the C compiler failed: {lines[0]}")
    return done.stdout


def _at(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _pixels(images: Tensor) -> int:
    return images.numel() // images.shape[1]


class CompiledKernels:
    """core.engine.kernels.Kernels in C. A layer's channels must be a multiple of LANES."""

    name = "compiled"

    def __init__(self, library: ctypes.CDLL) -> None:
        for function, arguments in ARGUMENTS.items():
            getattr(library, function).argtypes = arguments
            getattr(library, function).restype = None
        self._library = library

    def statistics(self, y: Tensor, affine: Affine, running: Running, lean: bool = False) -> Tensor:
        channels = y.shape[1]
        out = torch.empty(STATISTICS, channels)
        self._library.onlybn_statistics(
            KINDS[y.dtype],
            y.data_ptr(),
            _pixels(y),
            channels,
            _at(affine.gamma),
            _at(affine.beta),
            _at(affine.bias),
            running.eps,
            running.momentum,
            running.mean.data_ptr(),
            running.var.data_ptr(),
            lean,
            out.data_ptr(),
        )
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
    ) -> Applied:
        out = y if in_place else torch.empty_like(y)
        signs = torch.empty(y.numel() // LANES, dtype=torch.int16) if keep_signs else None
        kept = None if lean_seed is None else torch.empty_like(y, dtype=torch.int8)
        self._library.onlybn_apply(
            KINDS[y.dtype],
            y.data_ptr(),
            _pixels(y),
            y.shape[1],
            statistics.data_ptr(),
            _at(other),
            _at(other_statistics),
            relu,
            out.data_ptr(),
            _at(signs),
            _at(kept),
            (lean_seed or 0) & 0xFFFFFFFF,
        )
        return Applied(out, signs, kept)

    def sums(
        self, kept: Kept, gradient: Tensor, second: Tensor | None, relu: Relu, in_place: bool, other: Kept | None = None
    ) -> tuple[Sums, Sums | None]:
        channels = gradient.shape[1]
        own = Sums(torch.empty(channels), torch.empty(channels), torch.empty(3, channels))
        others = None if other is None else Sums(own.beta, torch.empty(channels), torch.empty(3, channels))
        self._library.onlybn_sums(
            KINDS[gradient.dtype],
            KINDS[kept.values.dtype],
            kept.values.data_ptr(),
            _pixels(gradient),
            channels,
            kept.statistics.data_ptr(),
            gradient.data_ptr(),
            _at(second),
            RELUS[relu],
            _at(kept.signs),
            gradient.data_ptr() if in_place else None,
            _at(other.values if other else None),
            _at(other.statistics if other else None),
            own.beta.data_ptr(),
            own.gamma.data_ptr(),
            own.factors.data_ptr(),
            _at(others.gamma if others else None),
            _at(others.factors if others else None),
        )
        return own, others

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
            _at(kept.signs),
            out.data_ptr(),
        )
        return out
