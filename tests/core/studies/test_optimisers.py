"""The question of computed γ and β: what it compares, what decides it, and the optimiser's share of the gap."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.run.computation import Computed
from core.run.spec import RunSpec
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.figures import figure
from core.studies.optimisers import optimiser_share
from core.studies.records import QUANTITIES, Record
from core.studies.verdicts import judge
from tests.core.studies.made import record

STUDY, COMPUTED = study_spec("computed", "minutes"), STUDIES["computed"]
BETTER = {"adam": 0.9, "sgd": 0.5, "least-squares": 0.6}


def made(**better: float) -> list[Record]:
    """The finished runs; the accuracies by optimizer are these, and the teacher's is 1."""
    taught = Computed(teacher="resnet-14", teacher_digest="0" * 64, teacher_top1=1.0, images=1438, layers=())

    def finished(spec: RunSpec) -> float:
        return {**BETTER, **better}[spec.recipe.optimizer] + 0.002 * spec.replicate

    rows = []
    for member in STUDY.members:
        row = record(member, finished(member.spec), disabled=0.1)
        if member.spec.teacher:
            assert row.findings is not None
            row = replace(row, findings=row.findings.model_copy(update={"computed": taught}))
        rows.append(row)
    return rows


def test_only_the_optimizer_differs() -> None:
    contrasts = COMPUTED.criterion.contrasts(STUDY)
    assert [contrast.label for contrast in contrasts if contrast.decides] == [
        f"Adam minus Least squares, WRN-14-{width}" for width in (1, 2, 4)
    ]
    assert [contrast.label for contrast in contrasts if not contrast.decides] == [
        f"Adam minus SGD, WRN-14-{width}" for width in (1, 2, 4)
    ]
    assert all(contrast.pairs for contrast in contrasts)
    alike = {m.spec.model_copy(update={"recipe": None, "architecture": "", "name": None}) for m in STUDY.members}
    assert len(alike) == STUDY.replicates, "a replicate has one seed for all"


@pytest.mark.parametrize(("computed", "outcome"), [(0.6, "holds"), (0.95, "fails")])
def test_a_construction_that_beats_adam_decides_against_the_claim(computed: float, outcome: str) -> None:
    records = made(**{"least-squares": computed})
    assert judge(COMPUTED.criterion, STUDY, records).outcome == outcome
    drawn = figure(COMPUTED.plot, "top1", STUDY, records, ())
    assert drawn.labels == ("1", "2", "4")
    assert [series.name for series in drawn.series] == [
        f"BatchNorm only, {name}" for name in ("SGD", "Adam", "Least squares")
    ]


def test_the_share_of_the_optimiser_is_of_the_gap_to_the_teacher() -> None:
    # The gap is 1 - 0.502 and Adam is 0.4 above SGD, as means over three replicates.
    words = optimiser_share(STUDY, made())
    assert words.startswith(
        "Of the points by which SGD ends below the teacher, Adam makes up: WRN-14-1, 80% of 49.8 (n = 3)"
    )
    assert words.count("n = 3") == 3
    assert COMPUTED.further is optimiser_share and optimiser_share(STUDY, []) == ""
    one = next(row for row in made() if row.spec.teacher)
    assert QUANTITIES["teacher"].of(one) == 100
    assert "teacher" in COMPUTED.shown("minutes")
    assert QUANTITIES["teacher"].of(made()[0]) is None
    assert "where SGD reaches the teacher" in optimiser_share(STUDY, made(sgd=1.0))
