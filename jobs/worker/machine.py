"""What a worker reports about its machine, read from the system: cheap enough for every few seconds."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path

from core.machine.memory import memory_bytes
from core.machine.processor import available_cores, processor
from jobs.store.records import Machine

_processor = cache(processor)


def machine(folder: Path) -> Machine:
    """The machine as it is now; its free disk is that of `folder`, where everything is kept."""
    load = total = free = None
    with suppress(OSError, AttributeError):  # Windows has none
        load = round(os.getloadavg()[0], 2)
    with suppress(OSError):
        disk = shutil.disk_usage(folder)
        total, free = disk.total, disk.free
    return Machine(_processor(), available_cores(), load, memory_bytes(), total, free)
