"""The results that come with the project: each belongs to a question, and its verdict is what its numbers give."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.studies import shipped
from core.studies.catalog.table import STUDIES, study_spec
from core.studies.spec import SCALES
from core.studies.verdicts import judge

RUNS = shipped.read()
STUDIES_THERE = list(shipped.studies(RUNS))
MOST_BYTES = 8 << 20


def test_what_is_shipped_is_small_and_belongs_to_questions() -> None:
    assert RUNS
    assert sum(file.stat().st_size for file in shipped.FOLDER.parent.rglob("*") if file.is_file()) <= MOST_BYTES
    assert RUNS.keys() <= {run.spec.digest for study in STUDIES_THERE for run in study.runs}


@pytest.mark.parametrize("study", STUDIES_THERE, ids=lambda study: study.id)
def test_each_study_has_a_verdict_and_says_where_it_comes_from(study: shipped.ShippedStudy) -> None:
    named = STUDIES[study.spec.study]
    verdict = judge(named.criterion, study.spec, study.records)
    if verdict.outcome != "undecided":
        deciding = [compared.difference for compared in verdict.comparisons if compared.decides]
        assert all(found and found.n == study.spec.replicates for found in deciding)
    assert study.machines and study.hours > 0 and study.spec.scale in SCALES
    for run in study.runs:
        assert run.result.epoch == run.spec.epochs and run.started.spec_digest == run.spec.digest
        assert run.points[-1].step == run.result.step
        assert run.result.top1 == max(run.points, key=lambda point: (point.step, point.split == "test")).top1


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    some = dict(list(RUNS.items())[:3])
    shipped.write(some.values(), tmp_path)
    assert shipped.read(tmp_path) == some
    again = (tmp_path / f"{next(iter(some.values())).spec.dataset}.jsonl").read_bytes()
    shipped.write(shipped.read(tmp_path).values(), tmp_path)
    assert (tmp_path / f"{next(iter(some.values())).spec.dataset}.jsonl").read_bytes() == again


def test_a_study_that_has_made_its_members_has_others_on_a_copy() -> None:
    study = study_spec("depth", "evening")
    assert study.members[0].spec.copy_of_data is None
    copy = {"kind": "JPEG", "fingerprint": "0123456789abcdef"}
    told = shipped.with_copy(study, copy).members[0].spec.copy_of_data
    assert told is not None and told.model_dump() == copy
    assert study.members[0].spec.copy_of_data is None
