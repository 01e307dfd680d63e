"""The question whether γ and β alone adapt better: what it measures, its figure, its verdict, and who may ask it."""

from __future__ import annotations

import pytest

from core.catalog.corruptions import CORRUPTIONS
from core.run.adaptation import Adapted, Share
from core.studies.asked.question import question_of
from core.studies.asked.words import BadQuestion
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.figures import figure
from core.studies.records import QUANTITIES, Record
from core.studies.spec import Member
from core.studies.statistics import wilson
from core.studies.verdicts import judge
from tests.core.studies.made import findings, finished

STUDY = study_spec("adapt", "minutes")
ADAPT = STUDIES["adapt"]


def share(value: float) -> Share:
    return Share(share=value, low=value, high=value)


def adapted(member: Member, gain: float) -> Record:
    """A run that gains `gain` by adapting, of which 0.04 come from the statistics; it has the clean images, too."""
    rows = [Adapted(corruption=None, severity=0, images=500, trained=share(0.9), statistics=share(0), entropy=share(0))]
    for place, name in enumerate(CORRUPTIONS):
        trained = 0.3 + 0.02 * place
        values = {"trained": trained, "statistics": trained + 0.04, "entropy": trained + gain}
        rows.append(Adapted(corruption=name, severity=3, images=500, **{k: share(v) for k, v in values.items()}))
    return Record(member.spec, finished(0.9), findings().model_copy(update={"adapted": tuple(rows)}))


def test_quantities_are_means_over_the_corruptions_without_the_clean_images() -> None:
    record = adapted(STUDY.members[0], 0.1)
    found = {row.name: row.of(record) for row in QUANTITIES.values() if row.adapts}
    assert found == pytest.approx(
        {"corrupted": 34, "test-statistics": 38, "adapted": 44, "adapt-gain": 10, "entropy-gain": 6}
    )
    assert QUANTITIES["adapt-gain"].step(record) == pytest.approx(100 / (5 * 500)), "one image of five times 500"
    for without in (Record(record.spec, record.result), Record(record.spec, record.result, findings())):
        assert not [row.name for row in QUANTITIES.values() if row.adapts and row.of(without) is not None]


@pytest.mark.parametrize(("ours", "theirs", "outcome"), [(0.2, 0.1, "holds"), (0.1, 0.2, "fails")])
def test_the_larger_gain_decides(ours: float, theirs: float, outcome: str) -> None:
    noise = (0.0, 0.004, -0.003)
    records = [
        adapted(m, (ours if m.spec.policy == "batchnorm" else theirs) + noise[m.replicate] * (m.spec.policy == "all"))
        for m in STUDY.members
    ]
    verdict = judge(ADAPT.criterion, STUDY, records)
    assert verdict.outcome == outcome and "points" in verdict.sentence


def test_the_figure_has_a_line_a_policy_over_the_corruptions() -> None:
    records = [adapted(m, 0.2 if m.spec.policy == "batchnorm" else 0.1) for m in STUDY.members]
    drawn = figure(ADAPT.plot, "adapt-gain", STUDY, records, ())
    titles = tuple(row.title for row in CORRUPTIONS.values())
    assert drawn.ticks == titles and [series.x for series in drawn.series] == [titles, titles]
    assert {series.policy: series.mean for series in drawn.series} == {
        "batchnorm": pytest.approx((20.0,) * 5),
        "all": pytest.approx((10.0,) * 5),
    }
    assert [len(values) for series in drawn.series for values in series.values] == [3] * 10


def test_every_run_of_it_adapts_and_trains_as_the_same_run_without() -> None:
    for member in STUDY.members:
        assert member.spec.adapt is not None and member.spec.adapt.batch_size == 200
        plain = member.spec.model_copy(update={"adapt": None})
        assert plain.digest != member.digest and plain.seeds == member.spec.seeds


def test_a_question_about_adaptation_needs_runs_that_adapt() -> None:
    fields = {
        "title": "Mine",
        "base": {"architecture": "resnet-14", "dataset": "digits", "epochs": 2},
        "vary": {"policy": ["batchnorm", "all"]},
        "claim": {"kind": "beats", "value": "batchnorm", "quantity": "adapt-gain"},
    }
    with pytest.raises(BadQuestion, match=r"claim\.quantity: adapt-gain is measured only where runs adapt") as error:
        question_of(fields).study()
    assert error.value.faults[0].field == "claim.quantity"
    base = {**fields["base"], "adapt": {"severities": [2]}}  # type: ignore[dict-item]
    study = question_of({**fields, "base": base}).study()
    assert all(member.spec.adapt and member.spec.adapt.severities == (2,) for member in study.members)


def test_the_interval_of_a_share() -> None:
    # Brown, Cai and DasGupta (2001) show Wilson's interval; these from its formula with z = 1.959964.
    low, high = wilson(10, 100)
    assert (low, high) == (pytest.approx(0.05523, abs=1e-5), pytest.approx(0.17437, abs=1e-5))
    assert wilson(0, 50)[0] == 0 and wilson(50, 50)[1] == 1
    assert wilson(0, 50)[1] == pytest.approx(1 - wilson(50, 50)[0])
