"""One study as the API and the Paper page show it: the JSON shape, and what its results say. No requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typing_extensions import TypedDict

from core.documents.forest import forest
from core.studies import against
from core.studies.asked.question import OwnQuestion
from core.studies.catalog.table import named_of
from core.studies.figures import figure
from core.studies.records import QUANTITIES, Record
from core.studies.results import rows
from core.studies.spec import StudySpec, StudyUnavailable
from core.studies.verdicts import judge


class MemberView(TypedDict):
    """A run of a study and its place in the grid. `id` and `url` are null for a run that is shipped or missing."""

    key: dict[str, Any]
    replicate: int
    id: str | None
    url: str | None
    state: str
    share: float
    top1: float | None
    error: str | None


class ShippedView(TypedDict):
    """Where shipped results come from: what trained them, hours of training, and the command that repeats them."""

    machines: list[str]
    hours: float
    command: str


class AskedView(TypedDict):
    """What somebody's own question says: its title, question and claim in sentences, and itself, ready for POST
    /api/studies, as fields and as YAML. `varies`: the fields that vary, dotted as in a spec."""

    title: str
    question: str
    claim: str
    varies: list[str]
    fields: dict[str, Any]
    yaml: str


class Told(TypedDict):
    """The results of a study, wherever they are: verdict, figure and rows (one per setting).

    `columns` are the quantities of `rows` to show; `report` and `csv` are addresses of downloads. `unavailable` says
    what is missing here, such as the folder of its images; then the study has no figure and no rows. Null: nothing is
    missing. `ours` says the deciding differences in words, `setting` on what data, and `drawing` shows them as an SVG;
    `further` says what no comparison gives, or nothing. `asked`: null for a study of the catalog.
    """

    id: str
    name: str
    scale: str
    unavailable: str | None
    verdict: dict[str, Any]
    figure: dict[str, Any] | None
    rows: list[dict[str, Any]]
    columns: list[dict[str, str]]
    report: str
    csv: str
    ours: str
    setting: str
    drawing: str
    further: str
    asked: AskedView | None


class StudyView(Told):
    """The present state of a study: its progress, its runs, and what its results say.

    `share` is 0..1, weighted by the cost of the runs. `shipped`: null for a study of this server. A shipped study of
    which runs are missing is in the state `partial`.
    """

    url: str
    state: str
    cancelled: bool
    created_at: float
    share: float
    counts: dict[str, int]
    members: list[MemberView]
    shipped: ShippedView | None


def told(study_id: str, spec: StudySpec, records: Sequence[Record]) -> Told:
    named = named_of(spec)
    verdict = judge(named.criterion, spec, records)
    try:
        drawn = figure(named.plot, named.criterion.quantity_at(spec.scale), spec, records, named.marks)
        shown = drawn.model_dump(mode="json")
        by_setting = [row.model_dump(mode="json") for row in rows(spec, records)]
        setting, unavailable = against.setting_in_words(spec, against.replicates(spec, verdict)), None
    except StudyUnavailable as error:  # the runs exist, but their places in the grid cannot be computed
        shown, by_setting, setting, unavailable = None, [], "", str(error)
    base = f"/api/studies/{study_id}"
    return {
        "id": study_id,
        "name": named.name,
        "scale": spec.scale,
        "unavailable": unavailable,
        "verdict": verdict.model_dump(mode="json"),
        "figure": shown,
        "rows": by_setting,
        "columns": [
            {"name": name, "title": QUANTITIES[name].title, "unit": QUANTITIES[name].unit}
            for name in named.shown(spec.scale)
        ],
        "report": f"{base}/report",
        "csv": f"{base}/results",
        "ours": against.ours_in_words(verdict),
        "setting": setting,
        "further": against.further(spec, records),
        "asked": asked_view(spec),
        "drawing": forest(named.criterion, verdict, against.paper_differences(named.name)),
    }


def asked_view(spec: StudySpec) -> AskedView | None:
    """What the question of `spec` says; None for a study of the catalog."""
    if spec.asked is None:
        return None
    question = OwnQuestion.of(spec)
    return {
        "title": spec.asked.title,
        "question": spec.asked.question,
        "claim": named_of(spec).claim,
        "varies": varying(spec),
        "fields": question.model_dump(mode="json", exclude_defaults=True) | {"replicates": question.replicates},
        "yaml": question.text(),
    }


def varying(spec: StudySpec) -> list[str]:
    """The fields that take several values in a study."""
    return [axis.field for axis in spec.axes if len(set(axis.values)) > 1]
