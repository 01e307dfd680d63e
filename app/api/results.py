"""The REST routes of what a run leaves behind: what its analyses found, and its capsule."""

from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from app.api.common import Found, Here, Services, answer, attached, download, wrong
from app.api.errors import Problem
from app.sharing import findings as tables
from core.machine.files import CAPSULE
from core.run.findings import Findings
from jobs.store.records import Run

router = APIRouter()


@router.get(
    "/api/runs/{run_id}/findings",
    response_model=Findings,
    responses={200: {"content": {"text/csv": {}}}, **wrong(404, 422)},
    summary="Download what the analyses found",
)
def download_findings(
    run: Found, here: Here, format: Literal["json", "csv"] = "json", table: tables.Table = "layers"
) -> Response:
    """γ and β, threshold ablation and ReLUs that are off: everything as JSON, or one table of it as a CSV file."""
    findings = here.store.results.findings(run.id)
    if findings is None:
        raise Problem(404, f"run {run.id} has no findings: the analyses are made when a training is complete")
    if format == "csv":
        return download([tables.csv(findings, table)], "text/csv; charset=utf-8", f"onlybn-{run.id}-{table}.csv")
    return answer(findings.model_dump())


@router.get(
    "/api/runs/{run_id}/capsule",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}}, **wrong(404)},
    summary="Download the trained network",
)
def download_capsule(run: Found, here: Here) -> Response:
    """The capsule: spec, seeds and what trained, from which `python -m core capsule` rebuilds the whole network."""
    name, kind = f"onlybn-{run.id}.safetensors", "application/octet-stream"
    found = _capsule(run, here)
    if isinstance(found, bytes):
        return Response(found, media_type=kind, headers=attached(name))
    return FileResponse(found, media_type=kind, headers=attached(name))


def capsule_of(run: Run, here: Services) -> bytes:
    """The capsule of a finished run. Raises Problem 404 in words where it has none, or none here."""
    found = _capsule(run, here)
    return found if isinstance(found, bytes) else found.read_bytes()


def _capsule(run: Run, here: Services) -> bytes | Path:
    """From the database, or its place in the folder of the run."""
    if run.state != "finished":
        raise Problem(404, f"run {run.id} is {run.state}; only a finished run has a capsule")
    if (content := here.store.results.capsule(run.id)) is not None:
        return content
    path = here.settings.runs_folder / run.id / CAPSULE
    if path.is_file():
        return path
    raise Problem(
        404,
        f"the capsule of run {run.id} is too large for the database and not on this machine: it lies in the data "
        f"folder of the worker that trained it ({run.worker}), as runs/{run.id}/{CAPSULE}",
    )
