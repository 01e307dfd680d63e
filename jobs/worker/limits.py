"""What a child process may do and know: its environment, its limits, and whether the system killed it for memory."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from core.catalog.datasets import DATASETS
from jobs.settings import WorkerSettings

SECRET = re.compile(
    r"SECRET|PASSW|TOKEN|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|(DATABASE|QUEUE|REDIS)_URL|ARTEFACTS|^PG"
)
"""What the name of an environment variable looks like that is none of a training's business."""
OPEN_FILES = 4096
OOM_SCORE = 500
"""Of 1000. Where memory runs out, the system kills a training before the worker and the web server."""
GIB = 1 << 30
CGROUP = Path("/sys/fs/cgroup")

logger = logging.getLogger("onlybn.supervisor")


def child_environment(settings: WorkerSettings) -> dict[str, str]:
    """The environment of a process that runs core: ours, without secrets.

    Folders of data sets are made absolute, since that process works in another folder.
    """
    ours = {key: value for key, value in os.environ.items() if not SECRET.search(key.upper())}
    for data in DATASETS.values():
        if data.variable and (named := ours.get(data.variable)):
            ours[data.variable] = str(Path(named).expanduser().absolute())
    return ours | {"ONLYBN_DATA": str(settings.data), "PYTHONUNBUFFERED": "1"}


def restrain(pid: int, settings: WorkerSettings) -> None:
    """Limit process `pid` and all that it will start: size of a file, open files and, if set, address space. Only Linux
    can limit another process."""
    if sys.platform != "linux":
        return
    import resource  # noqa: PLC0415 - Windows has none

    wanted = {resource.RLIMIT_FSIZE: int(settings.file_gb * GIB), resource.RLIMIT_NOFILE: OPEN_FILES}
    if settings.memory_gb is not None:
        wanted[resource.RLIMIT_AS] = int(settings.memory_gb * GIB)
    try:
        for what, most in wanted.items():
            _, hard = resource.prlimit(pid, what)
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(pid, what, (least, least))
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(OOM_SCORE))
    except (OSError, ValueError) as error:  # it has ended already, or a sandbox forbids it
        logger.warning("Process %d has no limits: %s", pid, error)


def oom_kills() -> int:
    """How many processes the system has killed because memory ran out: in our control group, or else in all."""
    counts = _numbers(_own_group() / "memory.events")
    if "oom_kill" not in counts:
        counts = _numbers(Path("/proc/vmstat"))
    return counts.get("oom_kill", 0)


def _own_group() -> Path:
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            if line.startswith("0::"):
                return CGROUP / line[3:].lstrip("/")
    return CGROUP


def _numbers(path: Path) -> Mapping[str, int]:
    """The numbers of a file with lines of a name and a number."""
    with suppress(OSError, ValueError):
        pairs = (line.split() for line in path.read_text().splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
    return {}
