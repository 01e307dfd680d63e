"""`capsule adapt`: a table for people, CSV and JSON for programs, and what is wrong in a sentence."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch

from core.run.adaptation import PREDICTIONS
from core.training.loop import train
from tests.core.program import core
from tests.core.training.test_loop import spec

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of two runs: with BatchNorm in `batch`, with LayerNorm in `layer`."""
    folder = tmp_path_factory.mktemp("runs")
    torch.set_num_threads(1)
    for kind in ("batch", "layer"):
        run = spec(norm={"kind": kind}, test_examples=None)
        list(train(run, folder / kind, data_folder=folder, device="cpu", analyses=False))
    return folder


def test_a_table_csv_and_json_say_the_same(folder: Path) -> None:
    file = folder / "batch" / "final.safetensors"
    words = ("capsule", "adapt", file, "--corruption", "blur", "--corruption", "rotation", "--severity", "0")
    words = (*words, "--severity", "5", "--set", "lr=0.01")
    told = json.loads(core(*words, "--json").stdout)
    assert told["adapt"]["severities"] == [0, 5] and told["adapt"]["lr"] == 0.01
    stored = told["adapted"]
    assert [(row["corruption"], row["severity"]) for row in stored] == [(None, 0), ("blur", 5), ("rotation", 5)]
    rows = list(csv.DictReader(core(*words, "--csv").stdout.splitlines()))
    assert [row["corruption"] for row in rows] == ["none", "blur", "rotation"]
    for row, whole in zip(rows, stored, strict=True):
        for name in PREDICTIONS:
            assert [float(row[f"{name}{end}"]) for end in ("", "_low", "_high")] == list(whole[name].values())
    table = core(*words).stdout
    assert "Test accuracy on 359 images" in table and "Rotation" in table and "…" not in table
    for whole in stored:
        assert all(f"{whole[name]['share']:.1%}" in table for name in PREDICTIONS)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--corruption", "fog"), "corruptions.0: unknown corruption 'fog'"),
        (("--severity", "9"), "error: severities must be 0..5, got 9"),
        (("--set", "lr"), "--set takes KEY=VALUE, got 'lr'"),
        (("--set", "lr=0"), "lr: Input should be greater than 0"),
        (("--set", "pace=1"), "pace: Extra inputs are not permitted"),
        (("--set", "images=400"), "images must be at most 359, got 400"),
        (("--set", "batch_size=400"), "batch_size must be below the 359 test images"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(folder: Path, words: tuple[str, ...], problem: str) -> None:
    done = core("capsule", "adapt", folder / "batch" / "final.safetensors", *words)
    assert done.returncode == 2 and problem in done.stderr and not done.stdout


def test_a_network_without_batchnorm_is_refused(folder: Path) -> None:
    done = core("capsule", "adapt", folder / "layer" / "final.safetensors")
    assert done.returncode == 2 and "LayerNorm normalises each image by its own statistics" in done.stderr
