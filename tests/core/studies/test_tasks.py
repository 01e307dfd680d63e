"""The study of many tasks: what it compares, what a task keeps, and packs with measured forgetting after its runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from core.run.pack import unpack
from core.run.spec import RunSpec
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.figures import figure
from core.studies.records import QUANTITIES
from core.studies.verdicts import judge
from tests.core.program import core_process
from tests.core.studies.made import record

STUDY, TASKS = study_spec("many-tasks", "minutes"), STUDIES["many-tasks"]
BETTER = {"batchnorm": 0.8, "output": 0.4, "all": 0.99}


def test_each_task_is_compared_with_its_own_output_layer_over_the_same_weights() -> None:
    deciding = [contrast for contrast in TASKS.criterion.contrasts(STUDY) if contrast.decides]
    assert [contrast.label for contrast in deciding] == [
        f"BatchNorm only minus Output layer only, ResNet-14, {words}"
        for words in (
            *("as it is", "rotated by 90°", "pixels permuted, order 1"),
            *("first half of the classes", "second half of the classes"),
        )
    ]
    assert all(contrast.pairs for contrast in deciding)
    seeds = {(member.replicate, member.spec.seeds.init) for member in STUDY.members}
    assert len(seeds) == STUDY.replicates, "a replicate has one random network, whatever the task"


@pytest.mark.parametrize(("beaten", "outcome"), [("output", "holds"), ("batchnorm", "fails")])
def test_one_task_decides_against_the_claim(beaten: str, outcome: str) -> None:
    def top1(spec: RunSpec) -> float:
        worse = spec.task == "half-1" and spec.policy == beaten
        return BETTER[spec.policy] - (0.5 if worse else 0) + 0.002 * spec.replicate

    records = [record(member, top1(member.spec)) for member in STUDY.members]
    assert judge(TASKS.criterion, STUDY, records).outcome == outcome
    drawn = figure(TASKS.plot, "top1", STUDY, records, ())
    assert drawn.labels[1] == "Rotated by 90°" and len(drawn.series) == 3


def test_what_a_task_keeps_is_counted() -> None:
    first = next(member for member in STUDY.members if member.spec.policy == "batchnorm")
    # 560 channels with γ, β, mean and variance of 4 bytes each.
    assert QUANTITIES["kept"].of(record(first, 0.5)) == pytest.approx(560 * 16 / 1000)
    assert TASKS.further is not None
    words = TASKS.further(STUDY, [])
    assert "BatchNorm only: 9.0 kB; Output layer only: 7.1 kB" in words and "All parameters" not in words


@pytest.mark.training
@pytest.mark.server
def test_a_study_of_tasks_ends_with_packs_and_what_was_forgotten(tmp_path: Path) -> None:
    words = ("--set", "epochs=1", "--set", "architecture=resnet-8", "--set", "policy=batchnorm,all")
    done = core_process(
        *("studies", "run", "many-tasks", "--out", tmp_path / "s", "--replicates", "1", "--threads", "1", *words),
        *("--set", "task=whole,rotated-1", "--set", "train_examples=64", "--set", "recipe.batch_size=32"),
    )
    assert done.returncode == 0, done.stderr
    assert "Forgetting, measured in 1 packs" in done.stdout and "0.00 points at most" in done.stdout
    assert "all logits identical for 2 of 2 tasks" in done.stdout
    (pack,) = (tmp_path / "s" / "packs").iterdir()
    assert [member.spec.task for member in unpack("x", pack.read_bytes())] == ["whole", "rotated-1"]
    rows = list(csv.DictReader((tmp_path / "s" / "results.csv").read_text().splitlines()))
    assert {row["task"] for row in rows} == {"whole", "rotated-1"} and {"kept"} <= {row["quantity"] for row in rows}
    assert json.loads((tmp_path / "s" / "study.json").read_text())["study"] == "many-tasks"
