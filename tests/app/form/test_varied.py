"""The fields that a question may vary are fields of a run, with the values that runs may have."""

from __future__ import annotations

from typing import Any

import pytest

from app.form.varied import quantities, varied
from core.studies.asked.question import question_of
from core.studies.records import QUANTITIES
from core.studies.spec import OWN, StudyUnavailable

BASE = {"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": 1}
ROWS = varied()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["path"])
def test_each_field_can_be_varied(row: dict[str, Any]) -> None:
    shares = ("momentum", "weight_decay", "lr_drop_factor", "label_smoothing")
    usual = {"number": [0.5 if row["path"].endswith(shares) else 16], "list": [[0.5, 0.75]], "flag": [True, False]}
    values = usual.get(row["kind"], row["values"][:2]) + ([None] if row["optional"] else [])
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
    assert [row["name"] for row in quantities()] == [q.name for q in QUANTITIES.values() if not q.adapts]
