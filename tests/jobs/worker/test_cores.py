"""How many trainings a worker begins, and with how many threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs import settings
from jobs.settings import WorkerSettings
from jobs.worker import cores
from jobs.worker.cores import Cores


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Four cores, no GPU."""
    for module in (cores, settings):
        monkeypatch.setattr(module, "available_cores", lambda: 4)
    monkeypatch.setattr(cores, "GPU", tmp_path / "nvidiactl")


def made(**fields: Any) -> Cores:
    return Cores(WorkerSettings(**fields))


@pytest.mark.parametrize(("waiting", "threads"), [(1, [4]), (2, [2, 2]), (3, [1, 1, 2]), (9, [1, 1, 1, 1])])
def test_those_that_wait_together_share_the_cores(waiting: int, threads: list[int]) -> None:
    free = made()
    taken = [free.take(waiting - i) for i in range(len(threads))]
    assert taken == threads and free.take(9) == 0 and free.idle == 0


def test_what_is_given_back_is_taken_by_the_next() -> None:
    free = made()
    assert [free.take(9) for _ in range(4)] == [1, 1, 1, 1]
    free.give(1)
    assert free.idle == 1 and free.take(5) == 1
    for _ in range(4):
        free.give(1)
    assert free.take(1) == 4


@pytest.mark.parametrize(
    ("fields", "threads"),
    [
        ({"slots": 1}, [4]),
        ({"slots": 2}, [2, 2]),
        ({"slots": 8}, [1] * 8),
        ({"slots": 3, "threads": 2}, [2, 2, 2]),
        ({"threads": 3}, [3]),
        ({"device": "cuda"}, [4]),
        ({"processes": 2}, [2]),
    ],
)
def test_what_is_set_is_kept_to(fields: dict[str, Any], threads: list[int]) -> None:
    free = made(**fields)
    assert [free.take(1) for _ in threads] == threads and free.take(1) == 0


def test_a_gpu_has_one_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "nvidiactl").touch()
    assert made().slots == 1 and made(device="cpu").slots == 4
