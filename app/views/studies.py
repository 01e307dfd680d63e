"""Studies as the API and the Paper page show them: the JSON shapes, and functions that fill them. No requests."""

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
from core.studies.catalog.table import STUDIES
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
"""A run tells something about this server's pace if its estimate has at least so many seconds."""


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
    """The present state of a study: its progress, runs, verdict, figure and rows (one per setting).

    `share` is 0..1, weighted by the cost of the runs. `columns` are the quantities of `rows` to show;
    `report` and `csv` are addresses of downloads. `unavailable` says what is missing here, such as the folder of its
    images; then the study has no figure and no rows. Null: nothing is missing.
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
    """All questions, and the newest study of each at each scale. `provenance` explains the paper's tags."""

    questions: list[QuestionView]
    studies: list[StudyView]
    provenance: dict[str, str]


class LaunchedStudy(TypedDict):
    """A new study, or one that has already answered the same question; such a study has no token (null).

    `owner_token` is shown only once; `new_runs` says how many runs the study had to launch.
    """

    id: str
    url: str
    owner_token: str | None
    new_runs: int


class Studies:
    """Reads studies from `store`; caches what never changes."""

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
        except StudyUnavailable as error:  # the runs exist, but their places in the grid cannot be computed
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
        """The finished runs of a study in the form that verdicts need."""
        done = [run for run in study.runs if run.state == "finished" and run.result]
        return [
            Record(
                run.spec,
                run.result,
                self._findings(run.id),
                *((run.started.processes, run.started.engine) if run.started else ()),
            )
            for run in done
            if run.result
        ]

    def failures(self, study: Study) -> dict[str, str]:
        """Why runs failed, by digest."""
        return {run.spec.digest: run.error_message or "" for run in study.runs if run.state == "failed"}

    def pace(self) -> float | None:
        """Seconds that the last runs here took per estimated second; None before the first run."""
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
    """All seconds divided by all estimates, so that long runs count more.

    Resumed runs do not count, because they know only the seconds of their last attempt. Short runs do not count,
    because most of their time is not arithmetic.
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
