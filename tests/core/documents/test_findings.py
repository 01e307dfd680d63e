"""The findings: FINDINGS.md and its figures are those of what is shipped, and the page says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.documents import findings
from core.studies import shipped
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.discussion import DISCUSSION
from core.studies.matching import crossing, matching
from tests.core.studies.made import record

ROOT = Path(__file__).parents[3]
ANEW = "python -m tests.benchmarks.findings write"


def test_the_file_is_made_of_what_is_shipped() -> None:
    assert (ROOT / "FINDINGS.md").read_text() == findings.markdown(), ANEW
    pictures = findings.pictures()
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / findings.PICTURES).glob("*.svg")}
    assert there == set(pictures), ANEW
    assert all((ROOT / name).read_text() == drawing for name, drawing in pictures.items()), ANEW


def test_each_run_counts_once() -> None:
    found = findings.findings()
    shown = {run.spec.digest for finding in found for one in finding.measured for run in one.study.runs}
    seconds = sum(run.result.seconds for digest, run in shipped.read().items() if digest in shown)
    assert findings.hours(found) == pytest.approx(seconds / 3600)


def test_the_page_has_every_finding_with_its_numbers() -> None:
    page = findings.page()
    for finding in findings.findings():
        assert f'id="{finding.named.name}"' in page
        for one in finding.measured:
            assert one.ours in page and one.setting in page


def test_each_verdict_is_discussed_and_nothing_else() -> None:
    decided = {finding.named.name for finding in findings.findings() if any(one.whole for one in finding.measured)}
    assert decided <= set(DISCUSSION) <= set(STUDIES)
    assert all(len(text.split()) <= 120 for text in DISCUSSION.values())


@pytest.mark.parametrize(
    ("target", "accuracies", "k"),
    [
        (0.5, {1: 0.1, 2: 0.3, 4: 0.7}, 2 * 2**0.5),
        (0.3, {1: 0.1, 2: 0.3, 4: 0.7}, 2.0),
        (0.9, {1: 0.1, 2: 0.3, 4: 0.7}, None),
        (0.05, {1: 0.1, 2: 0.3}, None),
        (0.2, {4: 0.4, 2: 0.1, 1: 0.3}, 2 * 2 ** (1 / 3)),
    ],
)
def test_where_random_weights_match(target: float, accuracies: dict[int, float], k: float | None) -> None:
    assert crossing(target, accuracies) == (k if k is None else pytest.approx(k))


def test_how_many_match_in_words() -> None:
    study = study_spec("random-k", "minutes")
    top1 = {"random-1": 0.1, "random-2": 0.2, "random-4": 0.4, "random-8": 0.6, "random-16": 0.8, "batchnorm": 0.5}
    records = [
        record(m, top1[m.spec.policy] + 0.01 * m.replicate * (m.spec.policy == "batchnorm")) for m in study.members
    ]
    assert matching(study, records) == (
        "On ResNet-14, 5.9 random weights per channel do as well as γ and β (95% interval 5.4 to 6.4, n = 3)."
    )
    far = [record(m, 0.9 if m.spec.policy == "batchnorm" else 0.2) for m in study.members]
    assert "3 of 3 replicates stay below BatchNorm with up to 16 random weights" in matching(study, far)
    assert matching(study, records[:1]) == ""
