"""What verifying a capsule passes and refuses, and what it says: on this machine, on another, with the old draw."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from core.commands.capsule import elsewhere
from core.network.builder import Network
from core.network.scores import Scores
from core.run.spec import RunSpec
from core.trained.capsule import Capsule, read_capsule, rebuild
from core.trained.verification import verified
from core.training.loop import train
from tests.core.training.test_loop import spec

pytestmark = pytest.mark.training
ELSEWHERE = "it was trained on another processor"


@pytest.fixture(scope="module", params=[1, 2])
def capsule(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Capsule:
    folder = tmp_path_factory.mktemp("run")
    torch.set_num_threads(1)
    run = spec(draw=request.param, test_examples=None)
    list(train(run, folder, data_folder=folder, device="cpu", analyses=False))
    return read_capsule(folder / "final.safetensors")


def scores(capsule: Capsule, turned: int = 0, loss: float = 1.0) -> Scores:
    """As stored, but for so many answers and this factor of the loss."""
    told = capsule.result
    assert told.loss is not None
    return Scores(told.loss * loss, told.top1 + turned / capsule.spec.images[1], told.top5 or 0.0)


def sound(capsule: Capsule, found: Scores, why: str | None, network: Network | None = None) -> bool:
    return all(check.passed for check in verified(capsule, network or rebuild(capsule), found, why).values())


def test_here_everything_must_be_the_same(capsule: Capsule) -> None:
    assert sound(capsule, scores(capsule), None)
    assert not sound(capsule, scores(capsule, turned=-1), None)
    assert not sound(capsule, scores(capsule, loss=1.001), None)


def test_elsewhere_rounding_may_turn_two_images_of_a_small_test_set(capsule: Capsule) -> None:
    assert capsule.spec.images[1] == 360 - 1
    for turned in (-2, -1, 1, 2):
        assert sound(capsule, scores(capsule, turned, 1.005), ELSEWHERE)
    words = verified(capsule, rebuild(capsule), scores(capsule, 1), ELSEWHERE)["test top-1"].words
    assert "of 359 images correct" in words and f"1 differs; rounding explains up to 2, since {ELSEWHERE}" in words
    assert not sound(capsule, scores(capsule, 3), ELSEWHERE)
    assert not sound(capsule, scores(capsule, loss=1.02), ELSEWHERE)


def test_other_weights_are_refused_but_for_the_last_bits_of_the_old_draw(capsule: Capsule) -> None:
    network = rebuild(capsule)
    with torch.no_grad():
        network.get_parameter("stage1.0.conv1.weight").mul_(1 + 2**-23)
    check = verified(capsule, network, scores(capsule), ELSEWHERE)["frozen weights"]
    assert check.passed == (capsule.spec.draw == 1)
    assert ("the predictions decide" if check.passed else "NOT the seed's") in check.words


def test_a_loss_that_is_no_finite_number_is_compared_too(capsule: Capsule) -> None:
    diverged = dataclasses.replace(capsule, result=capsule.result.model_copy(update={"loss": None}))
    same = scores(capsule)._replace(loss=None)
    assert sound(diverged, same, None) and not sound(capsule, same, None)


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ({"processor": "Some other CPU"}, "it was trained on another processor, Some other CPU, and this is"),
        ({"processor": ""}, "it does not name its processor"),
        ({"device": "Some GPU"}, "it was trained on Some GPU, and this is cpu"),
        ({"engine": "fused (other kernels)"}, "it was computed differently (fused (other kernels)) than here ("),
        ({"threads": 64}, "it was trained with 64 threads, and this process has"),
        ({}, None),
    ],
)
def test_it_says_how_this_machine_differs(capsule: Capsule, origin: dict[str, str], words: str | None) -> None:
    torch.set_num_threads(1)
    made = capsule.origin.model_copy(update=origin)
    found = elsewhere("cpu", capsule.origin.engine, made)
    assert found is None if words is None else found is not None and found.startswith(words)


def test_a_spec_that_was_kept_without_a_version_is_of_the_old_draw(tmp_path: Path) -> None:
    told = spec().model_dump(mode="json")
    del told["draw"]
    assert RunSpec.model_validate(told).draw == 2
    assert RunSpec.model_validate(told, context="stored").draw == 1
