"""This machine's processor, its name and abilities. Another processor may sum in another order. Imports no torch."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
MAX_LENGTH = 200
SPACE_CORES = re.compile(r"\d{1,4}(\.\d+)?")


def processor(cpuinfo: Path = CPUINFO) -> str:
    """Its name, such as `AMD EPYC 9B14, family 25 model 17`; empty where the system does not say.

    Virtual machines shorten the name (`AMD EPYC`), so the numbers belong to it. On Linux both are in a file, except on
    ARM; elsewhere Python knows a name.
    """
    told = _told(cpuinfo)
    name = told.get("model name") or platform.processor() or platform.machine()
    if "cpu family" in told and "model" in told:
        name += f", family {told['cpu family']} model {told['model']}"
    return name[:MAX_LENGTH]


def abilities(cpuinfo: Path = CPUINFO) -> str:
    """Its instruction sets, as Linux lists them; empty elsewhere. A virtual machine may hide some of them."""
    told = _told(cpuinfo)
    return told.get("flags") or told.get("Features") or ""


def available_cores() -> int:
    """The cores that this process may use, which in a container can be fewer than the machine has.

    A Hugging Face Space says in CPU_CORES how many are its own; the system shows those of the whole machine.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("CPU_CORES", "") if "SPACE_ID" in os.environ else ""
    return min(cores, max(1, int(float(told)))) if SPACE_CORES.fullmatch(told) else cores


def _told(cpuinfo: Path) -> dict[str, str]:
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
