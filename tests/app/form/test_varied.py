"""The fields that a question may vary are fields of a run, with the values that runs may have."""

from __future__ import annotations

from typing import Any

import pytest

from app.form.varied import quantities, varied
from core.run.spec import RunSpec
from core.studies.asked.question import OwnQuestion, question_of
from core.studies.records import QUANTITIES
from core.studies.spec import OWN, StudyUnavailable
from tests.fields import leaves

BASE = {"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": 1}
ROWS = varied()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["path"])
def test_each_field_can_be_varied(row: dict[str, Any]) -> None:
    shares = ("momentum", "weight_decay", "lr_drop_factor", "label_smoothing")
    lists = {"recipe.lr_drops": [[0.5, 0.75]], "adapt.severities": [[1], [3, 5]]}.get(row["path"], [row["values"][:2]])
    few = 0.5 if row["path"].endswith((*shares, "adapt.lr")) else 100 if row["path"] == "adapt.images" else 16
    numbers = row["values"] or [few]
    usual = {"number": numbers, "list": lists, "flag": [True, False]}
    values = usual.get(row["kind"], row["values"][:2]) + ([None] if row["open"] else [])
    study = question_of({"title": "Mine", "base": {**BASE, "policy": "all"}, "vary": {row["path"]: values}}).study()
    assert len(study.settings) == len(values)


@pytest.mark.parametrize("row", [row for row in ROWS if row["path"].startswith(("recipe", "init", "norm"))], ids=str)
def test_a_field_takes_all_values_that_are_offered(row: dict[str, Any]) -> None:
    for value in row["values"]:
        try:
            question_of({"title": "Mine", "base": BASE, "vary": {row["path"]: [value]}}).study()
        except StudyUnavailable as error:  # no γ and β: this policy would train nothing
            assert "would train nothing" in str(error)


def test_every_field_is_there_once_and_none_that_a_question_sets_itself() -> None:
    paths = [row["path"] for row in ROWS]
    assert len(set(paths)) == len(paths) > 20 and {"recipe.lr", "init.weights", "norm.kind", "policy"} <= set(paths)
    assert not [path for path in paths if path.partition(".")[0] in OWN]
    assert [row["name"] for row in quantities()] == list(QUANTITIES)


def test_a_field_can_be_varied_or_a_question_says_why_not() -> None:
    for path in set(leaves(RunSpec)) - {row["path"] for row in ROWS}:
        with pytest.raises(StudyUnavailable, match=r"sets replicate, seeds, name|uses the images of this machine"):
            question_of({"title": "Mine", "base": BASE, "vary": {path: [1]}}).study()


def test_names_in_a_list_vary_as_lists() -> None:
    question = question_of(
        {"title": "Mine", "base": BASE, "vary": {"adapt.corruptions": [["blur"], ["contrast", "blur"]]}}
    )
    study = question.study()
    assert [member.spec.adapt and member.spec.adapt.corruptions for member in study.members[:2]] in (
        [("blur",), ("contrast", "blur")],
        [("contrast", "blur"), ("blur",)],
    )
    assert study.members[0].spec.name in ("Mine: blur, replicate 0", "Mine: contrast blur, replicate 0")
    assert OwnQuestion.of(study) == question
