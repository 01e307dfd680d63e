"""Studies as the API and the Paper page show them: the JSON shapes, and functions that fill them. No requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from operator import attrgetter

from typing_extensions import TypedDict

from app.views.cleaned import cleaned
from app.views.comparison import FIELDS
from app.views.questions import QuestionView, question
from app.views.runs import run_url, short
from app.views.study import MemberView, StudyView, told, varying
from core.catalog.paper import PROVENANCE
from core.run.findings import Findings
from core.studies import costs, shipped
from core.studies.catalog.table import STUDIES
from core.studies.records import Record
from core.studies.shipped import ShippedStudy
from core.studies.spec import SCALES, Scale, StudySpec
from jobs.store.records import Run
from jobs.store.store import Store
from jobs.store.studies import Study
from jobs.store.tallies import Filters

RECENT, KEEP_S = 30, 10.0
TELLING_S = 10.0
"""A run tells something about this server's pace if its estimate has at least so many seconds."""


class Questions(TypedDict):
    """All questions, the newest study of each at each scale here, and those that came with the project.

    `provenance` explains the paper's tags.
    """

    questions: list[QuestionView]
    studies: list[StudyView]
    shipped: list[StudyView]
    provenance: dict[str, str]


class LaunchedStudy(TypedDict):
    """A new study, or one that has already answered the same question; such a study has no token (null).

    `owner_token` is shown only once; `new_runs` says how many runs the study had to launch. `webhook_secret`: as
    of runs.
    """

    id: str
    url: str
    owner_token: str | None
    new_runs: int
    webhook_secret: str | None


class Studies:
    """Reads studies from `store`; caches what never changes."""

    def __init__(
        self,
        store: Store,
        public_url: str | None = None,
        largest: Scale = SCALES[-1],
        clock: Callable[[], float] = time.monotonic,
        shipped: bool = False,
    ) -> None:
        self._store, self._public_url, self._largest, self._clock = store, public_url, largest, clock
        self._shipping = shipped
        self._findings = lru_cache(2000)(self._read_findings)
        self._lock = threading.Lock()
        self._pace: float | None = None
        self._read_at = float("-inf")

    def questions(self) -> Questions:
        pace = self.pace()
        return {
            "questions": [question(name, pace, self._largest) for name in STUDIES],
            "studies": [self.view(study) for study in self._store.studies.latest() if study.spec.study in STUDIES],
            "shipped": [view for _, view in self.shipped.values()],
            "provenance": {tag: known.sentence for tag, known in PROVENANCE.items()},
        }

    @cached_property
    def shipped(self) -> dict[str, tuple[ShippedStudy, StudyView]]:
        """The studies that came with the project by their id, each with its view, which never changes."""
        found = shipped.studies(shipped.read()) if self._shipping else ()
        return {study.id: (study, self._shipped(study)) for study in found}

    def view(self, study: Study) -> StudyView:
        prices = [costs.run_s(run.spec.model_copy(update={"name": None})) for run in study.runs]
        shares = [_share(run) for run in study.runs]
        states = [run.state for run in study.runs]
        return {
            **told(study.id, study.spec, self.records(study)),
            "url": study_url(study.id, study.spec, self._public_url),
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
            "shipped": None,
        }

    def _shipped(self, study: ShippedStudy) -> StudyView:
        done = {run.spec.digest: run.result.top1 for run in study.runs}
        members = study.spec.members
        missing = len(members) - len(study.runs)
        return {
            **told(study.id, study.spec, study.records),
            "url": study_url(study.id, study.spec, self._public_url),
            "state": "partial" if missing else "finished",
            "cancelled": False,
            "created_at": max(run.finished_at for run in study.runs),
            "share": short(len(study.runs) / len(members)),
            "counts": {"queued": 0, "running": 0, "finished": len(study.runs), "failed": 0, "cancelled": 0},
            "members": [
                {
                    "key": dict(member.key),
                    "replicate": member.replicate,
                    "id": None,
                    "url": None,
                    "state": "finished" if member.digest in done else "missing",
                    "share": float(member.digest in done),
                    "top1": done.get(member.digest),
                    "error": None,
                }
                for member in members
            ],
            "shipped": {
                "machines": list(study.machines),
                "hours": short(study.hours),
                "command": f"python -m core studies run {study.spec.study} --scale {study.spec.scale}",
            },
        }

    def records(self, study: Study | ShippedStudy) -> list[Record]:
        """The finished runs of a study in the form that verdicts need."""
        if isinstance(study, ShippedStudy):
            return study.records
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

    def failures(self, study: Study | ShippedStudy) -> dict[str, str]:
        """Why runs failed, by digest."""
        if isinstance(study, ShippedStudy):
            return {}
        return {run.spec.digest: cleaned(run.error_message or "") for run in study.runs if run.state == "failed"}

    def pace(self) -> float | None:
        """Seconds that the last runs here took per estimated second; None before the first run."""
        with self._lock:
            if self._clock() - self._read_at >= KEEP_S:
                runs, _ = self._store.runs.find(filters=Filters(states={"finished"}), sort="finished_at", limit=RECENT)
                self._pace, self._read_at = _pace(runs), self._clock()
            return self._pace

    def _read_findings(self, run_id: str) -> Findings | None:
        return self._store.results.findings(run_id)


def study_url(study_id: str, spec: StudySpec | None, public_url: str | None = None) -> str:
    """The link of a study: its row on the Paper page; of somebody's own, a comparison grouped by what differs."""
    if spec is None or spec.asked is None:
        return f"{public_url or ''}/paper?study={study_id}"
    keys = [key for field in varying(spec) if (key := field.removeprefix("recipe.")) in FIELDS]
    group = f"&group={','.join(keys)}" if keys else ""
    return f"{public_url or ''}/compare?study={study_id}{group}"


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
        "error": cleaned(run.error_message) if run.error_message else None,
    }
