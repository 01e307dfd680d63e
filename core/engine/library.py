"""The shared library of the kernels in C: compiled at the first use on a machine, then kept in the user's cache.

Needs a C compiler with OpenMP (`cc`, or what the environment variable CC names), for a few seconds. Imports no torch,
so that a worker can have it made before the first run.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from filelock import FileLock

from core.processor import abilities, processor

FOLDER = Path(__file__).parent
SOURCES = ("kernels.c", "convolution.c", "winograd.c", "direct.c")
HEADERS = ("vectors.h", "norm.h", "convolution.h")
# No -ffast-math: NaN must stay NaN, and sums must be made in the order in which they are written.
FLAGS = ("-O3", "-march=native", "-fopenmp", "-fno-unswitch-loops", "-funroll-loops", "-fPIC")
COMPILE_TIMEOUT_S = 120


class Uncompiled(Exception):
    """There are no compiled kernels on this machine; the message says why."""


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


def shared_library() -> Path:
    """The shared library of this source, these flags, this compiler and this processor, compiled if it is not in the
    cache. Raises Uncompiled."""
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
    path = folder / name
    if not path.exists():
        with FileLock(folder / "kernels.lock"):  # of several that want it at once, one compiles
            if not path.exists():
                _compile(compiler, path)
    return path


def _compile(compiler: list[str], path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as draft:
        made = [str(Path(draft) / f"{file}.o") for file in SOURCES]
        commands = [[*compiler, *FLAGS, "-c", str(FOLDER / f), "-o", o] for f, o in zip(SOURCES, made, strict=True)]
        with ThreadPoolExecutor() as side_by_side:
            list(side_by_side.map(_run, commands))
        whole = Path(draft) / path.name
        _run([*compiler, "-fopenmp", "-shared", *made, "-o", str(whole), "-lm"])
        whole.replace(path)  # whole or not at all


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
