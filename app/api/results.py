"""The REST routes of a run's results: curves, snapshots, findings of the analyses, capsule and report."""

import json
from itertools import chain
from pathlib import Path as FilePath
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from fastapi.responses import FileResponse, StreamingResponse

from app.api.capsules import capsule_of
from app.api.common import COSTLY, Found, Here, Site, refuse_lost, wrong
from app.api.errors import Problem
from app.sharing import script as scripts
from app.sharing.report import Report, html
from app.views import downloads
from app.views.runs import run_url
from app.web.answers import answer, attached, download
from core.run.findings import Findings

Step = Annotated[int, Path(ge=0, lt=2**31, description="An optimiser step.")]

router = APIRouter()


@router.get(
    "/api/runs/{run_id}/points",
    response_model=downloads.Points,
    responses={200: {"content": {"text/csv": {}}}, **wrong(404, 422)},
    summary="Download the curves",
)
def download_points(run: Found, here: Here, format: Literal["json", "csv"] = "json") -> Response:
    """All points of the curves in the order of their arrival, as JSON or as a CSV file."""
    refuse_lost(run, curves=True)
    pages = here.store.curves.pages(run.id)
    if format == "csv":
        return download(
            here.costly.each(downloads.points_csv(pages)), "text/csv; charset=utf-8", f"onlybn-{run.id}-points.csv"
        )
    return StreamingResponse(here.costly.each(downloads.points_json(run.id, pages)), media_type="application/json")


@router.get(
    "/api/runs/{run_id}/snapshots",
    response_model=downloads.Snapshots,
    responses=wrong(404),
    summary="Download the γ and β histograms",
)
def download_snapshots(run: Found, here: Here) -> Response:
    """Every kept snapshot with the counts and quantiles of each norm layer."""
    refuse_lost(run, curves=True)
    return StreamingResponse(here.costly.each(downloads.snapshots(here.store, run)), media_type="application/json")


@router.get(
    "/api/runs/{run_id}/snapshots/{step}",
    dependencies=[COSTLY],
    response_model=downloads.SnapshotView,
    responses=wrong(404, 422),
    summary="Look at γ and β at one moment",
)
def look_at_snapshot(run: Found, step: Step, here: Here) -> Response:
    """The newest snapshot at or before `step`, with the counts and quantiles of each norm layer."""
    detail = here.store.curves.snapshot_at(run.id, step)
    if detail is None:
        raise Problem(404, f"run {run.id} has no snapshot at or before step {step} yet")
    return answer(detail.model_dump(exclude={"event"}))


@router.get(
    "/api/runs/{run_id}/findings",
    dependencies=[COSTLY],
    response_model=Findings,
    responses={200: {"content": {"text/csv": {}}}, **wrong(404, 422)},
    summary="Download what the analyses found",
)
def download_findings(
    run: Found, here: Here, format: Literal["json", "csv"] = "json", table: downloads.Table = "layers"
) -> Response:
    """γ and β, threshold ablation, ReLUs that are off, condition numbers of γ: all of it as JSON, or one table as a CSV
    file."""
    findings = here.store.results.findings(run.id)
    if findings is None:
        raise Problem(404, f"run {run.id} has no findings: a run is analysed when its training is complete")
    if format == "csv":
        rows = downloads.findings_csv(findings, table)
        return download([rows], "text/csv; charset=utf-8", f"onlybn-{run.id}-{table}.csv")
    return answer(findings.model_dump())


@router.get(
    "/api/runs/{run_id}/capsule",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}, **wrong(404, 503)},
    summary="Download the trained network",
)
def download_capsule(run: Found, here: Here) -> Response:
    """The capsule: spec, seeds and trained values. `python -m core capsule` rebuilds the whole network from it."""
    name, kind = f"onlybn-{run.id}.safetensors", "application/octet-stream"
    found = capsule_of(run, here)
    if isinstance(found.where, FilePath):
        return FileResponse(found.where, media_type=kind, headers=attached(name))
    if isinstance(found.where, bytes):
        return Response(found.where, media_type=kind, headers=attached(name))
    headers = {**attached(name), "Content-Length": str(found.size_bytes)}
    pieces = found.pieces(here)
    first = next(pieces)  # what cannot be read at all is refused before the answer begins
    return StreamingResponse(here.costly.each(chain([first], pieces)), media_type=kind, headers=headers)


@router.get(
    "/api/runs/{run_id}/script",
    dependencies=[COSTLY],
    response_class=Response,
    responses={200: {"content": {"text/x-python": {}, "application/x-ipynb+json": {}}}, **wrong(404, 422)},
    summary="Download the curves as a program",
)
def download_script(run: Found, here: Here, site: Site, format: Literal["py", "ipynb"] = "py") -> Response:
    """A Python script, or a Jupyter notebook, that has the run's points and draws them with plotly."""
    refuse_lost(run, curves=True)
    points, link = downloads.points_csv(here.store.curves.pages(run.id)), run_url(run.id, site)
    name = f"onlybn-{run.id}.{format}"
    if format == "ipynb":
        notebook = json.dumps(scripts.notebook(run, points, link), ensure_ascii=False, indent=1)
        return Response(notebook, media_type="application/x-ipynb+json", headers=attached(name))
    return Response(scripts.script(run, points, link), media_type="text/x-python", headers=attached(name))


@router.get(
    "/api/runs/{run_id}/report",
    dependencies=[COSTLY],
    response_class=Response,
    responses={200: {"content": {"text/html": {}}}, **wrong(404, 422)},
    summary="Download a run's report",
)
def download_report(run: Found, here: Here, site: Site) -> Response:
    """One HTML file that needs no network: facts, curves, γ and β over the training, findings, tables and log."""
    report = Report.of(run.id, here.store, run_url(run.id, site))
    if report is None:
        raise Problem(404, f"run {run.id} has just been deleted")
    headers = {**attached(f"onlybn-{run.id}.html"), "Cache-Control": "no-store"}
    return Response(html(report), media_type="text/html; charset=utf-8", headers=headers)
