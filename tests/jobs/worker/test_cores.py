"""How many trainings a worker begins, and with how many threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs import settings
from jobs.settings import WorkerSettings
from jobs.worker import cores
from jobs.worker.cores import Cores, Share


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Four cores, no GPU."""
    for module in (cores, settings):
        monkeypatch.setattr(module, "available_cores", lambda: 4)
    monkeypatch.setattr(cores, "NODES", tmp_path)
    monkeypatch.delenv(cores.CHOSEN, raising=False)


def made(**fields: Any) -> Cores:
    return Cores(WorkerSettings(**fields))


def threads_of(free: Cores, waiting: int) -> int:
    """The threads that the next training gets; 0: it must wait."""
    share = free.take(waiting)
    return share.threads if share else 0


@pytest.mark.parametrize(("waiting", "threads"), [(1, [4]), (2, [2, 2]), (3, [1, 1, 2]), (9, [1, 1, 1, 1])])
def test_those_that_wait_together_share_the_cores(waiting: int, threads: list[int]) -> None:
    free = made()
    taken = [threads_of(free, waiting - i) for i in range(len(threads))]
    assert taken == threads and free.take(9) is None and free.idle == 0


def test_what_is_given_back_is_taken_by_the_next() -> None:
    free = made()
    assert [threads_of(free, 9) for _ in range(4)] == [1, 1, 1, 1]
    free.give(Share(1, "auto"))
    assert free.idle == 1 and threads_of(free, 5) == 1
    for _ in range(4):
        free.give(Share(1, "auto"))
    assert threads_of(free, 1) == 4


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
    assert [threads_of(free, 1) for _ in threads] == threads and free.take(1) is None


def gpus(folder: Path, number: int) -> None:
    for name in ("nvidiactl", "nvidia-uvm", *(f"nvidia{index}" for index in range(number))):
        (folder / name).touch()


def test_one_gpu_has_one_at_a_time(tmp_path: Path) -> None:
    gpus(tmp_path, 1)
    assert made().slots == 1 and made().take(1) == Share(4, "auto")
    assert made(device="cpu").slots == 4


def test_each_of_several_gpus_has_one(tmp_path: Path) -> None:
    gpus(tmp_path, 2)
    free = made()
    first, second = free.take(1), free.take(1)
    assert (first, second) == (Share(2, "auto:0"), Share(2, "auto:1")) and free.take(1) is None
    assert second
    free.give(second)
    assert free.take(1) == second, "the GPU that is free, not always the first"


def test_more_slots_than_gpus_share_them_evenly(tmp_path: Path) -> None:
    gpus(tmp_path, 2)
    free = made(slots=4, device="cuda")
    assert [share.device for _ in range(4) if (share := free.take(1))] == ["cuda:0", "cuda:1"] * 2


def test_one_of_several_gpus_may_be_named(tmp_path: Path) -> None:
    gpus(tmp_path, 2)
    assert made(device="cuda:1").slots == 1 and made(device="cuda:1").take(1) == Share(4, "cuda:1")


def test_processes_that_train_one_run_take_the_gpus_themselves(tmp_path: Path) -> None:
    gpus(tmp_path, 2)
    free = made(processes=2)
    assert free.take(1) == Share(2, "auto") and free.take(1) is None


@pytest.mark.parametrize(("chosen", "slots"), [("0", 1), ("1,3", 2), ("", 4), ("-1", 4)])
def test_only_visible_gpus_count(chosen: str, slots: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(tmp_path, 4)
    monkeypatch.setenv(cores.CHOSEN, chosen)
    assert made().slots == slots
