"""Runs whose γ and β are computed: what is refused in which words, who teaches, and what it costs."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.preview.cautions import cautions
from app.preview.estimate import modest_run_s
from core.run.cost import computing_s, point_stride, price, run_macs
from core.run.problems import explain
from core.run.spec import RunSpec

COMPUTED: dict[str, Any] = {
    "architecture": "wrn-14-4",
    "policy": "batchnorm",
    "dataset": "digits",
    "epochs": 10,
    "recipe": {"optimizer": "least-squares"},
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"policy": "all"}, "so the policy must be batchnorm, got all"),
        ({"policy": "gamma"}, "so the policy must be batchnorm, got gamma"),
        ({"norm": {"kind": "group"}}, "least-squares needs BatchNorm with γ and β"),
        ({"norm": {"affine": False}}, "least-squares needs BatchNorm with γ and β"),
        ({"architecture": "vgg-16", "dataset": "cifar-10"}, "least-squares knows resnet-N and wrn-14-N, got vgg-16"),
        ({"architecture": "imagenet-resnet-18"}, "knows resnet-N and wrn-14-N, got imagenet-resnet-18"),
        ({"start": "0" * 64}, "so the run cannot start from a file"),
        ({"recipe": {"optimizer": "least-squares", "nesterov": True}}, "nesterov needs the optimizer sgd"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RunSpec.model_validate({**COMPUTED, **change})
    assert words in explain(caught.value)


@pytest.mark.parametrize(("student", "teacher"), [("wrn-14-4", "resnet-14"), ("resnet-32", "resnet-32")])
def test_the_teacher_is_the_same_training_at_width_one(student: str, teacher: str) -> None:
    spec = RunSpec.model_validate({**COMPUTED, "architecture": student, "task": "half-0"})
    taught = spec.teacher
    assert taught is not None and (taught.architecture, taught.policy) == (teacher, "all")
    assert RunSpec.model_validate(taught.model_dump()) == taught, "it is a spec that could run by itself"
    assert taught.recipe == spec.recipe.model_copy(update={"optimizer": "sgd"})
    assert (taught.total_steps, taught.task, taught.teacher) == (spec.total_steps, "half-0", None)
    assert (taught.seeds.order, taught.seeds.augmentation) == (spec.seeds.order, spec.seeds.augmentation)
    assert taught.seeds.init != spec.seeds.init, "else the student has filters that the teacher began with"
    others = [RunSpec.model_validate({**COMPUTED, "replicate": r}).teacher for r in range(3)]
    assert len({other.seeds.init for other in others if other}) == 3


def test_a_run_that_trains_has_no_teacher_and_keeps_its_digest() -> None:
    spec = RunSpec.model_validate({**COMPUTED, "recipe": {}})
    assert spec.teacher is None and computing_s(spec) == 0
    assert "teacher" not in spec.model_dump_json()


def test_its_cost_is_that_of_the_teacher_and_of_least_squares() -> None:
    spec = RunSpec.model_validate(COMPUTED)
    taught = spec.teacher
    assert taught is not None
    assert point_stride(spec) == point_stride(taught)
    assert price(spec).processor_s > price(taught).processor_s + computing_s(spec) / 2 and computing_s(spec) > 1
    assert price(spec).memory_bytes > price(taught).memory_bytes
    assert run_macs(spec) > run_macs(taught)
    assert modest_run_s(spec) > computing_s(spec) / 2
    wider = RunSpec.model_validate({**COMPUTED, "architecture": "wrn-14-8"})
    assert computing_s(wider) > 2 * computing_s(spec)


def test_a_preview_says_what_trains() -> None:
    told = cautions(RunSpec.model_validate({**COMPUTED, "recipe": {"optimizer": "least-squares", "lr": 5.0}}))
    assert "SGD trains all parameters of another random resnet-14" in told[0]
    assert not any("Adam" in sentence for sentence in told)
