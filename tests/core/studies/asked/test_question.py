"""Anybody's own question: its words, the runs that it stands for, its verdict, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.run.handwritten import BadText
from core.studies.asked.question import (
    MAX_BYTES,
    MAX_RUNS,
    OwnQuestion,
    is_own,
    question_of,
    read_question,
    scale_of,
)
from core.studies.catalog.table import STUDIES, named_of, study_spec
from core.studies.figures import figure
from core.studies.results import rows
from core.studies.spec import Member, StudySpec, StudyUnavailable
from core.studies.verdicts import Verdict, judge
from tests.core.studies.made import record

BASE = {"architecture": "resnet-14", "policy": "random-2", "dataset": "digits", "epochs": 2}
RATES = {"recipe.lr": [0.01, 0.1, 1]}
TEXT = """
title: Which rate suits random weights?
question: Does a smaller rate help?
claim: {kind: beats, field: recipe.lr, value: 0.1, margin: 1}
base: {architecture: resnet-14, policy: random-2, dataset: digits, epochs: 2}
vary:
  recipe.lr: [0.01, 0.1, 1]
  init.weights: [he-normal, binary]
replicates: 3
order: 5
"""


def made(**fields: Any) -> StudySpec:
    return question_of({"title": "Mine", "base": BASE, "vary": RATES, **fields}).study()


def judged(study: StudySpec, top1: Callable[[Member], float], keep: int = 99) -> Verdict:
    records = [record(member, top1(member)) for member in study.members if member.replicate < keep]
    return judge(named_of(study).criterion, study, records)


def rate(member: Member) -> float:
    return member.spec.recipe.lr


def test_a_text_becomes_a_study_and_a_text_again() -> None:
    question = read_question(TEXT.encode())
    study = question.study()
    assert (study.study, study.scale) == ("own-which-rate-suits-random-weights", "minutes") and is_own(study.study)
    assert len(study.settings) == 6 and len(study.members) == 18
    assert study == StudySpec.model_validate_json(study.model_dump_json())
    text = OwnQuestion.of(study).text()
    assert text.startswith("title: Which rate suits random weights?\nquestion: ")
    assert read_question(text.encode()).study() == study
    again = read_question(question.model_dump_json().encode()).study()
    assert again == study, "JSON says the same"


def test_runs_come_in_a_shuffled_order_that_its_seed_gives() -> None:
    first, same, other = made(order=1), made(order=1), made(order=2)
    keys = [member.key for member in first.members]
    assert keys == [member.key for member in same.members] and keys != [member.key for member in other.members]
    assert [member.replicate for member in first.members] == [0] * 3 + [1] * 3 + [2] * 3, "the whole grid comes first"
    assert {m.digest for m in first.members} == {m.digest for m in other.members}, "the order changes no run"
    many = made(vary={"epochs": list(range(1, 31))})
    assert [member.key["epochs"] for member in many.members[:30]] != list(range(1, 31))
    assert [row.key["recipe.lr"] for row in rows(first, [])] == [0.01, 0.1, 1.0], "tables keep the order of the file"


def test_the_catalog_keeps_its_order_and_its_text() -> None:
    study = study_spec("depth", "minutes")
    assert "asked" not in study.model_dump_json() and not any(is_own(name) for name in STUDIES)
    assert [member.key["architecture"] for member in study.members[:3]] == ["resnet-14", "resnet-32", "resnet-56"]


def test_values_are_as_runs_have_them() -> None:
    study = made(vary={"recipe.lr": [1, "0.1"], "recipe.nesterov": [True, False], "train_examples": [100, None]})
    assert study.axes[0].values == (1.0, 0.1) and study.axes[2].values == (100, None)
    drops = made(vary={"recipe.lr_drops": [[0.5, 0.75], [0.9]]})
    assert {member.spec.recipe.lr_drops for member in drops.members} == {(0.5, 0.75), (0.9,)}
    assert drops.members[0].spec.name in ("Mine: 0.5 0.75, replicate 0", "Mine: 0.9, replicate 0")


def test_side_by_side_varies_several_fields_together() -> None:
    vary = {"policy": ["batchnorm", "random-2"], "recipe.lr": [0.1, 0.01]}
    claim = {"kind": "beats", "value": "batchnorm"}
    study = made(vary=vary, layout="side by side", claim=claim)
    settings = [dict(setting) for setting in study.settings]
    assert settings == [{"policy": "batchnorm", "recipe.lr": 0.1}, {"policy": "random-2", "recipe.lr": 0.01}]
    told = judged(study, lambda m: 0.5 + 0.2 * (m.spec.policy == "batchnorm") + m.replicate / 100)
    assert told.words == "holds here" and [row.method for row in told.comparisons] == ["paired"]


def test_a_preset_is_a_whole_recipe() -> None:
    study = made(preset="fast", base={**BASE, "recipe": {"batch_size": 32}})
    assert {(m.spec.recipe.optimizer, m.spec.recipe.batch_size) for m in study.members} == {("adam", 32)}
    assert {member.spec.epochs for member in study.members} == {2}


def test_beats_in_its_three_outcomes_with_the_correction_stated() -> None:
    study = made(claim={"kind": "beats", "field": "recipe.lr", "value": 0.1, "margin": 1})
    wins = judged(study, lambda m: 0.5 + 0.1 * (rate(m) == 0.1) + m.replicate / 100)
    assert wins.words == "holds here"
    assert "+10.0 points of test accuracy (95% CI" in wins.sentence and "paired, n = 3" in wins.sentence
    assert "All 2 comparisons must agree at 95%" in wins.sentence and "97.5% (Bonferroni’s correction)" in wins.sentence
    loses = judged(study, lambda m: 0.5 - 0.1 * (rate(m) == 0.1) + m.replicate / 100)
    assert loses.words == "does not hold here" and "97.5% CI" in loses.sentence
    noisy = judged(study, lambda m: 0.5 + [0.1, -0.1, 0.02][m.replicate] * (rate(m) == 0.1))
    assert noisy.words == "not enough runs" and "More replicates" in noisy.sentence
    early = judged(study, lambda m: 0.5 + 0.1 * (rate(m) == 0.1), keep=2)
    assert early.words == "not enough runs" and "when all 3 replicates" in early.sentence


def test_rises_needs_each_step_and_same_needs_every_two() -> None:
    rises = made(claim={"kind": "rises", "field": "recipe.lr"})
    assert judged(rises, lambda m: 0.5 + 0.1 * [0.01, 0.1, 1].index(rate(m)) + m.replicate / 100).outcome == "holds"
    assert judged(rises, lambda m: {0.01: 0.5, 0.1: 0.4, 1: 0.9}[rate(m)] + m.replicate / 100).outcome == "fails"
    few = made(claim={"kind": "same", "field": "recipe.lr", "margin": 2}, base={**BASE, "test_examples": 32})
    assert judged(few, lambda m: 0.5).outcome == "undecided", "one of 32 images is more than two points"
    wide = made(claim={"kind": "same", "field": "recipe.lr", "margin": 5})
    assert len(judged(wide, lambda m: 0.5).comparisons) == 3 and judged(wide, lambda m: 0.5).outcome == "holds"
    deeper = made(vary={"architecture": ["resnet-20", "resnet-14"]}, claim={"kind": "rises", "field": "architecture"})
    (row,) = judged(deeper, lambda m: 0.5).comparisons
    assert (row.label, row.method) == ("ResNet-20 minus ResNet-14", "Welch")


def test_without_a_claim_there_is_no_verdict_but_a_figure() -> None:
    study = made()
    told = judged(study, lambda m: 0.5)
    assert told.words == "no claim" and "compare the means" in told.sentence
    drawn = figure(named_of(study).plot, "top1", study, [record(m, 0.5) for m in study.members], ())
    assert drawn.x_title == "recipe.lr" and drawn.ticks == (0.01, 0.1, 1.0) and len(drawn.series) == 1


@pytest.mark.parametrize(
    ("vary", "title"),
    [
        ({"policy": ["all", "output"]}, "what trains (BN: BatchNorm)"),
        ({"architecture": ["resnet-14", "resnet-20"]}, "depth (layers)"),
        ({"architecture": ["resnet-14", "wrn-14-2"]}, "architecture"),
        ({"recipe.weight_decay": [0, 1e-4]}, "recipe.weight_decay"),
        ({"recipe.nesterov": [True, False]}, "recipe.nesterov"),
        ({"recipe.lr_drops": [[0.5], [0.75]]}, "recipe.lr_drops"),
    ],
)
def test_whatever_varies_can_be_drawn(vary: dict[str, Any], title: str) -> None:
    study = made(vary=vary)
    drawn = figure(named_of(study).plot, "top1", study, [record(m, 0.5) for m in study.members], ())
    assert drawn.x_title == title and sum(len(series.x) for series in drawn.series) == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": ""}, "title: must be 1 to 60 letters"),
        ({"title": "<b>"}, "title: must be 1 to 60 letters"),
        ({"color": 3}, "color is not a field of a question; a question has preset"),
        ({"replicates": 0}, "replicates: must be greater than or equal to 1, got 0"),
        ({"question": "a\nb"}, "question: must be one line"),
        ({"vary": {}}, "vary: dictionary must have at least 1 item"),
        (
            {"vary": {"recipe.lr": [{"a": 1}]}},
            "vary.recipe.lr.0: must be a number, text, true, false, null or a list",
        ),
        ({"vary": {"recipe.lr": []}}, "vary.recipe.lr: at least one value is needed"),
        ({"vary": {"recipe.lr": [-1]}}, "vary.recipe.lr: recipe.lr must be a number above 0 and at most 1,000,000"),
        ({"vary": {"recipe.lr": [0.1, "0.1"]}}, "vary.recipe.lr: each value may appear only once, got 0.1, 0.1"),
        ({"vary": {"recipe.rate": [1]}}, "vary.recipe.rate: recipe.rate is not a field of a run; allowed fields: opt"),
        ({"vary": {"recipe": [1]}}, "vary.recipe: recipe is an object with fields"),
        ({"vary": {"data": ["mnist"]}}, "vary.data: data is not a field of a run"),
        ({"vary": {"seeds.init": [1]}}, "vary.seeds.init: a question sets replicate, seeds, name of its runs itself"),
        ({"base": {**BASE, "name": "x"}}, "base.name: a question sets"),
        ({"base": {**BASE, "epochs": 0}}, "base: epochs must be a whole number from 1 to 400, got 0"),
        (
            {"vary": {"epochs": list(range(1, 102))}, "replicates": 2},
            f"are 202 runs; a question may have at most {MAX_RUNS}",
        ),
        (
            {"vary": {"epochs": [1, 2], "recipe.lr": [1]}, "layout": "side by side"},
            "the same number of values, got epochs 2",
        ),
        ({"layout": "cube"}, "layout: "),
        ({"claim": {"kind": "wins"}}, "claim.kind: must be 'beats', 'rises', 'falls', 'same', 'some-beat' or 'zero'"),
        ({"claim": {"kind": "beats"}}, "claim.value: the claim beats needs the value of policy"),
        ({"claim": {"kind": "same", "field": "recipe.lr"}}, "claim.margin: must be above 0"),
        ({"claim": {"kind": "beats", "value": "all"}}, "claim.field: policy does not vary here; these do: recipe.lr"),
        (
            {"claim": {"kind": "beats", "field": "recipe.lr", "value": 3}},
            "claim.value: 3 is not among the values of recipe.lr: 0.01, 0.1, 1.0",
        ),
        (
            {"claim": {"kind": "rises", "field": "init.weights"}, "vary": {"init.weights": ["he-normal", "binary"]}},
            "claim: nothing in this grid can decide it: it needs two values that are numbers",
        ),
        (
            {"claim": {"kind": "same", "field": "epochs", "margin": 1}, "vary": {"epochs": list(range(1, 31))}},
            "claim.value: it would take 435 comparisons; at most 100 are allowed",
        ),
        ({"claim": {"kind": "rises", "field": "recipe.lr", "quantity": "luck"}}, "claim.quantity: unknown quantity"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(fields: dict[str, Any], words: str) -> None:
    with pytest.raises((BadText, StudyUnavailable)) as refused:
        made(**fields)
    assert words in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"\xff", "not UTF-8"),
        (b"title: *a", "line 1, column 8: aliases"),
        (b"a: &x 1\nb: *x", "aliases (*) are not allowed here"),
        (b"title: !!python/object:os.system x", "tags (!) are not allowed here"),
        (b"title: a\ntitle: b", "“title” appears twice"),
        (b"- 1", "must name fields"),
        (b'{"title": ', "not valid JSON"),
        (b"a: " + b"[" * 40 + b"]" * 40, "nested too deeply"),
        (b"vary: [" + b"1," * 900 + b"1]", "more than 800 fields and values"),
        (b"#" * (MAX_BYTES + 1), "larger than 64 KB"),
    ],
)
def test_texts_that_are_no_question(text: bytes, words: str) -> None:
    with pytest.raises(BadText) as refused:
        read_question(text)
    assert words in str(refused.value)


def test_how_long_it_takes_decides_its_scale() -> None:
    assert [scale_of(seconds) for seconds in (600, 601, 9 * 3600, 40_000)] == ["minutes", "evening", "evening", "paper"]
    assert made(base={**BASE, "epochs": 400, "architecture": "resnet-56"}).scale == "evening"
