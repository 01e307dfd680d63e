"""The findings: for each question what the paper claims, what the shipped runs measured, and what we make of it.

The page /findings and FINDINGS.md say the same. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from core.documents import templates
from core.documents.forest import forest
from core.studies import against, shipped
from core.studies.catalog.table import STUDIES
from core.studies.discussion import DISCUSSION
from core.studies.named import NamedStudy
from core.studies.records import QUANTITIES
from core.studies.results import in_words, rows
from core.studies.shipped import ShippedStudy
from core.studies.verdicts import Verdict, judge

PICTURES = "static/pictures/findings"


@dataclass(frozen=True)
class Answer:
    """A shipped study in words and pictures."""

    study: ShippedStudy
    named: NamedStudy
    verdict: Verdict

    @property
    def whole(self) -> bool:
        return len(self.study.runs) == len(self.study.spec.members)

    @property
    def words(self) -> str:
        """The verdict, or how much of the study there is."""
        if self.whole or self.verdict.outcome != "undecided":
            return self.verdict.words
        return f"{len(self.study.runs)} of {len(self.study.spec.members)} runs so far"

    @property
    def ours(self) -> str:
        return against.ours_in_words(self.verdict)

    @property
    def setting(self) -> str:
        return against.setting_in_words(self.study.spec, against.replicates(self.study.spec, self.verdict))

    @property
    def further(self) -> str:
        return against.further(self.study.spec, self.study.records)

    @property
    def picture(self) -> str:
        """Where its figure lies as a file."""
        return f"{PICTURES}/{self.named.name}-{self.study.spec.scale}.svg"

    def drawing(self, *, alone: bool = False) -> str:
        """Its figure as SVG; `alone`: for a file."""
        papers = against.paper_differences(self.named.name)
        return forest(self.named.criterion, self.verdict, papers, alone=alone)

    @property
    def results(self) -> list[tuple[str, str, int]]:
        """Of each setting: its place in the grid, mean and deviation of what decides, and the number of runs."""
        quantity = QUANTITIES[self.named.criterion.quantity_at(self.study.spec.scale)]
        found = []
        for row in rows(self.study.spec, self.study.records):
            if told := row.values.get(quantity.name):
                sd = "" if told.sd is None else f" ± {told.sd:.2f}"
                found.append((in_words(row.key), f"{told.mean:.2f}{sd}{quantity.unit}", row.finished))
        return found


@dataclass(frozen=True)
class Finding:
    """A question with what was measured at each scale, the largest first."""

    named: NamedStudy
    measured: list[Answer] = field(default_factory=list)

    @property
    def paper(self) -> str:
        return against.paper_in_words(self.named)

    @property
    def paper_setting(self) -> str:
        return against.paper_setting(self.named)

    @property
    def discussion(self) -> str:
        return DISCUSSION.get(self.named.name, "")


@lru_cache(1)
def findings() -> list[Finding]:
    """All questions of which a comparison has been measured, in the order of the table."""
    found = {name: Finding(named) for name, named in STUDIES.items()}
    for study in shipped.studies(shipped.read()):
        named = STUDIES[study.spec.study]
        measured = Answer(study, named, judge(named.criterion, study.spec, study.records))
        if measured.ours != against.NONE:
            found[named.name].measured.insert(0, measured)
    return [finding for finding in found.values() if finding.measured]


def hours(found: Iterable[Finding]) -> float:
    """Of training, each run counted once."""
    runs = {run.spec.digest: run for finding in found for one in finding.measured for run in one.study.runs}
    return sum(run.result.seconds for run in runs.values()) / 3600


def page() -> str:
    """The findings as a part of a page."""
    return _rendered("core/documents/findings.html.j2")


def markdown() -> str:
    """FINDINGS.md."""
    return _rendered("core/documents/findings.md.j2")


def pictures() -> dict[str, str]:
    """The figures as files, by their path in the project."""
    return {one.picture: one.drawing(alone=True) for finding in findings() for one in finding.measured}


def _rendered(template: str) -> str:
    found = findings()
    runs = {run.spec.digest for finding in found for one in finding.measured for run in one.study.runs}
    return templates.render(template, findings=found, runs=len(runs), hours=hours(found), unknown=against.NONE)
