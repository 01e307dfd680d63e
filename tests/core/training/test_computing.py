"""A run whose γ and β are computed, as a user would check it: what it says, the same bits, stops, and its capsule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from core.catalog.policy import trainable
from core.data.batches import batches
from core.network.freezing import draw_network
from core.run.events import Analysed, Event, Failed, Finished, Snapshot, Started, Stopped
from core.run.spec import RunSpec
from core.trained.capsule import read_capsule, rebuild
from core.training.computing import Computing
from core.training.loop import train
from tests.core.program import core, lines, start
from tests.core.training.test_loop import points, spec

pytestmark = pytest.mark.training


def computed(**changes: object) -> RunSpec:
    recipe = {"batch_size": 64, "lr": 0.05, "optimizer": "least-squares"}
    return spec(**{"architecture": "wrn-14-2", "recipe": recipe, **changes})


def stopping_after(steps: int) -> Callable[[], bool]:
    asked = iter(range(10**9))
    return lambda: next(asked) >= steps


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Event], Path]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("whole")
    return list(train(computed(), folder)), folder


def test_the_events_of_a_run(whole: tuple[list[Event], Path]) -> None:
    events, _ = whole
    run, started, finished = computed(), events[0], events[-1]
    assert isinstance(started, Started) and isinstance(finished, Finished)
    assert started.total_steps == run.total_steps == 10
    assert started.counts.trainable == finished.trainable == trainable(run.trains)
    assert [(p.split, p.step, p.epoch) for p in points(events)] == [("test", 0, 0), ("train", 10, 2), ("test", 10, 2)]
    first, learned, last = points(events)
    assert (finished.top1, finished.train_top1) == (last.top1, learned.top1)
    assert last.loss is not None and first.loss is not None and last.loss < first.loss
    snapshots = [event for event in events if isinstance(event, Snapshot)]
    assert [s.step for s in snapshots] == [0, 10] and snapshots[0].gamma != snapshots[1].gamma
    (analysed,) = (event for event in events if isinstance(event, Analysed))
    told = analysed.findings.computed
    assert told is not None and (told.teacher, told.images, len(told.layers)) == ("resnet-14", 300, 15)
    assert 0 < told.teacher_top1 < 1 and told.layers[0].used == 16 and told.layers[0].explained > 0.3


def test_the_teacher_is_the_run_of_its_own_spec(whole: tuple[list[Event], Path]) -> None:
    taught = computed().teacher
    assert taught is not None
    end = list(train(taught, analyses=False))[-1]
    told = next(event for event in whole[0] if isinstance(event, Analysed)).findings.computed
    assert isinstance(end, Finished) and told is not None
    assert (told.teacher_digest, told.teacher_top1) == (end.digest, end.top1)


def test_its_training_accuracy_is_that_of_the_network_on_all_training_images(whole: tuple[list[Event], Path]) -> None:
    plain = computed(recipe={"batch_size": 64, "optimizer": "least-squares", "augmentation": "none"})
    network, right = rebuild(read_capsule(whole[1] / "final.safetensors")), 0
    for images, labels in batches(plain, Path(), torch.device("cpu")).train(0, 0):
        right += int((network(images).argmax(1) == labels).sum())
    finished = whole[0][-1]
    assert isinstance(finished, Finished) and finished.train_top1 == pytest.approx(right / 300, abs=0.007)


def test_a_capsule_verifies_and_says_that_nothing_trained(whole: tuple[list[Event], Path]) -> None:
    file = whole[1] / "final.safetensors"
    verified = core("capsule", "verify", file)
    assert verified.returncode == 0 and "sound" in verified.stdout, verified.stdout
    assert "computed by least squares from resnet-14" in core("capsule", "show", file).stdout


def test_frozen_tensors_stay_to_the_bit_and_the_same_seed_gives_the_same_bits(tmp_path: Path) -> None:
    run = computed(epochs=1)
    computing = Computing(run, None, tmp_path, torch.device("cpu"), 1)
    ends = [list(computing.run(lambda: False, 1e9))[-1]]
    drawn, _ = draw_network(run)
    before, after = drawn.state_dict(), computing.network.state_dict()
    moved = {name for name in after if not torch.equal(before[name], after[name])}
    assert moved == set(computing.trainable) | {name for name in after if "running_" in name}
    ends += [list(train(other, analyses=False))[-1] for other in (run, computed(epochs=1, replicate=1))]
    digests = [end.digest for end in ends if isinstance(end, Finished)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("after", [0, 4, 9, 10, 12, 24])
def test_a_stopped_run_ends_with_the_same_bits(after: int, whole: tuple[list[Event], Path], tmp_path: Path) -> None:
    """Stopped while the teacher trains, and between the layers."""
    first = list(train(computed(), tmp_path, should_stop=stopping_after(after)))
    assert isinstance(first[-1], Stopped) and first[-1].step == min(after, 10)
    second = list(train(computed(), tmp_path, attempt=2))
    assert isinstance(second[0], Started) and second[0].resumed_from == min(after, 10)
    assert points(first) + points(second) == points(whole[0])
    assert _result(second[-1]) == _result(whole[0][-1])
    layers = [event.findings.computed for event in (*second, *whole[0]) if isinstance(event, Analysed)]
    assert len(layers) == 2 and layers[0] == layers[1]


def test_stopped_in_the_analyses_it_computes_nothing_anew(whole: tuple[list[Event], Path], tmp_path: Path) -> None:
    first = list(train(computed(), tmp_path, should_stop=stopping_after(25)))
    assert isinstance(first[-1], Stopped) and points(first) == points(whole[0])
    second = list(train(computed(), tmp_path, attempt=2))
    assert not points(second) and _result(second[-1]) == _result(whole[0][-1])
    (analysed,) = (event for event in second if isinstance(event, Analysed))
    assert analysed.findings.computed is not None and len(analysed.findings.computed.layers) == 15


def test_a_teacher_that_diverges_fails_the_run() -> None:
    recipe = {"batch_size": 16, "lr": 1e6, "optimizer": "least-squares"}
    failed = list(train(computed(epochs=40, recipe=recipe)))[-1]
    assert isinstance(failed, Failed) and failed.kind == "diverged" and "smaller lr" in failed.message


COMMAND = (
    *("train", "--architecture", "wrn-14-1", "--policy", "batchnorm", "--dataset", "digits", "--epochs", "60"),
    *("--set", "optimizer=least-squares", "--no-analysis", "--threads", "1", "--events", "-"),
)


def test_a_killed_run_goes_on_with_its_teacher_to_the_same_bits(tmp_path: Path) -> None:
    first = start(*COMMAND, "--out", tmp_path / "killed")
    assert first.stdout
    for line in first.stdout:
        if '"checkpointed"' in line:
            first.kill()
            break
    first.communicate(timeout=60)
    assert first.returncode == -9
    resumed = lines(core(*COMMAND, "--out", tmp_path / "killed").stdout)
    whole = lines(core(*COMMAND, "--out", tmp_path / "whole").stdout)
    assert 0 < resumed[0]["resumed_from"] < resumed[0]["total_steps"]
    assert resumed[-1]["event"] == "finished" and resumed[-1]["digest"] == whole[-1]["digest"]
    told = [[event for event in events if event["event"] == "point"] for events in (resumed, whole)]
    assert told[0] == told[1] and len(told[0]) == 3


def test_several_processes_are_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    refused = core(*COMMAND, "--out", tmp_path / "run")
    assert refused.returncode == 2 and "least-squares needs one process, got 2" in refused.stderr
    assert not (tmp_path / "run").exists()


def _result(event: Event) -> dict[str, object]:
    assert isinstance(event, Finished)
    return event.model_dump(exclude={"seconds"})
