"""The table of studies: every grid makes runs, costs what its scale promises, and cites the paper honestly."""

from __future__ import annotations

import os

import pytest
from pydantic import ValidationError

from core.catalog.paper import MARKS, PROVENANCE
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.catalog.words import OURS
from core.studies.costs import study_cost
from core.studies.figures import figure
from core.studies.records import QUANTITIES
from core.studies.spec import SCALES, Axis, Scale, StudySpec, StudyUnavailable
from core.studies.verdicts import judge

NAMES = list(STUDIES)


def test_every_question_of_the_paper_is_there() -> None:
    assert [name for name in NAMES if not STUDIES[name].own] == [
        "depth",
        "width",
        "depth-or-width",
        "random-k",
        "subsets",
        "without-batchnorm",
        "gamma",
        "threshold",
        "relu-off",
        "norm-init",
        "weight-init",
        "imagenet",
        "chance",
        "output-and-depth",
        "wide-subsets",
        "vgg",
    ]


def test_questions_of_our_own_say_that_they_are_not_the_papers() -> None:
    own = [named for named in STUDIES.values() if named.own]
    assert [named.name for named in own] == [
        *("norm-kind", "biases", "lumped", "adapt", "mask-and-scale", "sparse-weights", "many-tasks", "computed")
    ]
    assert all(not named.marks and not named.quotes for named in own)
    assert all(named.source == OURS or named.source.endswith("; our reading") for named in own)


def test_masks_and_scales_differ_in_nothing_else() -> None:
    members = study_spec("mask-and-scale", "minutes").members
    assert {m.spec.policy for m in members} == {"supermask", "batchnorm", "supermask+batchnorm"}
    alike = [{m.spec.init.norm for m in members if m.spec.policy == name} for name in {m.spec.policy for m in members}]
    assert alike == [{"ones", "uniform"}] * 3, "each from both beginnings"
    assert len({(m.spec.epochs, m.spec.train_examples, m.spec.architecture) for m in members}) == 1
    contrasts = STUDIES["mask-and-scale"].criterion.contrasts(study_spec("mask-and-scale", "minutes"))
    assert len(contrasts) == 4 and all(contrast.decides and contrast.pairs for contrast in contrasts)


def test_sparse_weights_are_compared_with_the_usual_ones() -> None:
    study = study_spec("sparse-weights", "minutes")
    assert {m.spec.policy for m in study.members} == {"batchnorm"}
    contrasts = STUDIES["sparse-weights"].criterion.contrasts(study)
    assert [contrast.label for contrast in contrasts if contrast.decides] == [
        f"sparse-{k} minus he-normal, ResNet-14" for k in (1, 2, 4, 8)
    ]
    assert {"condition-start", "idle-start"} <= set(STUDIES["sparse-weights"].shown("minutes"))


def test_a_claim_fits_a_row() -> None:
    assert all(len(named.claim.split()) <= 16 for named in STUDIES.values())


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", NAMES)
def test_every_grid_makes_runs_and_has_something_to_decide(name: str, scale: Scale) -> None:
    study, named = study_spec(name, scale), STUDIES[name]
    if study.base["dataset"] == "imagenet" and "ONLYBN_IMAGENET" not in os.environ:
        with pytest.raises(StudyUnavailable, match=r"study imagenet at scale paper: .*(?i:imagenet)"):
            _ = study.members
        return
    members = study.members
    assert len({member.digest for member in members}) == len(members), "no run twice"
    assert study == StudySpec.model_validate_json(study.model_dump_json())
    quantity = named.criterion.quantity_at(scale)
    assert quantity in QUANTITIES
    verdict = judge(named.criterion, study, [])
    assert verdict.outcome == "undecided" and any(c.decides for c in verdict.comparisons)
    drawn = figure(named.plot, quantity, study, [], named.marks)
    assert drawn.ticks and not drawn.series
    if named.marks and scale == "paper":
        assert drawn.marks


@pytest.mark.parametrize("name", NAMES)
def test_the_minutes_are_ten_at_most_on_two_cores(name: str) -> None:
    assert study_cost(study_spec(name, "minutes")).seconds <= 600


@pytest.mark.parametrize("name", NAMES)
def test_an_evening_is_an_evening(name: str) -> None:
    assert 0.1 <= study_cost(study_spec(name, "evening")).seconds / 3600 <= 9


def test_the_papers_scale() -> None:
    depth = study_spec("depth", "paper")
    assert len(depth.members) == 7 * 5
    assert {member.spec.epochs for member in depth.members} == {160}
    assert {member.spec.dataset for member in depth.members} == {"cifar-10"}


def test_three_questions_share_their_runs() -> None:
    digests = [{member.digest for member in study_spec(name, "minutes").members} for name in ("gamma", "threshold")]
    assert digests[0] == digests[1]
    shared = {m.digest for m in study_spec("depth", "evening").members} & {
        m.digest for m in study_spec("width", "evening").members
    }
    assert not shared, "resnet-14 and wrn-14-1 are the same network under two names; their runs are two"


def test_the_first_replicate_of_all_settings_comes_first() -> None:
    members = study_spec("random-k", "minutes").members
    assert [member.replicate for member in members] == [0] * 6 + [1] * 6 + [2] * 6
    assert members[1].key == {"architecture": "resnet-14", "policy": "random-1"}
    assert members[1].spec.name == "random-k: random-1, replicate 0"


def test_only_checked_numbers_of_the_paper_are_there() -> None:
    assert {mark.tag for mark in MARKS} <= set(PROVENANCE) == {"F", "D"}
    depth = {m.architecture: m.value for m in STUDIES["depth"].marks}
    assert (depth["resnet-14"], depth["resnet-110"], depth["resnet-866"]) == (47.9, 69.8, 82.0)
    for name in ("threshold", "relu-off", "weight-init"):
        assert not STUDIES[name].marks, "the paper's values for this are not known here"


def test_a_grid_that_cannot_be_run_says_why() -> None:
    fields = {"study": "depth", "scale": "minutes", "base": {"dataset": "mnist", "epochs": 1}, "replicates": 1}
    study = StudySpec.model_validate(fields | {"axes": [Axis(field="architecture", values=("resnet-14",))]})
    with pytest.raises(StudyUnavailable, match=r"study depth at scale minutes: .*policy is missing"):
        _ = study.members
    with pytest.raises(ValidationError, match="each field may vary only once"):
        StudySpec.model_validate(fields | {"axes": [{"field": "policy", "values": ["all"]}] * 2})
    with pytest.raises(ValidationError, match="policy may have each value only once, got all, all"):
        StudySpec.model_validate(fields | {"axes": [{"field": "policy", "values": ["all", "all"]}]})


@pytest.mark.parametrize(
    ("base", "axis", "named"),
    [
        ({"seeds": {"init": 1, "order": 2, "augmentation": 3, "choice": 4}}, "policy", "seeds"),
        ({"replicate": 3}, "policy", "replicate"),
        ({"name": "mine"}, "policy", "name"),
        ({}, "seeds.init", "seeds.init"),
        ({}, "replicate", "replicate"),
    ],
)
def test_what_makes_replicates_differ_is_not_for_setting(base: dict[str, object], axis: str, named: str) -> None:
    shared = {"architecture": "resnet-14", "policy": "all", "dataset": "digits", "epochs": 1}
    axes = (Axis(field=axis, values=("all",) if axis == "policy" else (1, 2)),)
    study = StudySpec(study="depth", scale="minutes", base=shared | base, axes=axes, replicates=3)
    with pytest.raises(StudyUnavailable, match=f"sets replicate, seeds, name of its runs itself, so {named} cannot"):
        _ = study.members
