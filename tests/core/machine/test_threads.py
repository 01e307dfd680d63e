"""Where the threads of a training run: each on a core of its own, and the main thread on any."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

CORES = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
pytestmark = pytest.mark.skipif(CORES < 2, reason="needs Linux and two cores")

PROGRAM = """
import json, os
from pathlib import Path
from core.machine.threads import one_thread_a_core
threads = {threads}
with one_thread_a_core(threads) as let_main_go:
    import torch
    if threads:
        torch.set_num_threads(threads)
    let_main_go(lambda: torch.ones(1 << 20).add_(1))
torch.ones(1 << 20).add_(1)
allowed = [len(os.sched_getaffinity(int(task.name))) for task in Path("/proc/self/task").iterdir()]
print(json.dumps([len(os.sched_getaffinity(0)), allowed.count(1), "OMP_PROC_BIND" in os.environ]))
"""


def placed(threads: int | None, **settings: str) -> tuple[int, int, bool]:
    """How many cores the main thread may use, how many threads are bound to one, and whether the setting is left."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_"))}
    program = PROGRAM.format(threads=threads)
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment | settings, capture_output=True, text=True, check=True
    )
    free, bound, left = json.loads(done.stdout)
    return free, bound, left


@pytest.mark.parametrize("threads", [None, CORES])
def test_each_thread_of_all_has_a_core_and_the_main_one_is_free(threads: int | None) -> None:
    free, bound, left = placed(threads)
    assert free == CORES and bound >= CORES - 1 and not left


def test_fewer_threads_than_cores_go_where_there_is_room() -> None:
    """Two such trainings would else be bound to the same cores."""
    assert placed(1) == placed(None, OMP_NUM_THREADS="1") == (CORES, 0, False)
