"""What the tests of jobs share beside fixtures: specs, waiting, states, threads."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from core.run.spec import RunSpec
from jobs.settings import WorkerSettings
from jobs.store.store import Store

Result = TypeVar("Result")
FAKE_TRAINER = (sys.executable, str(Path(__file__).with_name("fake_trainer.py")))


def fake_spec(name: str | None = None, **fields: object) -> RunSpec:
    """A small run; the fake trainer obeys the words of `name`."""
    words = {"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": 2, "name": name}
    return RunSpec.model_validate({**words, **fields})


def eventually(condition: Callable[[], object], seconds: float = 20.0) -> float:
    """Wait until `condition()` is true and return how long that took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            pytest.fail(f"did not happen within {seconds} s")
        time.sleep(0.02)
    return time.monotonic() - began


def states(store: Store, *ids: str) -> set[str]:
    """Those in which the runs are."""
    return {run.state for run in store.runs.many(ids).values()}


def trainer_of(settings: WorkerSettings, run_id: str) -> int:
    """The number of the process that trains the run, once there is one."""
    path = settings.runs_folder / run_id / "trainer.pid"
    eventually(lambda: path.exists() and path.read_text())
    return int(path.read_text())


def apart(work: Callable[[], Result]) -> Result:
    """`work()` in a thread of its own: in that of the tests, Playwright's loop may be running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def in_threads(number: int, work: Callable[[int], object]) -> None:
    """Run `work(0)`, `work(1)`, ... at once; the first exception of any is raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(number)

    def run(index: int) -> None:
        try:
            start.wait()
            work(index)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
