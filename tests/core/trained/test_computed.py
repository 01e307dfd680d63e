"""Computed γ and β: exact where the answer is known, better with width, refusals in words, a sound capsule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from core.catalog import architectures
from core.catalog.normalisation import Normalisation
from core.draws.versions import drawn
from core.network.builder import Network, build
from core.run.computation import Unlike, check
from core.run.spec import Init
from core.trained.capsule import read_capsule
from core.trained.computed import compute
from core.trained.last_layer import compute_last
from core.trained.least_squares import BeforeConvolution, BeforeOutput, solve
from core.training.loop import train
from tests.core.program import core
from tests.core.training.test_loop import spec

SHAPE = (1, 8, 8)


def network_of(name: str, seed: int, affine: int | None = None) -> Network:
    """A network on 8×8 images; `affine`: a seed of other γ and β, also negative ones and ones near 0."""
    network = build(architectures.plan(name, SHAPE), Init(), seed)
    if affine is not None:
        generator = torch.Generator().manual_seed(affine)
        for parameter, tensor in network.named_parameters():
            if "norm" in parameter:
                tensor.data = 0.7 * torch.randn(tensor.shape, generator=generator)
    return network.requires_grad_(False).eval()


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randn(256, *SHAPE, generator=torch.Generator().manual_seed(1))


def test_a_student_with_the_teachers_weights_recovers_its_gamma_and_beta(images: Tensor) -> None:
    teacher, student = network_of("resnet-14", 3, affine=4), network_of("resnet-14", 3)
    fits = list(compute(teacher, student, images, drawn(2, 0, "compute")))
    assert [fit.layer for fit in fits] == [
        *("stem.norm", "stage1.0.norm1", "stage1.0.norm2", "stage1.1.norm1", "stage1.1.norm2"),
        *("stage2.0.shortcut.norm", "stage2.0.norm1", "stage2.0.norm2", "stage2.1.norm1", "stage2.1.norm2"),
        *("stage3.0.shortcut.norm", "stage3.0.norm1", "stage3.0.norm2", "stage3.1.norm1", "stage3.1.norm2"),
    ]
    for fit in fits:
        assert fit.explained == pytest.approx(1, abs=1e-6) and fit.used == fit.channels, fit
    there, here = dict(teacher.named_parameters()), dict(student.named_parameters())
    for name, wanted in there.items():
        torch.testing.assert_close(here[name], wanted, rtol=0, atol=1e-4, msg=name)
    other, own = teacher(images), student(images)
    assert not torch.allclose(other, own, atol=0.1), "the teacher's own statistics are not those of the images"
    teacher.train()
    torch.testing.assert_close(own, teacher(images), rtol=1e-3, atol=1e-3)


def test_it_is_deterministic_and_touches_no_weight(images: Tensor) -> None:
    students = [network_of("wrn-14-2", 5) for _ in range(2)]
    teacher = network_of("resnet-14", 3, affine=4)
    before = {name: tensor.clone() for name, tensor in students[0].state_dict().items()}
    for student in students:
        list(compute(teacher, student, images, drawn(2, 0, "compute")))
    first, second = (student.state_dict() for student in students)
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name
        assert torch.equal(tensor, before[name]) == ("norm" not in name), name
        assert tensor.isfinite().all()


def test_the_whole_way_explains_more_of_the_logits_than_the_last_layer_alone() -> None:
    """In the mean over some sets of images; of one set, either may be ahead by a hundredth."""
    apart = []
    for seed in range(1, 7):
        images = torch.randn(256, *SHAPE, generator=torch.Generator().manual_seed(seed))
        teacher = network_of("resnet-14", 3, affine=4)
        *_, whole = compute(teacher, network_of("wrn-14-2", 5), images, drawn(2, 0, "compute"))
        (last,) = compute_last(teacher, network_of("wrn-14-2", 5), images)
        assert whole.layer == last.layer == "stage3.1.norm2" and last.explained > 0
        apart.append(whole.explained - last.explained)
    assert sum(apart) / len(apart) > 0.003


def test_a_known_solution_before_a_convolution() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs, weights = torch.randn(4000, 6, 9, generator=generator), torch.randn(5, 6, 9, generator=generator)
    inside = (torch.rand(4000, 9, generator=generator) > 0.1).float()
    gamma, beta = torch.tensor([1.0, -0.5, 0.2, 2.0, -1.0, 0.7]), torch.tensor([0.1, 0.3, -0.2, -1.0, 0.0, 0.5])
    seen = (gamma[:, None] * inputs + beta[:, None]).relu() * inside[:, None]
    targets = torch.einsum("pck,ock->po", seen, weights) + 7
    start = torch.stack([gamma + 0.1, beta - 0.1])
    values, explained = solve(BeforeConvolution(inputs, inside, weights, targets), start)
    assert explained > 1 - 1e-6
    torch.testing.assert_close(values, torch.stack([gamma, beta]), rtol=0, atol=2e-3)


def test_a_known_solution_before_the_output() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs, skip = torch.randn(2, 600, 6, 16, generator=generator)
    weights = torch.randn(10, 6, generator=generator)
    gamma, beta = torch.tensor([1.0, -0.5, 0.2, 2.0, -1.0, 0.7]), torch.tensor([0.1, 0.3, -0.2, -1.0, 0.0, 0.5])
    logits = (gamma[:, None] * inputs + beta[:, None] + skip).relu().mean(2) @ weights.T
    shifted = logits + torch.randn(600, 1, generator=generator)  # the same number for all classes changes no answer
    start = torch.stack([gamma + 0.1, beta - 0.1])
    values, explained = solve(BeforeOutput(inputs, skip, weights, shifted), start)
    assert explained > 1 - 1e-6
    torch.testing.assert_close(values, torch.stack([gamma, beta]), rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    ("teacher", "student", "words"),
    [
        ("resnet-20", "wrn-14-2", "wrn-14-2 is not resnet-20 with more channels"),
        ("wrn-14-2", "resnet-14", "no fewer channels in any layer"),
        ("vgg-16", "vgg-16", "only resnet-N and wrn-14-N with BatchNorm"),
        ("imagenet-resnet-18", "imagenet-resnet-18", "only resnet-N and wrn-14-N with BatchNorm"),
    ],
)
def test_what_cannot_be_computed_is_refused(teacher: str, student: str, words: str) -> None:
    with pytest.raises(Unlike, match=words):
        check(architectures.plan(teacher, (3, 32, 32)), architectures.plan(student, (3, 32, 32)))


def test_without_batchnorm_it_is_refused() -> None:
    plan = architectures.plan("resnet-14", (3, 32, 32), 10, Normalisation(kind="group"))
    with pytest.raises(Unlike, match="with BatchNorm"):
        check(plan, plan)


@pytest.mark.training
def test_the_command_makes_a_sound_capsule_that_a_run_can_start_from(tmp_path: Path) -> None:
    list(train(spec(architecture="resnet-14", policy="all", epochs=2), tmp_path / "teacher", analyses=False))
    file = tmp_path / "teacher" / "final.safetensors"
    words = ["--architecture", "wrn-14-2", "--images", "300", "--threads", "1", "--out", tmp_path / "wide.safetensors"]
    done = core("compute", file, *words, "--json")
    assert done.returncode == 0, done.stderr
    *layers, told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(layers) == 15 and told["images"] == 300
    assert layers[0]["explained"] > 0.5 and layers[-1]["explained"] > 0.1
    capsule = read_capsule(tmp_path / "wide.safetensors")
    assert capsule.result.top1 == told["student"]["top1"] and "not trained" in capsule.computed
    assert 0.2 < capsule.result.disabled < 0.5, "the channels beside the carriers are off"
    shown = core("capsule", "show", tmp_path / "wide.safetensors")
    assert "computed by least squares from resnet-14" in shown.stdout
    verified = core("capsule", "verify", tmp_path / "wide.safetensors")
    assert verified.returncode == 0 and "sound" in verified.stdout
    trained = ["--architecture", "wrn-14-2", "--policy", "batchnorm", "--dataset", "digits", "--epochs", "1"]
    trained += ["--no-analysis", "--threads", "1", "--train-examples", "64", "--events", "-"]
    further = core("train", *trained, "--start", tmp_path / "wide.safetensors", "--out", tmp_path / "run")
    assert further.returncode == 0 and "Loaded 47 of 47" not in further.stdout


def test_the_command_refuses_in_words(tmp_path: Path) -> None:
    list(train(spec(epochs=1, train_examples=64), tmp_path, analyses=False))
    file = tmp_path / "final.safetensors"
    for words, told in (
        (["--architecture", "wrn-14-2"], "is not resnet-8 with more channels"),
        (["--architecture", "resnet-9"], "unknown architecture 'resnet-9'"),
        (["--architecture", "resnet-8", "--images", "3"], "images"),
    ):
        refused = core("compute", file, *words, "--out", tmp_path / "out.safetensors")
        assert refused.returncode == 2 and told in refused.stderr, refused.stderr
    assert not (tmp_path / "out.safetensors").exists()
