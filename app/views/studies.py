"""Studies as the API and the Paper page show them: the JSON shapes and what fills them. No requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from typing_extensions import TypedDict

from app.views.questions import QuestionView, question
from app.views.runs import run_url, short
from core.catalog.paper import PROVENANCE
from core.run.findings import Findings
from core.studies import costs
from core.studies.catalog import STUDIES
from core.studies.figures import figure
from core.studies.records import QUANTITIES, Record
from core.studies.results import rows
from core.studies.spec import SCALES, Scale, StudySpec, StudyUnavailable
from core.studies.verdicts import judge
from jobs.store.records import Run
from jobs.store.store import Store
from jobs.store.studies import Study

RECENT, KEEP_S = 30, 10.0
TELLING_S = 10.0
"""Estimated seconds from which on a run tells something of the pace here."""


class MemberView(TypedDict):
    """A run of a study and its place in the grid."""

    key: dict[str, Any]
    replicate: int
    id: str
    url: str
    state: str
    share: float
    top1: float | None
    error: str | None


class StudyView(TypedDict):
    """A study as it stands: how far it is as one, its runs, verdict, figure and rows (one a setting).

    `share` is 0..1, weighted by what the runs cost. `columns` are the quantities of `rows` to show;
    `report` and `csv` are addresses of downloads. `unavailable` says what is missing here to draw its figure and its
    rows (null: nothing), such as the folder of its images; without it there is neither.
    """

    id: str
    name: str
    scale: str
    unavailable: str | None
    url: str
    state: str
    cancelled: bool
    created_at: float
    share: float
    counts: dict[str, int]
    members: list[MemberView]
    verdict: dict[str, Any]
    figure: dict[str, Any] | None
    rows: list[dict[str, Any]]
    columns: list[dict[str, str]]
    report: str
    csv: str


class Questions(TypedDict):
    """All questions, and the newest study of each at each scale. `provenance` says what the paper's tags mean."""

    questions: list[QuestionView]
    studies: list[StudyView]
    provenance: dict[str, str]


class LaunchedStudy(TypedDict):
    """A new study, or one that has answered the same question already, which has no new owner: its token is null.

    `owner_token` is shown this once; `new_runs` says how many runs the study had to launch.
    """

    id: str
    url: str
    owner_token: str | None
    new_runs: int


class Studies:
    """Reads studies out of `store`; what never changes is read once."""

    def __init__(
        self,
        store: Store,
        public_url: str | None = None,
        largest: Scale = SCALES[-1],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._public_url, self._largest, self._clock = store, public_url, largest, clock
        self._findings = lru_cache(2000)(self._read_findings)
        self._lock = threading.Lock()
        self._pace: float | None = None
        self._read_at = float("-inf")

    def questions(self) -> Questions:
        pace = self.pace()
        return {
            "questions": [question(name, pace, self._largest) for name in STUDIES],
            "studies": [self.view(study) for study in self._store.studies.latest() if study.spec.study in STUDIES],
            "provenance": {tag: known.sentence for tag, known in PROVENANCE.items()},
        }

    def view(self, study: Study) -> StudyView:
        named, records = STUDIES[study.spec.study], self.records(study)
        quantity = named.criterion.quantity_at(study.spec.scale)
        prices = [costs.run_s(run.spec.model_copy(update={"name": None})) for run in study.runs]
        shares = [_share(run) for run in study.runs]
        states = [run.state for run in study.runs]
        try:
            drawn = figure(named.plot, quantity, study.spec, records, named.marks).model_dump(mode="json")
            by_setting = [row.model_dump(mode="json") for row in rows(study.spec, records)]
            unavailable = None
        except StudyUnavailable as error:  # its runs are there, but the grid's place for each cannot be made
            drawn, by_setting, unavailable = None, [], str(error)
        base = f"/api/studies/{study.id}"
        return {
            "id": study.id,
            "name": named.name,
            "scale": study.spec.scale,
            "unavailable": unavailable,
            "url": study_url(study.id, self._public_url),
            "state": study.state,
            "cancelled": study.cancelled,
            "created_at": study.created_at,
            "share": short(sum(p * s for p, s in zip(prices, shares, strict=True)) / sum(prices)),
            "counts": {
                state: states.count(state) for state in ("queued", "running", "finished", "failed", "cancelled")
            },
            "members": [
                _member(study.spec, run, share, self._public_url) for run, share in zip(study.runs, shares, strict=True)
            ],
            "verdict": judge(named.criterion, study.spec, records).model_dump(mode="json"),
            "figure": drawn,
            "rows": by_setting,
            "columns": [
                {"name": name, "title": QUANTITIES[name].title, "unit": QUANTITIES[name].unit}
                for name in named.shown(study.spec.scale)
            ],
            "report": f"{base}/report",
            "csv": f"{base}/results",
        }

    def records(self, study: Study) -> list[Record]:
        """The finished runs of a study, as verdicts read them."""
        done = [run for run in study.runs if run.state == "finished" and run.result]
        return [
            Record(run.spec, run.result, self._findings(run.id), run.started.processes if run.started else 1)
            for run in done
            if run.result
        ]

    def failures(self, study: Study) -> dict[str, str]:
        """Why runs failed, by digest."""
        return {run.spec.digest: run.error_message or "" for run in study.runs if run.state == "failed"}

    def pace(self) -> float | None:
        """Seconds that the last runs here took for one second of the estimate; None before the first."""
        with self._lock:
            if self._clock() - self._read_at >= KEEP_S:
                runs, _ = self._store.runs.find(states={"finished"}, sort="finished_at", limit=RECENT)
                self._pace, self._read_at = _pace(runs), self._clock()
            return self._pace

    def _read_findings(self, run_id: str) -> Findings | None:
        return self._store.results.findings(run_id)


def study_url(study_id: str, public_url: str | None = None) -> str:
    """The link of a study."""
    return f"{public_url or ''}/paper?study={study_id}"


def _pace(runs: Sequence[Run]) -> float | None:
    """All seconds over all estimates, so that long runs count more; resumed runs know their last attempt only.

    What a short run takes says little of the runs of a study: most of it is not arithmetic.
    """
    here = [run for run in runs if run.result and not run.example]
    whole = [run for run in here if run.attempt == 1 and costs.run_s(run.spec) >= TELLING_S]
    expected = sum(costs.run_s(run.spec) - costs.START_S for run in whole)
    return sum(run.result.seconds for run in whole if run.result) / expected if expected > 0 else None


def _share(run: Run) -> float:
    if run.state in ("finished", "failed", "cancelled"):
        return 1.0
    return run.step / run.total_steps if run.total_steps else 0.0


def _member(study: StudySpec, run: Run, share: float, public_url: str | None) -> MemberView:
    return {
        "key": {axis.field: attrgetter(axis.field)(run.spec) for axis in study.axes},
        "replicate": run.spec.replicate,
        "id": run.id,
        "url": run_url(run.id, public_url),
        "state": run.state,
        "share": short(share),
        "top1": run.top1,
        "error": run.error_message,
    }
