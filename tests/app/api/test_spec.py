"""A spec as text and back, over HTTP and without, and its parts, which add up."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.preview.network import parts
from app.preview.spec_text import as_json, as_yaml, shortened
from core.run import cost
from core.run.spec import RunSpec
from tests.app.conftest import SPEC

SPECS: list[dict[str, Any]] = [
    {},
    {"policy": "supermask-30", "architecture": "vgg-16", "dataset": "cifar-100", "name": "γ: yes or no"},
    {"recipe": {"lr_drops": [1 / 3, 0.5], "weight_decay": 1e-5, "nesterov": True}, "train_examples": 64},
    {"policy": "gamma", "init": {"norm": "ones", "weights": "binary"}, "norm": {"kind": "group", "groups": 4}},
    {"replicate": 3, "seeds": {"init": 7}},
    {"policy": "shortcut+supermask-7", "init": {"weights": "sparse-3"}},
    {"policy": "shortcut+output", "architecture": "resnet-20", "start": "0" * 64},
    {"adapt": {"severities": [1, 5], "optimizer": "sgd"}},
    {"adapt": {}},
    {"draw": 1},
]


@pytest.mark.parametrize("fields", SPECS)
def test_a_spec_as_text_is_the_spec(fields: dict[str, Any]) -> None:
    spec = RunSpec.model_validate({**SPEC, **fields})
    assert RunSpec.model_validate_json(as_json(as_yaml(spec).encode())) == spec
    assert RunSpec.model_validate(shortened(spec)) == spec


def test_the_text_says_only_what_is_special() -> None:
    spec = RunSpec.model_validate({**SPEC, "recipe": {"lr": 0.05}})
    assert as_yaml(spec).splitlines() == [
        "architecture: resnet-14",
        "policy: batchnorm",
        "dataset: digits",
        "epochs: 2",
        "recipe: {lr: 0.05}",
    ]


@pytest.mark.parametrize("architecture", ["resnet-20", "wrn-14-2", "vgg-16", "imagenet-resnet-50"])
@pytest.mark.parametrize(
    "policy", ["batchnorm", "all", "random-3", "random-1-layer", "supermask", "supermask+output", "bias", "none"]
)
def test_the_parts_add_up(architecture: str, policy: str) -> None:
    spec = RunSpec.model_validate({**SPEC, "architecture": architecture, "policy": policy, "dataset": "cifar-10"})
    counts, rows = cost.counts(spec.plan, spec.trains), parts(spec.plan, spec.trains)
    assert sum(row["total"] for row in rows) == counts.total
    assert sum(row["trainable"] for row in rows) == counts.trainable


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "empty"),
        ("architecture: [resnet-14", "line 1"),
        ('{"architecture": "resnet-14",}', "not valid JSON"),
        ("- resnet-14", "must name fields"),
        ("epochs: 3\nepochs: 4", "line 2, column 1: “epochs” appears twice"),
        ("a: &x [1]\nb: *x", "aliases"),
        ("a: !!python/object/apply:os.getcwd []", "not valid YAML"),
        ("a: " + "[" * 5000, "too deeply"),
        ("architecture: resnet-15\npolicy: batchnorm\ndataset: digits\nepochs: 3", "architecture: "),
        ("architecture: resnet-14\npolicy: batchnorm\ndataset: digits\nepochs: 0", "epochs must be a whole number"),
        ("architecture: resnet-14\npolicy: batchnorm\ndataset: digits\nepochs: 3\nlr: 1", "lr is not a field of a run"),
        ("architecture: resnet-14\npolicy: batchnorm\nepochs: 3", "dataset is missing"),
        ("x: 99999999999999999999999", "64 bits"),
    ],
)
def test_a_text_that_is_no_spec_is_refused_where_it_is_wrong(client: TestClient, text: str, wanted: str) -> None:
    answer = client.post("/api/spec", content=text.encode())
    assert answer.status_code == 422 and wanted in answer.json()["detail"], answer.json()


def test_a_text_is_read_in_both_languages(client: TestClient) -> None:
    spec = {"architecture": "resnet-14", "policy": "random-2", "dataset": "digits", "epochs": 3, "recipe": {"lr": 0.2}}
    yaml = "# a comment\narchitecture: resnet-14\npolicy: random-2\ndataset: digits\nepochs: 3\nrecipe:\n  lr: 2e-1\n"
    assert client.post("/api/spec", content=yaml.encode()).json() == {"spec": spec}
    assert client.post("/api/spec", json=spec).json() == {"spec": spec}


def test_images_that_are_not_here_are_not_silently_others(client: TestClient) -> None:
    copy = {"kind": "JPEG", "fingerprint": "0123456789abcdef"}
    answer = client.post("/api/spec", json={**SPEC, "dataset": "cifar-10", "copy_of_data": copy})
    assert answer.status_code == 422 and answer.json()["detail"].startswith("copy_of_data: the form takes the images")
    assert client.post("/api/spec", json={**SPEC, "dataset": "cifar-10", "copy_of_data": None}).status_code == 200


def test_what_is_not_utf_8_is_refused(client: TestClient) -> None:
    assert "UTF-8" in client.post("/api/spec", content=b"\xff\xfe").json()["detail"]
