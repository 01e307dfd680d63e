"""The REST routes of studies: launch, look at, cancel, resume and download all runs of a question together.

`questions/` has what only somebody's own question needs: how it is read, its preview and its data.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from app.api.common import COSTLY, By, Here, Services, Site, Token, wrong
from app.api.errors import Problem
from app.api.labels.worker_label import WorkerLabel
from app.api.questions.reading import BODY, StudyRequest, Wanted
from app.api.webhooks.wanted import StudyWebhook, secret
from app.views import studies
from app.views.asked import too_large
from app.views.questions import refusal
from app.views.study import StudyView
from app.web.answers import answer, attached
from core.catalog.registry import UnknownName
from core.documents.study import Page, report
from core.studies.catalog.table import study_spec
from core.studies.results import long_csv
from core.studies.shipped import ShippedStudy
from core.studies.spec import StudySpec
from jobs.store.records import ID_PATTERN
from jobs.store.studies import Study

router = APIRouter()


StudyId = Annotated[str, Path(pattern=ID_PATTERN, description="The study's id.")]


def _found(study_id: StudyId, here: Here) -> Study | ShippedStudy:
    if study_id in here.studies.shipped:
        return here.studies.shipped[study_id][0]
    study = here.store.studies.get(study_id)
    if study is None:
        raise Problem(404, f"there is no study {study_id} here; it may have been made on another server")
    return study


FoundStudy = Annotated[Study | ShippedStudy, Depends(_found)]


def _owned(study: FoundStudy, here: Here, x_owner_token: Token = None) -> Study:
    if isinstance(study, ShippedStudy):
        raise Problem(403, "this study came with the project; nobody can change it")
    if not x_owner_token:
        raise Problem(
            403, "only the person who launched this study can change it: send its owner_token as X-Owner-Token"
        )
    if not here.store.studies.may_change(study.id, x_owner_token):
        raise Problem(403, "this owner token belongs to another study")
    return study


Owned = Annotated[Study, Depends(_owned)]


@router.get("/api/studies", dependencies=[COSTLY], response_model=studies.Questions, summary="The paper's questions")
def list_questions(here: Here) -> Response:
    """All questions with what they cost at each scale, and the newest study of each."""
    return answer(here.studies.questions())


@router.post(
    "/api/studies",
    dependencies=[COSTLY],
    status_code=201,
    response_model=studies.LaunchedStudy,
    responses={200: {"model": studies.LaunchedStudy}, **wrong(403, 413, 422, 429)},
    openapi_extra=BODY,
    summary="Launch a study, or ask your own question",
)
def launch_study(asked: Wanted, here: Here, by: By, site: Site, webhook: StudyWebhook, label: WorkerLabel) -> Response:
    """Queue the missing runs. The study reuses finished runs of the same spec and joins waiting and running ones.

    The body is the name of a question of the paper with a scale, or your own question, as JSON or as YAML: any fields
    of a run, the values that each takes, replicates, and a claim to test. POST /api/studies/preview says before what it
    would cost. Ask GET /api/studies/{study_id} until `state` is neither queued nor running; `verdict` has the answer.

    If the whole study has finished already, the response is that study, with status 200 and without a token. Else
    keep `owner_token`: it is shown only once, and is needed to cancel or resume the study.

    The address in `X-Webhook` gets one message when all runs of the study have ended, or when it is cancelled. With a
    `label`, its new runs wait for a worker that has it.
    """
    study, largest = _study(asked), here.settings.largest_study
    if reason := too_large(study, largest) if study.asked else refusal(study.study, study.scale, largest):
        raise Problem(403, reason)
    told = webhook and replace(webhook, link=lambda study_id: studies.study_url(study_id, study, site))
    launched = here.store.studies.launch(study, by=by, limits=here.settings.limits, webhook=told, label=label)
    _wake(here, launched.new_runs)
    content: studies.LaunchedStudy = {
        "id": launched.id,
        "url": studies.study_url(launched.id, study, here.settings.public_url),
        "owner_token": launched.token,
        "new_runs": len(launched.new_runs),
        "webhook_secret": secret(webhook, launched.id, here) if launched.token else None,
    }
    return answer(content, 201 if launched.token else 200)


@router.get(
    "/api/studies/{study_id}",
    dependencies=[COSTLY],
    response_model=StudyView,
    responses=wrong(404),
    summary="Look at a study",
)
def look_at_study(study: FoundStudy, here: Here) -> Response:
    """The study's progress, its runs, the verdict so far and the figure's data."""
    if isinstance(study, ShippedStudy):
        return answer(here.studies.shipped[study.id][1])
    return answer(here.studies.view(study))


@router.post(
    "/api/studies/{study_id}/cancel",
    dependencies=[COSTLY],
    response_model=StudyView,
    responses=wrong(403, 404),
    summary="Cancel a study",
)
def cancel_study(study: Owned, here: Here) -> Response:
    """Stop the runs that this study launched and no other study needs. Finished runs stay."""
    for run_id in here.store.studies.cancel(study.id) or ():
        here.store.runs.cancel(run_id)
    return answer(here.studies.view(here.store.studies.get(study.id) or study))


@router.post(
    "/api/studies/{study_id}/resume",
    dependencies=[COSTLY],
    response_model=StudyView,
    responses=wrong(403, 404, 422, 429),
    summary="Resume a study",
)
def resume_study(study: Owned, here: Here, by: By) -> Response:
    """Queue the failed and cancelled runs again."""
    if resumed := here.store.studies.resume(study.id, by=by, limits=here.settings.limits):
        _wake(here, resumed.new_runs)
    return answer(here.studies.view(here.store.studies.get(study.id) or study))


@router.get(
    "/api/studies/{study_id}/results",
    dependencies=[COSTLY],
    responses={200: {"content": {"text/csv": {}}}, **wrong(404)},
    summary="Download a study's results",
)
def download_results(study: FoundStudy, here: Here) -> Response:
    """A CSV file with one line for each finished run and quantity."""
    return _file(long_csv(study.spec, here.studies.records(study)), "text/csv", f"onlybn-{label_of(study)}.csv")


@router.get(
    "/api/studies/{study_id}/report",
    dependencies=[COSTLY],
    responses={200: {"content": {"text/html": {}}}, **wrong(404, 422)},
    summary="Download a study's report",
)
def download_report(study: FoundStudy, here: Here, site: Site) -> Response:
    """One HTML file that needs no network: claim, verdict, figure, tables, specs and versions."""
    records, failures = here.studies.records(study), here.studies.failures(study)
    page = Page(study.spec, records, failures, studies.study_url(study.id, study.spec, site))
    return _file(report(page), "text/html", f"onlybn-{label_of(study)}.html")


def _study(asked: StudyRequest | StudySpec) -> StudySpec:
    if isinstance(asked, StudySpec):
        return asked
    try:
        return study_spec(asked.name, asked.scale)
    except UnknownName as error:
        raise Problem(422, f"name: {error}") from error


def _wake(here: Services, run_ids: tuple[str, ...]) -> None:
    """Send one message, which is enough: an awake worker serves the queue until it is empty."""
    for run_id in run_ids[:1]:
        here.wake(run_id)


def label_of(study: Study | ShippedStudy) -> str:
    """What files about the study are called."""
    if isinstance(study, ShippedStudy):
        return study.id
    return f"{study.spec.study}-{study.id}" if study.spec.asked else f"{study.spec.study}-{study.spec.scale}-{study.id}"


def _file(text: str, media_type: str, name: str) -> Response:
    return Response(text, media_type=f"{media_type}; charset=utf-8", headers=attached(name))
