"""Ours beside the paper's in words: the right differences of the paper's numbers, and dashes where there are none."""

from __future__ import annotations

import pytest

from core.catalog.paper import MARKS
from core.studies.against import (
    ours_in_words,
    paper_differences,
    paper_in_words,
    paper_setting,
    replicates,
    setting_in_words,
    signed,
)
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.verdicts import judge
from tests.core.studies.made import record


def paper(architecture: str, policy: str, norm: str = "uniform") -> float:
    (value,) = [
        mark.value
        for mark in MARKS
        if (mark.architecture, mark.policy, mark.norm, mark.quantity) == (architecture, policy, norm, "top1")
    ]
    return value


def test_the_papers_differences_are_those_of_its_numbers() -> None:
    depth = {row.label: row.value for row in paper_differences("depth")}
    assert depth["ResNet-110 minus ResNet-56"] == pytest.approx(
        paper("resnet-110", "batchnorm") - paper("resnet-56", "batchnorm")
    )
    assert depth["ResNet-866 minus ResNet-434"] == pytest.approx(82.0 - 79.5), (
        "the abstract's number, not of the figure"
    )
    couples = {row.label: row.value for row in paper_differences("depth-or-width")}
    assert couples["ResNet-434 minus WRN-14-32"] == pytest.approx(79.5 - 73.0)
    alternate = [row.value for row in paper_differences("norm-init")]
    assert len(alternate) == 7, "each network once, although there are several alternates"
    assert alternate[0] == pytest.approx(50.7 - 47.9)
    assert [row.value for row in paper_differences("gamma")] == [18.0]


@pytest.mark.parametrize(
    ("name", "words", "setting"),
    [
        ("depth", "+2.5 to +9.7", "CIFAR-10, 160 epochs, n=5"),
        ("gamma", "+18.0", "CIFAR-10, 160 epochs, n=5"),
        ("without-batchnorm", "+0.5 to +2.0", "CIFAR-10, 160 epochs, n=5"),
        ("random-k", "–", ""),
        ("threshold", "–", ""),
        ("lumped", "–", ""),
    ],
)
def test_the_papers_words(name: str, words: str, setting: str) -> None:
    assert (paper_in_words(STUDIES[name]), paper_setting(STUDIES[name])) == (words, setting)


def test_ours_are_those_that_decide() -> None:
    study, named = study_spec("random-k", "minutes"), STUDIES["random-k"]
    records = [record(m, 0.7 if m.spec.policy == "batchnorm" else 0.2 + m.replicate / 100) for m in study.members]
    verdict = judge(named.criterion, study, records)
    assert ours_in_words(verdict) == "+49.0 (+46.5 to +51.5)", "one decides, so it has its interval"
    assert setting_in_words(study, 3) == "Fashion-MNIST, 8,000 images, 4 epochs, n=3"
    assert ours_in_words(judge(named.criterion, study, [])) == "–"


def test_a_sign_is_typographic_and_zero_has_none() -> None:
    assert [signed(value) for value in (1.25, -0.04, -3.21, 0)] == ["+1.2", "0.0", "−3.2", "0.0"]


def test_the_setting_says_how_many_replicates_there_are() -> None:
    study, named = study_spec("random-k", "minutes"), STUDIES["random-k"]
    first = [record(m, 0.5) for m in study.members if m.replicate == 0]
    assert replicates(study, judge(named.criterion, study, first)) == 1, "not the three that are planned"
    assert replicates(study, judge(named.criterion, study, [])) == 3
