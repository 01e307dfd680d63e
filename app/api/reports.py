"""The REST routes of reports: anybody reports an offensive name; the operator lists and dismisses reports."""

from fastapi import APIRouter, Response
from typing_extensions import TypedDict

from app.api.admin import Admin
from app.api.common import By, Existing, Here, RunId, wrong
from app.api.errors import Problem
from app.views.runs import run_url
from app.web.answers import answer


class ReportTaken(TypedDict):
    """A report of the name of a run, made now or earlier by the same visitor."""

    id: str
    reported: bool


class ReportedView(TypedDict):
    """A run whose name `reports` visitors have reported. Times are Unix seconds."""

    id: str
    url: str
    name: str
    state: str
    reports: int
    first_at: float
    last_at: float


class ReportsView(TypedDict):
    reports: list[ReportedView]


class Dismissed(TypedDict):
    """How many reports of the run were settled."""

    id: str
    dismissed: int


router = APIRouter()


@router.post(
    "/api/runs/{run_id}/report-name",
    response_model=ReportTaken,
    responses=wrong(404, 409, 429),
    summary="Report an offensive name",
)
def report_name(run_id: Existing, here: Here, by: By) -> Response:
    """Tell the operator that the name of a run is offensive. A second report of the same visitor changes
    nothing. The run stays as it is until the name has been looked at."""
    if not here.store.reports.report(run_id, by):
        raise Problem(409, f"run {run_id} has no name to report")
    said: ReportTaken = {"id": run_id, "reported": True}
    return answer(said)


@router.get(
    "/api/admin/reports",
    response_model=ReportsView,
    responses=wrong(403),
    dependencies=[Admin],
    summary="List reported names",
)
def list_reports(here: Here) -> Response:
    """The runs whose names visitors reported, the most reported first; those that were settled are left out."""
    url = here.settings.public_url
    said: ReportsView = {
        "reports": [
            {
                "id": one.run_id,
                "url": run_url(one.run_id, url),
                "name": one.name,
                "state": one.state,
                "reports": one.reports,
                "first_at": one.first_at,
                "last_at": one.last_at,
            }
            for one in here.store.reports.open()
        ]
    }
    return answer(said)


@router.post(
    "/api/admin/reports/{run_id}/dismiss",
    response_model=Dismissed,
    responses=wrong(403, 404),
    dependencies=[Admin],
    summary="Dismiss the reports of a name",
)
def dismiss_reports(run_id: RunId, here: Here) -> Response:
    """The name stays, and further reports of it are settled already. Another name settles the reports, too."""
    if here.store.runs.known([run_id]) == set():
        raise Problem(404, f"there is no run {run_id} here")
    said: Dismissed = {"id": run_id, "dismissed": here.store.reports.dismiss(run_id)}
    return answer(said)
