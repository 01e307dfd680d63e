"""A worker verifies what a browser trained: with a real trainer, whose network is drawn anew and tested."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from core.run.edits import SurgeryRequest
from jobs.settings import WorkerSettings
from jobs.store.records import Run
from jobs.store.store import Store
from jobs.worker.supervisor import Supervisor
from tests.jobs.store.tabs.test_tabs import kept
from tests.tabs import SPEC, Sent, real

pytestmark = pytest.mark.training


def verified(store: Store, settings: WorkerSettings, sent: Sent) -> Run:
    """The run of `sent`, after a worker has had it."""
    run_id = kept(store, sent)
    run = store.claims.take("worker")
    assert run and run.id == run_id
    Supervisor(store, settings, threading.Event()).supervise(run, 1, "cpu")
    found = store.runs.get(run_id)
    assert found
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    return lambda: tmp_path_factory.mktemp("trained")


@pytest.mark.parametrize("policy", ["batchnorm", "random-2", "supermask-30"])
def test_a_sound_training_becomes_a_finished_run(
    lite: Store, settings: WorkerSettings, folder: Callable[[], Path], policy: str
) -> None:
    spec = SPEC.model_copy(update={"policy": policy})
    sent = real(folder(), spec)
    run = verified(lite, settings, sent)
    assert run.state == "finished" and run.claimed and run.result
    assert run.error_message is None
    assert run.result.top1 == pytest.approx(run.claimed.top1, abs=2 / spec.images[1])
    same = {"step", "epoch", "train_top1", "train_loss", "trainable", "digest", "seconds", "disabled"}
    assert run.result.model_dump(include=same) == run.claimed.model_dump(include=same)
    assert run.has_findings and lite.results.findings(run.id)
    assert lite.results.capsule(run.id) == sent.capsule
    points = lite.curves.points(run.id)
    assert [point.step for point in points if point.split == "test"] == [0, 4, 8]
    assert points[-1].top1 == run.result.top1
    assert [snapshot.step for snapshot in lite.curves.snapshots(run.id)] == [0, 4, 8]
    assert not (settings.runs_folder / run.id / "tab.safetensors").exists()
    assert lite.evaluations.submit(run.id, SurgeryRequest())[1]


def test_a_network_altered_after_its_test_is_no_result(
    lite: Store, settings: WorkerSettings, folder: Callable[[], Path]
) -> None:
    spec = SPEC.model_copy(update={"epochs": 12})
    run = verified(lite, settings, real(folder(), spec, gamma=-1.0))
    assert run.state == "failed" and run.error_kind == "unverified" and run.result is None and run.top1 is None
    assert run.error_message and run.error_message.startswith(
        "Not verified, so this is not a result: what the browser said is not what this server finds (test top-1: "
    )
    assert "rounding explains 2 at most, although a browser trained it" in run.error_message
    assert lite.results.capsule(run.id) is None


def test_frozen_weights_of_another_seed_are_no_result(
    lite: Store, settings: WorkerSettings, folder: Callable[[], Path]
) -> None:
    sent = real(folder())
    begin = sent.capsule.index(b'"frozen":"') + len(b'"frozen":"')
    other = Sent(sent.capsule[:begin] + b"0" * 64 + sent.capsule[begin + 64 :], sent.events)
    run = verified(lite, settings, other)
    assert run.error_kind == "unverified" and "frozen weights: NOT the seed's" in (run.error_message or "")


def test_a_capsule_that_is_gone_is_told(
    lite: Store, settings: WorkerSettings, folder: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(lite.tabs), "capsule", lambda *_: None)
    run = verified(lite, settings, real(folder()))
    assert run.error_message and "its capsule is no longer on this server" in run.error_message
