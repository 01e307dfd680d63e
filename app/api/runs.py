"""The REST routes: launch, list, look at, download and cancel runs; previews; and the feed of the live panels.

What they say is made elsewhere (`views`, `preview`, `feed`); what they refuse is worded in `errors`.
"""

from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from typing_extensions import TypedDict

from app.api import starts
from app.api.common import (
    Existing,
    Found,
    Here,
    RunId,
    Services,
    Token,
    answer,
    described,
    download,
    found,
    refuse_others,
    wrong,
)
from app.api.errors import Problem, explain, parse
from app.live.messages import Answer, Question
from app.preview import preview
from app.sharing import downloads as curves
from app.views import runs as views
from core.run.spec import RunSpec
from core.run.spec import explain as explain_spec
from jobs.quotas import refuse_submission
from jobs.store.records import Run, State, Unreadable
from jobs.store.removal import REMOVED_FOR_S
from jobs.store.store import SORTS

MAX_LIMIT = 200
EXAMPLE = '{"architecture": "resnet-14", "policy": "batchnorm", "dataset": "digits", "epochs": 2, "replicate": 0}'


class Healthy(TypedDict):
    """The server answers; how many workers live, runs wait, and runs run."""

    status: Literal["ok"]
    workers: int
    queued: int
    running: int


class Removed(TypedDict):
    """A run that is out of all lists; for so many seconds it can be restored."""

    id: str
    restorable_s: float


async def _spec(request: Request, here: Here) -> RunSpec:
    return await run_in_threadpool(_read_spec, await request.body(), here)


def _read_spec(body: bytes, here: Services) -> RunSpec:
    """May take seconds, for which nobody else shall wait: a spec of a folder of images has the folder listed."""
    return parse(RunSpec, starts.resolved(body, here), explain_spec)


Spec = Annotated[RunSpec, Depends(_spec)]


router = APIRouter()


@router.post(
    "/api/runs",
    status_code=201,
    response_model=views.Launched,
    responses=wrong(413, 422, 429),
    openapi_extra=described(RunSpec, EXAMPLE),
    summary="Launch a run",
)
def launch_run(spec: Spec, here: Here) -> Response:
    """Queue a run. Keep `owner_token`: it is shown this once, and only who has it can cancel the run."""
    if reason := refuse_submission(here.store.backlog(), here.settings.max_queued):
        raise Problem(429, reason)
    starts.refuse_unknown_start(spec, here)
    run, token = here.store.submit(spec)
    here.wake(run.id)
    launched: views.Launched = {
        "id": run.id,
        "url": views.run_url(run.id, here.settings.public_url),
        "owner_token": token,
    }
    return answer(launched, 201)


@router.get("/api/runs", response_model=views.RunsPage, responses=wrong(422), summary="List runs")
def list_runs(
    here: Here,
    state: Annotated[list[State] | None, Query(description="Only these; may be repeated.")] = None,
    policy: Annotated[list[str] | None, Query(max_length=20)] = None,
    architecture: Annotated[list[str] | None, Query(max_length=20)] = None,
    dataset: Annotated[list[str] | None, Query(max_length=20)] = None,
    text: Annotated[str | None, Query(max_length=100, description="A part of the name or of the id.")] = None,
    sort: Annotated[Literal[*SORTS], Query()] = "created_at",  # type: ignore[valid-type]
    order: Annotated[Literal["asc", "desc"], Query()] = "desc",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> Response:
    """A page of the runs that match all conditions, the newest first unless sorted otherwise."""
    listed, total = here.store.listed(
        states=state,
        policies=policy,
        architectures=architecture,
        datasets=dataset,
        text=text or None,
        sort=sort,
        descending=order == "desc",
        limit=limit,
        offset=offset,
    )
    url = here.settings.public_url
    page: views.RunsPage = {
        "runs": [views.summary(run, url) for run in listed if isinstance(run, Run)],
        "unreadable": [views.unreadable(run, url) for run in listed if isinstance(run, Unreadable)],
        "total": total,
    }
    return answer(page)


@router.get("/api/runs/{run_id}", response_model=views.RunView, responses=wrong(404), summary="Look at a run")
def look_at_run(run: Found, here: Here) -> Response:
    """The run's spec, state, progress, counts, layers and result."""
    return answer(views.whole(run, here.settings.public_url))


@router.get(
    "/api/runs/{run_id}/points",
    response_model=curves.Points,
    responses={200: {"content": {"text/csv": {}}}, **wrong(404, 422)},
    summary="Download the curves",
)
def download_points(run: Found, here: Here, format: Literal["json", "csv"] = "json") -> Response:
    """All points of the curves in the order in which they came, as JSON or as a CSV file."""
    pages = here.store.pages(run.id)
    if format == "csv":
        return download(curves.csv(pages), "text/csv; charset=utf-8", f"onlybn-{run.id}-points.csv")
    return StreamingResponse(curves.json(run.id, pages), media_type="application/json")


@router.get(
    "/api/runs/{run_id}/snapshots",
    response_model=curves.Snapshots,
    responses=wrong(404),
    summary="Download the γ and β histograms",
)
def download_snapshots(run: Found, here: Here) -> Response:
    """Every kept snapshot with the counts and quantiles of each norm layer."""
    return StreamingResponse(curves.snapshots(here.store, run), media_type="application/json")


@router.post(
    "/api/runs/{run_id}/cancel",
    response_model=views.RunView,
    responses=wrong(403, 404),
    summary="Cancel a run",
)
def cancel_run(run_id: Existing, here: Here, x_owner_token: Token = None) -> Response:
    """Stop a run and keep its curves so far. A run that has ended stays as it is.

    The token is that of the run, or that of the study that launched it.
    """
    refuse_others(run_id, here, x_owner_token, "cancel")
    run = here.store.request_cancel(run_id) or found(run_id, here)
    return answer(views.whole(run, here.settings.public_url))


@router.delete(
    "/api/runs/{run_id}", response_model=Removed, responses=wrong(403, 404, 409), summary="Remove a run that has ended"
)
def remove_run(run_id: Existing, here: Here, x_owner_token: Token = None) -> Response:
    """Take a run out of all lists. For an hour it can be restored; then it is deleted with all its files."""
    refuse_others(run_id, here, x_owner_token, "remove")
    if reason := here.store.remove(run_id):
        raise Problem(409, reason)
    here.feed.forget(run_id)
    removed: Removed = {"id": run_id, "restorable_s": REMOVED_FOR_S}
    return answer(removed)


@router.post(
    "/api/runs/{run_id}/restore", response_model=views.RunView, responses=wrong(403, 404), summary="Undo a removal"
)
def restore_run(run_id: RunId, here: Here, x_owner_token: Token = None) -> Response:
    """Bring back a run that was removed within the last hour. One that is there stays as it is."""
    refuse_others(run_id, here, x_owner_token, "restore")
    run = here.store.restore(run_id)
    if run is None:
        raise Problem(404, f"there is no run {run_id} here; what was removed an hour ago is gone")
    return answer(views.whole(run, here.settings.public_url))


@router.get("/api/count", response_model=preview.Preview, responses=wrong(422), summary="Count parameters")
def count(
    here: Here,
    architecture: Annotated[str, Query(max_length=60)],
    policy: Annotated[str, Query(max_length=60)],
    dataset: Annotated[str, Query(max_length=60)] = "cifar-10",
    epochs: int = 1,
) -> Response:
    """What an architecture has and a policy trains; the same answer as POST /api/preview for these few fields."""
    fields = {"architecture": architecture, "policy": policy, "dataset": dataset, "epochs": epochs}
    return answer(_preview(parse(RunSpec, orjson.dumps(fields), explain_spec), here))


@router.post(
    "/api/preview",
    response_model=preview.Preview,
    responses=wrong(413, 422),
    openapi_extra=described(RunSpec, EXAMPLE),
    summary="Look at a run before launching it",
)
def preview_run(spec: Spec, here: Here) -> Response:
    """Counts, time estimate, command line, the picture of the network, and what one should know before."""
    return answer(_preview(spec, here))


@router.post(
    "/api/feed",
    response_model=Answer,
    responses=wrong(413, 422),
    openapi_extra=described(Question, '{"runs": {"RUN_ID": {"points": 0, "snapshots": 0, "log": 0}}, "layer": null}'),
    summary="What is new",
)
async def ask_feed(request: Request, here: Here) -> Response:
    """What is new of some runs since the cursors of the last answer; what all live panels ask."""
    question = parse(Question, await request.body(), explain)
    return answer(here.feed.known(question) or await run_in_threadpool(here.feed.answer, question))


@router.get("/api/options", summary="What one can choose from")
def show_options(here: Here) -> Response:
    """Architectures, policies, data sets and defaults, as the form shows them."""
    return answer(here.options())


@router.get("/healthz", response_model=Healthy, responses=wrong(503), summary="Is the server well?")
def healthz(here: Here) -> Response:
    health = here.feed.health()
    said: Healthy = {
        "status": "ok",
        "workers": health.workers,
        "queued": health.queued,
        "running": health.running,
    }
    return answer(said)


def _preview(spec: RunSpec, here: Services) -> preview.Preview:
    estimate = here.estimator.estimate(spec)
    return preview.preview(spec, estimate, here.settings.data, here.settings.fashion_mnist)
