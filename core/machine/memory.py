"""The memory of this process: how much it may take, how much it has, and how it keeps freed blocks, because the next
training step needs the same blocks again."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""glibc's numbers for these settings (malloc.h)."""
NEVER_TRIM, NEVER_MMAP = -1, 1 << 30
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux says how much memory a container may take; `max` means no limit."""
STATUS = Path("/proc/self/status")


def memory_bytes() -> int | None:
    """The memory of this machine, or of the container on it; None if it is unknown.

    It is not the free memory, because a resumed run must find the same number.
    """
    found = []
    with suppress(OSError, ValueError, AttributeError):  # no such thing on Windows
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in LIMITS:
        with suppress(OSError, ValueError):
            found.append(int(path.read_text()))
    return min(found, default=None)


def used_bytes(status: Path = STATUS) -> tuple[int | None, int | None]:
    """The memory that this process has now, and its peak; None where the system does not say.

    It reads Linux's file, because `getrusage` counts the parent's memory, too.
    """
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None, None
    told = dict(line.split(":", 1) for line in lines if ":" in line)
    now, most = (int(told[key].split()[0]) * 1024 if key in told else None for key in ("VmRSS", "VmHWM"))
    return now, max(now, most) if now and most else most  # the kernel's two counts can differ a little


def keep_freed_memory() -> bool:
    """Ask glibc not to return large blocks to the system, which would clear them again in every step.

    Returns False if the C library is another one.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(MMAP_THRESHOLD, NEVER_MMAP)) and bool(mallopt(TRIM_THRESHOLD, NEVER_TRIM))
