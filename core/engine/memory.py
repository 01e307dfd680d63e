"""How this process keeps memory: freed blocks stay with it, since the next training step needs the same again."""

from __future__ import annotations

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""glibc's numbers of these settings (malloc.h)."""
NEVER = 1 << 30


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
    return bool(mallopt(MMAP_THRESHOLD, NEVER)) and bool(mallopt(TRIM_THRESHOLD, NEVER))
