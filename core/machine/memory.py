"""The memory of this process: how much it may take, how much it has, and that freed blocks stay with it, since the next
training step needs the same again."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""glibc's numbers of these settings (malloc.h)."""
NEVER_TRIM, NEVER_MMAP = -1, 1 << 30
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux says what a container may take; `max` where that is everything."""
STATUS = Path("/proc/self/status")


def memory_bytes() -> int | None:
    """What this machine, or the container on it, has; None where it cannot be told. Not what is free: a run that is
    resumed must find the same."""
    found = []
    with suppress(OSError, ValueError, AttributeError):  # no such thing on Windows
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in LIMITS:
        with suppress(OSError, ValueError):
            found.append(int(path.read_text()))
    return min(found, default=None)


def used_bytes(status: Path = STATUS) -> tuple[int | None, int | None]:
    """What this process has in memory now, and had at most; None where the system does not say.

    Of Linux's file, because `getrusage` counts what the parent had, too.
    """
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None, None
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    now, most = (int(told[key].split()[0]) * 1024 if key in told else None for key in ("VmRSS", "VmHWM"))
    return now, max(now, most) if now and most else most  # the kernel counts the two a little apart


def keep_freed_memory() -> bool:
    """Ask glibc not to hand large blocks back to the system, which would clear them anew in every step.

    False where the C library is another one.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(MMAP_THRESHOLD, NEVER_MMAP)) and bool(mallopt(TRIM_THRESHOLD, NEVER_TRIM))
