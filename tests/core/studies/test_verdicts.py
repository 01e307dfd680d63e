"""Verdicts on made-up runs: each rule in each of its three outcomes, and with too few runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.documents.study import Page, report
from core.run.findings import Findings
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.figures import figure
from core.studies.records import QUANTITIES, Record
from core.studies.results import long_csv, rows
from core.studies.spec import Axis, Member, StudySpec, StudyUnavailable
from core.studies.verdicts import Contrast, Criterion, Verdict, judge
from tests.core.studies.made import record


def verdict(name: str, top1: Callable[[Member], float], keep: int = 99, **found: float) -> Verdict:
    study = study_spec(name, "minutes")
    records = [record(member, top1(member), **found) for member in study.members if member.replicate < keep]
    return judge(STUDIES[name].criterion, study, records)


def depth_of(member: Member) -> int:
    return int(member.spec.architecture.rpartition("-")[2])


def noise(member: Member) -> float:
    return [0.0, 0.01, -0.01, 0.005, -0.005][member.replicate]


def test_depth_in_its_three_outcomes() -> None:
    rising = verdict("depth", lambda m: 0.4 + depth_of(m) / 500 + noise(m))
    assert (rising.outcome, rising.words) == ("holds", "holds here")
    assert rising.comparisons[0].method == "Welch"
    assert [row.label for row in rising.comparisons] == ["ResNet-32 minus ResNet-14", "ResNet-56 minus ResNet-32"]
    assert "+3.6 points of test accuracy" in rising.sentence
    falling = verdict("depth", lambda m: 0.6 - depth_of(m) / 500 + noise(m))
    assert falling.words == "does not hold here"
    flat = verdict("depth", lambda m: 0.5 + noise(m))
    assert flat.words == "undecided" and "More replicates or longer runs" in flat.sentence


def test_every_step_must_rise_not_only_the_ends() -> None:
    dented = verdict("depth", lambda m: {14: 0.5, 32: 0.3, 56: 0.55}[depth_of(m)] + noise(m))
    assert dented.outcome == "fails" and "ResNet-32 minus ResNet-14: -20.0" in dented.sentence


def test_nothing_is_decided_before_all_replicates_have_finished() -> None:
    for keep in range(5):
        early = verdict("depth", lambda m: 0.4 + depth_of(m) / 500 + noise(m), keep=keep)
        assert early.outcome == "undecided" and "when all 5 replicates on each side have finished" in early.sentence
    assert early.comparisons[0].difference is not None and early.comparisons[0].difference.n == 4
    two = StudySpec.model_validate({**study_spec("depth", "minutes").model_dump(), "replicates": 2})
    told = judged("depth", two, lambda m: 0.4 + depth_of(m) / 500 + noise(m))
    assert told.outcome == "undecided" and "needs 3 replicates; this study has 2" in told.sentence


def test_equal_replicates_prove_no_more_than_one_test_image_can() -> None:
    image = 1 / 2000
    same = verdict("depth", lambda m: 0.4 + image / 2 * depth_of(m) / 14)
    low, high = same.comparisons[0].ends
    assert high - low == pytest.approx(2 * 100 * image)
    assert verdict("depth", lambda m: 0.5).outcome == "undecided"


def test_one_bad_comparison_of_many_needs_the_stricter_interval() -> None:
    nets = ("resnet-14", "resnet-20", "resnet-26", "resnet-32", "resnet-38", "resnet-44", "resnet-50")
    study = with_axes("depth", architecture=nets)

    def dip(size: float) -> Verdict:
        return judged("depth", study, lambda m: 0.5 + depth_of(m) / 100 - size * (depth_of(m) == 50) + noise(m))

    assert dip(0.075).comparisons[-1].one_of_many == pytest.approx(1 - 0.05 / 6)
    assert dip(0.075).comparisons[-1].ends[1] < 0 < dip(0.075).comparisons[-1].strict[1]
    assert dip(0.075).outcome == "undecided" and dip(0.1).outcome == "fails"


def test_number_formats_that_are_mixed_are_named() -> None:
    study = study_spec("depth", "minutes")
    words = ("fused (compiled kernels), bf16", "fused (compiled kernels), fp32, gradients in bf16, kept in 8 bits")
    made = [record(m, 0.5 + noise(m)) for m in study.members]
    mixed = [replace(one, engine=words[i % 2]) for i, one in enumerate(made)]
    told = judge(STUDIES["depth"].criterion, study, mixed)
    assert "computed in different number formats: bfloat16; float32 with gradients in bfloat16." in told.sentence
    assert "formats" not in judge(STUDIES["depth"].criterion, study, mixed[::2]).sentence


def test_random_k_is_decided_by_the_equal_count_alone() -> None:
    level = {"batchnorm": 0.6, "random-1": 0.2, "random-2": 0.3, "random-16": 0.7}
    told = verdict("random-k", lambda m: level.get(m.spec.policy, 0.5) + noise(m))
    assert told.outcome == "holds", "16 weights a channel are more parameters; that they win decides nothing"
    deciding = [row for row in told.comparisons if row.decides]
    assert [row.label for row in deciding] == ["BatchNorm only minus 2 random weights per channel, ResNet-14"]
    assert deciding[0].method == "paired" and len(told.comparisons) == 5


def test_one_better_initialisation_is_enough_but_at_a_stricter_level() -> None:
    level = {"uniform": 0.5, "ones": 0.49, "ones-shifted": 0.56, "uniform-signed": 0.48}
    told = verdict("norm-init", lambda m: level[m.spec.init.norm] + noise(m) * (1 + len(m.spec.init.norm) % 3))
    assert told.outcome == "holds"
    both = with_axes("norm-init", architecture=("resnet-14", "resnet-32"))

    def elsewhere(member: Member) -> float:  # each net has an alternate that helps it, and none helps both
        helps = {"resnet-14": "ones", "resnet-32": "ones-shifted"}[member.spec.architecture]
        return 0.5 + 0.1 * (member.spec.init.norm == helps) - 0.1 * (member.spec.init.norm == "x") + noise(member)

    assert judged("norm-init", both, elsewhere).outcome == "undecided"
    worse = verdict("norm-init", lambda m: (0.5 if m.spec.init.norm == "uniform" else 0.4) + noise(m))
    assert worse.outcome == "fails"


def test_little_difference_means_a_narrow_interval_not_a_wide_one() -> None:
    close = verdict("weight-init", lambda m: 0.5 + noise(m) / 2)
    assert close.outcome == "holds"
    far = verdict("weight-init", lambda m: 0.5 + noise(m) + 0.2 * (m.spec.init.weights == "binary"))
    assert far.outcome == "fails"
    wide = verdict("weight-init", lambda m: 0.5 + 9 * noise(m) * (m.spec.init.weights == "binary"))
    assert wide.outcome == "undecided"


def test_the_analyses_decide_where_the_question_is_about_features() -> None:
    study, named = study_spec("gamma", "minutes"), STUDIES["gamma"]
    share = {"batchnorm": 0.27, "all": 0.04}
    records = [record(m, 0.5, disabled=share[m.spec.policy] + noise(m)) for m in study.members]
    assert judge(named.criterion, study, records).outcome == "holds"
    study, named = study_spec("threshold", "minutes"), STUDIES["threshold"]
    without = [record(m, 0.5) for m in study.members]
    assert judge(named.criterion, study, without).outcome == "undecided", "nobody has analysed these runs"
    small = [record(m, 0.5, change=-0.002 + noise(m) / 10) for m in study.members]
    held = judge(named.criterion, study, small)
    assert held.outcome == "holds" and "nothing was set to zero" not in held.sentence
    nothing = [replace(one, findings=unzeroed(one.findings)) for one in small]
    assert "No run has any γ below 0.01, so nothing was set to zero" in judge(named.criterion, study, nothing).sentence
    large = [record(m, 0.5, change=-0.05 + noise(m) / 10) for m in study.members]
    assert judge(named.criterion, study, large).outcome == "fails"
    drawn = figure(named.plot, "ablated", study, small, named.marks)
    assert {series.name for series in drawn.series} == {"BatchNorm only, ResNet-14", "All parameters, ResNet-14"}
    assert drawn.series[0].x[0] == 0.001 and drawn.unit == " points"


def unzeroed(found: Findings | None) -> Findings:
    assert found
    return found.model_copy(
        update={"ablation": tuple(row.model_copy(update={"zeroed": 0.0}) for row in found.ablation)}
    )


def test_the_figure_keeps_the_papers_marks_apart() -> None:
    study, named = study_spec("depth", "minutes"), STUDIES["depth"]
    records: list[Record] = [record(m, 0.4 + depth_of(m) / 500 + noise(m)) for m in study.members]
    drawn = figure(named.plot, "top1", study, records, named.marks)
    (ours,) = drawn.series
    assert ours.x == (14.0, 32.0, 56.0) and len(ours.values[0]) == study.replicates == 5
    assert ours.low[0] is not None and ours.low[0] < ours.mean[0]
    words = {marks.tag: marks.words for marks in drawn.marks}
    assert words == {"D": "paper, read off a figure, ±0.5 points", "F": "paper, stated in words"}
    assert drawn.ticks == (14.0, 32.0, 56.0, 110.0, 218.0, 434.0, 866.0)
    assert drawn.marks_note == "CIFAR-10, 160 epochs"


def with_axes(name: str, **axes: tuple[str, ...]) -> StudySpec:
    """The study as `--set` changes it; `__` stands for a dot."""
    changed = {key.replace("__", "."): values for key, values in axes.items()}
    study = study_spec(name, "minutes")
    kept = [axis for axis in study.axes if axis.field not in changed]
    made = [Axis(field=field, values=values) for field, values in changed.items()]
    return StudySpec.model_validate({**study.model_dump(), "axes": [axis.model_dump() for axis in (*made, *kept)]})


def judged(name: str, study: StudySpec, top1: Callable[[Member], float]) -> Verdict:
    return judge(STUDIES[name].criterion, study, [record(member, top1(member)) for member in study.members])


def test_deeper_is_deeper_in_whatever_order_it_is_asked_for() -> None:
    for nets in (("resnet-14", "resnet-56"), ("resnet-56", "resnet-14"), ("resnet-32", "resnet-56", "resnet-14")):
        told = judged("depth", with_axes("depth", architecture=nets), lambda m: 0.4 + depth_of(m) / 500 + noise(m))
        assert told.outcome == "holds" and told.comparisons[-1].label.startswith("ResNet-56 minus ResNet-")
    wide = judged("width", with_axes("width", architecture=("wrn-14-4", "wrn-14-2", "resnet-56")), lambda m: 0.5)
    assert [row.label for row in wide.comparisons] == ["WRN-14-4 minus WRN-14-2"], "depth and width do not compare"


def test_runs_of_another_policy_do_not_mix_into_a_verdict() -> None:
    """A second policy in the grid neither replaces nor joins the runs that the claim is about."""
    both = ("batchnorm", "all")

    def deeper(member: Member) -> float:  # BatchNorm gains by depth, all parameters lose
        gain = 0.1 if member.spec.policy == "batchnorm" else -0.1
        return 0.5 + gain * (member.spec.architecture == "resnet-32") + noise(member)

    assert judged("depth-or-width", with_axes("depth-or-width", policy=both), deeper).outcome == "holds"

    def starts(member: Member) -> float:
        gain = 0.1 if member.spec.policy == "batchnorm" else -0.1
        return 0.5 + gain * (member.spec.init.norm == "ones-shifted") + noise(member)

    told = judged("norm-init", with_axes("norm-init", policy=both), starts)
    assert told.outcome == "holds" and len(told.comparisons) == 3
    without = judged("norm-init", with_axes("norm-init", policy=("all",)), starts)
    assert without.outcome == "undecided" and without.sentence == "Nothing in this grid can decide the claim."


def test_a_further_axis_is_compared_value_by_value() -> None:
    study = with_axes("random-k", policy=("batchnorm", "random-2"), init__norm=("ones", "uniform"))
    told = judged("random-k", study, lambda m: 0.5 + 0.1 * (m.spec.policy == "batchnorm") + noise(m))
    assert told.outcome == "holds" and [row.difference.n for row in told.comparisons if row.difference] == [3, 3]
    assert told.comparisons[0].label.endswith(", ResNet-14, initially γ = 1, β = 0")


def test_without_batchnorm_compares_what_trains_and_nothing_else() -> None:
    study, named = study_spec("without-batchnorm", "minutes"), STUDIES["without-batchnorm"]

    def gains_at(norm: str) -> Callable[[Member], float]:
        return lambda m: 0.5 + 0.1 * (m.spec.policy == "all" and m.spec.init.norm == norm) + noise(m)

    told = judged("without-batchnorm", study, gains_at("ones"))
    assert [(row.label, row.decides, row.method) for row in told.comparisons] == [
        ("All parameters minus All but BatchNorm, ResNet-14, initially γ = 1, β = 0", True, "paired"),
        ("All parameters minus All but BatchNorm, ResNet-14, initially γ from U(0, 1), β = 0", False, "paired"),
    ]
    assert told.outcome == "holds" and "initially γ = 1, β = 0" in told.sentence
    assert judged("without-batchnorm", study, gains_at("uniform")).outcome == "undecided"
    for contrast in named.criterion.contrasts(study):
        assert contrast.less and {k for k in contrast.more if contrast.more[k] != contrast.less[k]} == {"policy"}


def test_each_initialisation_is_a_series_and_a_row_of_its_own() -> None:
    study, named = study_spec("without-batchnorm", "minutes"), STUDIES["without-batchnorm"]
    records = [record(m, {"ones": 0.6, "uniform": 0.4}[m.spec.init.norm]) for m in study.members]
    drawn = figure(named.plot, "top1", study, records, named.marks)
    assert {series.name: series.mean for series in drawn.series} == {
        "ResNet-14, initially γ = 1, β = 0": (60.0, 60.0),
        "ResNet-14, initially γ from U(0, 1), β = 0": (40.0, 40.0),
    }
    page = report(Page(study, records, {}))
    for cell in ("resnet-14, all, init.norm ones", "resnet-14, all-but-batchnorm, init.norm uniform"):
        assert f'<th scope="row">{cell}</th>' in page


def test_two_runs_of_one_replicate_are_refused() -> None:
    study = study_spec("gamma", "minutes")
    mixed = Criterion("top1", "above", lambda _: [Contrast("all of it", {"architecture": "resnet-14"})])
    with pytest.raises(StudyUnavailable, match="two different runs are replicate 0 of resnet-14"):
        judge(mixed, study, [record(member, 0.5 + noise(member)) for member in study.members])


def test_a_mark_of_another_quantity_is_not_drawn() -> None:
    named = STUDIES["imagenet"]
    assert [mark.quantity for mark in named.marks] == ["top5"], "the paper's 32% are top-5"
    ours = figure(
        named.plot, named.criterion.quantity_at("minutes"), study_spec("imagenet", "minutes"), [], named.marks
    )
    assert ours.y_title == "Test accuracy" and ours.marks == () and ours.ticks == (18.0, 34.0)
    theirs = figure(
        named.plot, named.criterion.quantity_at("paper"), study_spec("imagenet", "minutes"), [], named.marks
    )
    (mark,) = theirs.marks
    assert theirs.y_title == "Top-5 test accuracy" and mark.y == (32.0,)
    assert mark.text == ("paper: ImageNet ResNet-200, BatchNorm only, 32% top-5 (abstract of v3)",)


def test_every_mark_says_what_was_measured() -> None:
    for mark in (mark for named in STUDIES.values() for mark in named.marks):
        assert QUANTITIES[mark.quantity].short


def test_the_results_by_setting_and_as_csv() -> None:
    study, named = study_spec("gamma", "minutes"), STUDIES["gamma"]
    records = [record(m, 0.5 + noise(m), disabled=0.2) for m in study.members if m.replicate < 2]
    first = rows(study, records)[0]
    assert (first.key, first.finished, first.wanted) == ({"architecture": "resnet-14", "policy": "batchnorm"}, 2, 3)
    assert [first.values[name].mean for name in ("gamma-mean", "gamma-negative")] == [0.2, 25.0]
    assert named.shown("minutes") == ("disabled", "top1", "train", "gamma-mean", "gamma-sd", "gamma-negative")
    lines = long_csv(study, records).splitlines()
    assert lines[0].endswith("processes,quantity,value,unit,digest")
    assert any(line.startswith("gamma,minutes,resnet-14,batchnorm") and ",1,top1,50,percent," in line for line in lines)
    two = long_csv(study, [replace(records[0], processes=2)]).splitlines()
    assert all(",2," in line for line in two[1:])


def test_guessing_is_guessing() -> None:
    assert verdict("chance", lambda m: 0.1 + noise(m)).outcome == "holds"
    assert verdict("chance", lambda m: 0.3 + noise(m)).outcome == "fails"


def test_depth_may_hurt_at_each_step() -> None:
    falling = verdict("output-and-depth", lambda m: 0.6 - depth_of(m) / 500 + noise(m))
    assert falling.outcome == "holds" and falling.comparisons[0].label == "ResNet-14 minus ResNet-32"
    assert verdict("output-and-depth", lambda m: 0.4 + depth_of(m) / 500 + noise(m)).outcome == "fails"
