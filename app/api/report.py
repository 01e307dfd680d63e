"""The route of a run's report: the run as one HTML file to keep."""

from fastapi import APIRouter, Request, Response

from app.api.common import Found, Here, attached, wrong
from app.api.errors import Problem
from app.sharing.report import Report, html
from app.views.runs import run_url

router = APIRouter()


@router.get(
    "/api/runs/{run_id}/report",
    response_class=Response,
    responses={200: {"content": {"text/html": {}}}, **wrong(404, 422)},
    summary="Download a run's report",
)
def download_report(run: Found, here: Here, request: Request) -> Response:
    """One HTML file that needs no network: facts, curves, γ and β over the training, findings, tables and log."""
    site = here.settings.public_url or str(request.base_url).rstrip("/")
    report = Report.of(run.id, here.store, run_url(run.id, site))
    if report is None:
        raise Problem(404, f"run {run.id} has just been removed")
    headers = {**attached(f"onlybn-{run.id}.html"), "Cache-Control": "no-store"}
    return Response(html(report), media_type="text/html; charset=utf-8", headers=headers)
