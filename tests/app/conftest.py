"""An application over a real store on SQLite, and a run whose trainer has said a few things."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.live.feed import Feed
from app.server import make_app
from app.settings import Settings
from core.run.events import BINS, QUANTILES, Distribution, Point, Progress, Snapshot
from core.run.findings import Findings
from core.run.spec import RunSpec
from jobs.store.database import open_database
from jobs.store.records import Batch
from jobs.store.store import Store
from tests.events import analysed, finished, started

HERE = "http://127.0.0.1:7860"
"""The address of the site in tests: it answers under no name that is not this machine's."""
SPEC: dict[str, Any] = {
    "architecture": "resnet-14",
    "policy": "batchnorm",
    "dataset": "digits",
    "epochs": 2,
    "replicate": 0,
}


@pytest.fixture
def settings() -> Settings:
    return Settings(max_queued=5)


@pytest.fixture
def store(settings: Settings, make_database: Callable[[Path], None]) -> Iterator[Store]:
    make_database(settings.data / "onlybn.db")
    store = Store(open_database(settings.store_url))
    yield store
    store.close()


@pytest.fixture
def woken() -> list[str]:
    """The ids of the runs for which the workers got a hint."""
    return []


@pytest.fixture
def client(settings: Settings, store: Store, woken: list[str]) -> Iterator[TestClient]:
    app = make_app(settings, store, woken.append, lambda: {"policies": []})
    with TestClient(app, base_url=HERE, raise_server_exceptions=False) as client:
        yield client


def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run `coroutine` to its end, on a thread of its own.

    Playwright's loop keeps running in the thread of the tests between two browser tests, and a thread has one.
    """
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, coroutine).result()


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def feed(store: Store, clock: Clock) -> Feed:
    return Feed(store, now=clock)


@dataclass
class Trainer:
    """Claims the next run and says what a trainer would say."""

    store: Store

    def start(self, **fields: Any) -> tuple[str, str]:
        """A run that has just started: its id and its owner's token."""
        run, token = self.store.runs.submit(RunSpec.model_validate({**SPEC, **fields}))
        claimed = self.store.claims.take("worker")
        assert claimed is not None and claimed.id == run.id
        self.store.claims.record(run.id, 1, Batch(started=started(run.spec)))
        return run.id, token

    def say(self, run_id: str, *steps: int, snapshots: tuple[int, ...] = ()) -> None:
        """A train point for each of `steps`, snapshots, and progress."""
        points = tuple(
            Point(step=step, epoch=step / 12, split="train", loss=2.0 / (step + 1), top1=step / 100, lr=0.1)
            for step in steps
        )
        last = max((*steps, *snapshots))
        progress = Progress(step=last, total_steps=24, images_per_s=1234.5678, elapsed_s=1.5, eta_s=3.25)
        layers = len(RunSpec.model_validate(SPEC).plan.norms)
        batch = Batch(points=points, snapshots=tuple(snapshot(step, layers) for step in snapshots), progress=progress)
        assert self.store.claims.record(run_id, 1, batch) == "ok"

    def test(self, run_id: str, step: int, top1: float) -> None:
        """A test point."""
        point = Point(step=step, epoch=step / 12, split="test", loss=1.0, top1=top1)
        self.store.claims.record(run_id, 1, Batch(points=(point,)))

    def analyse(self, run_id: str) -> Findings:
        """The findings of the run, as it has just said them."""
        said = analysed(RunSpec.model_validate(SPEC))
        assert self.store.claims.record(run_id, 1, Batch(analysed=said)) == "ok"
        return said.findings

    def finish(self, run_id: str, top1: float = 0.75, seconds: float = 2.0, capsule: bytes | None = None) -> None:
        result = finished(RunSpec.model_validate(SPEC), top1, seconds=seconds)
        assert self.store.claims.finish(run_id, 1, result, capsule)


@pytest.fixture
def trainer(store: Store) -> Trainer:
    return Trainer(store)


def snapshot(step: int, layers: int) -> Snapshot:
    """γ of layer number l is l times in bin 1 + step, β once in the middle."""
    gamma = tuple(tuple(layer if i == 1 + step else 0 for i in range(BINS + 2)) for layer in range(layers))
    beta = tuple(tuple(int(i == BINS // 2 + 1) for i in range(BINS + 2)) for _ in range(layers))
    quantiles = tuple(tuple(0.5 for _ in QUANTILES) for _ in range(layers))
    return Snapshot(
        step=step,
        epoch=step / 12,
        gamma=Distribution(counts=gamma, quantiles=quantiles),
        beta=Distribution(counts=beta, quantiles=quantiles),
        disabled=tuple(layer + step for layer in range(layers)),
    )
