"""A wrong spec is refused in words, as one text and field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.app.conftest import SPEC

DEEP = {"architecture": "imagenet-resnet-18"}
"""It shrinks digits to one pixel."""


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"epochs": 0}, "epochs", "epochs must be a whole number from 1 to 400, got 0"),
        ({"architecture": "resnet-15"}, "architecture", "resnet-14 and resnet-20"),
        ({"policy": "batchnorn"}, "policy", "Did you mean 'batchnorm'?"),
        (
            {"policy": "supermask+all"},
            "policy",
            "all trains every weight already, which leaves nothing to add or to mask",
        ),
        ({"init": {"weights": "sparse-0"}}, "init.weights", "a whole number from 1 to 9999, got '0'"),
        ({"init": {"weights": 4}}, "init.weights", "init.weights: input should be a valid string, got 4"),
        ({"dataset": "minst"}, "dataset", "Did you mean 'mnist'?"),
        ({"dataset": "imagenet"}, "dataset", "not on this server yet"),
        ({"epoch": 3}, "epoch", "epoch is not a field of a run"),
        ({"train_examples": 10**6}, "train_examples", "train_examples must be from 16 to 1,438 for digits"),
        ({"recipe": {"lr": "fast"}}, "recipe.lr", "recipe.lr must be a number above 0"),
        ({"recipe": {"lr_drops": [0.9, 0.1]}}, "recipe.lr_drops", "lr_drops must increase"),
        ({"recipe": {"lr_drops": ["x"]}}, "recipe.lr_drops.0", "recipe.lr_drops.0 must be a number, got 'x'"),
        ({"recipe": {"nesterov": True, "momentum": 0.0}}, "recipe.nesterov", "nesterov needs the optimizer sgd"),
        (
            {"policy": "all", "recipe": {"optimizer": "least-squares"}},
            "recipe.optimizer",
            "so the policy must be batchnorm, got all",
        ),
        ({**DEEP, "train_examples": 65, "recipe": {"batch_size": 64}}, "recipe.batch_size", "would be a single image"),
        ({"architecture": "vgg-11"}, "architecture", "vgg-11 needs images of at least 16x16 pixels"),
        ({"policy": "gamma", "norm": {"affine": False}}, "policy", "would train nothing"),
        ({"name": "<script>"}, "name", "name may have 64 letters"),
    ],
)
def test_a_wrong_spec_is_refused_in_words(client: TestClient, changed: dict[str, Any], field: str, words: str) -> None:
    for path in ("/api/runs", "/api/preview"):
        answer = client.post(path, json={**SPEC, **changed})
        assert answer.status_code == 422 and list(answer.json()) == ["detail", "problems"]
        assert words in answer.json()["detail"]
        assert [(one["field"], words in one["sentence"]) for one in answer.json()["problems"]] == [(field, True)]


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "null", "7", '"spec"', json.dumps(SPEC)[:-1] + ', "recipe": {"lr": NaN}}', "[" * 5000, "\xff"],
)
@pytest.mark.parametrize("path", ["/api/runs", "/api/preview", "/api/feed"])
def test_a_body_that_is_no_object_is_refused_in_words(client: TestClient, path: str, body: str) -> None:
    answer = client.post(path, content=body.encode("latin-1"))
    assert answer.status_code == 422, answer.text
    assert isinstance(answer.json()["detail"], str) and "Traceback" not in answer.text


def test_a_missing_field_is_named(client: TestClient) -> None:
    answer = client.post("/api/runs", json={"architecture": "resnet-14"})
    assert "policy is missing" in answer.json()["detail"]
