"""The shared library of the kernels in C: compiled at the first use on a machine, then kept in the user's cache.

Compiling takes a few seconds and needs a C compiler with OpenMP (`cc`, or what the environment variable CC names).
Imports no torch, so that a worker can compile the library before the first run.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock

from core.machine.processor import abilities, processor

FOLDER = Path(__file__).parent
SOURCES = ("norm_kernels.c", "convolution.c", "winograd.c", "direct.c")
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
    """The machine for which compiled code and measured times are valid."""
    return f"{platform.machine()}/{processor()}/{abilities()}"


def sources() -> str:
    """The text of everything that is compiled."""
    return "\n".join((FOLDER / file).read_text() for file in (*SOURCES, *HEADERS))


def is_kept() -> bool:
    """Whether a library compiled now can be found again later. Makes the folder for it."""
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):  # no home, or one that is read-only
        return False
    return os.access(folder, os.W_OK)


def shared_library() -> Path:
    """The shared library for this source, these flags, this compiler and this processor, compiled if it is not in the
    cache. Raises Uncompiled."""
    try:
        compiler = shlex.split(os.environ.get("CC") or "cc")
    except ValueError as error:
        raise Uncompiled(f"the environment variable CC is not a command: {error}") from error
    parts = (sources(), " ".join(FLAGS), _run([*compiler, "--version"]), machine())
    name = f"kernels-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:20]}.so"
    folder = cache_folder() if is_kept() else Path(tempfile.mkdtemp(prefix="onlybn-"))
    path = folder / name
    if not path.exists():
        with FileLock(folder / "kernels.lock"):  # if several want it at once, one compiles
            if not path.exists():
                _compile(compiler, path)
    return path


def _compile(compiler: list[str], path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as draft:
        made = [str(Path(draft) / f"{file}.o") for file in SOURCES]
        commands = [[*compiler, *FLAGS, "-c", str(FOLDER / f), "-o", o] for f, o in zip(SOURCES, made, strict=True)]
        _run(*commands)
        whole = Path(draft) / path.name
        _run([*compiler, "-fopenmp", "-shared", *made, "-o", str(whole), "-lm"])
        whole.replace(path)  # whole or not at all


def _run(*commands: list[str]) -> str:
    """What the `commands` print; they run at the same time. Uses no threads: a process waits for them at its end."""
    running: list[subprocess.Popen[str]] = []
    try:
        for command in commands:
            pipe = subprocess.PIPE
            running.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, errors="replace"))
        return "".join(_output(process) for process in running)
    except OSError as error:
        raise Uncompiled(f"no C compiler: {error}") from error
    finally:
        for process in running:
            with process:  # closes its pipes
                process.kill()


def _output(process: subprocess.Popen[str]) -> str:
    try:
        out, errors = process.communicate(timeout=COMPILE_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise Uncompiled(f"the C compiler took longer than {COMPILE_TIMEOUT_S} seconds") from error
    if process.returncode:
        lines = errors.strip().splitlines() or ["no message"]
        raise Uncompiled(f"the C compiler failed: {next((line for line in lines if 'error' in line), lines[0])}")
    return out
