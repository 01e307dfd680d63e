"""The REST routes of runs: launch, list, look at, predict, cancel, resume, delete and restore."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response
from typing_extensions import TypedDict

from app.api import starts
from app.api.common import COSTLY, By, Existing, Found, Here, RunId, Token, described, found, refuse_others, wrong
from app.api.errors import Problem
from app.api.labels.worker_label import WorkerLabel
from app.api.spec import EXAMPLE, Spec
from app.api.webhooks.wanted import RunWebhook, secret
from app.form.experiments import EXPERIMENTS
from app.preview.outlook import Outlook
from app.views import runs as views
from app.views.summaries import summaries, whole
from app.web.answers import answer
from core.catalog.schedules import learning_rate
from core.run.spec import RunSpec
from jobs.store.records import ID_PATTERN, RESUMABLE, TERMINAL, Group, Run, State, Unreadable
from jobs.store.runs import HANDED_OVER, REMOVED_FOR_S, SORTS, MissingStart
from jobs.store.submission import KeyTaken
from jobs.store.tallies import Filters

MAX_LIMIT = 200
Question = Literal[*EXPERIMENTS]  # type: ignore[valid-type]
DRAWN_STEPS = 400  # the most steps of a schedule in a response
HOPELESS = {
    "diverged": "it diverged and would diverge again at the same step; clone it with a lower learning rate",
    "unverified": "what its browser said is not what a test here finds, and would not be found another time",
}
"""Kinds of failure that every further attempt would repeat."""


class ScheduleView(TypedDict):
    """The learning rate at some steps, including the first and the last, with their epochs."""

    epochs: list[float]
    lr: list[float]


class Removed(TypedDict):
    """A deleted run, and for how many seconds it can be restored."""

    id: str
    restorable_s: float


router = APIRouter()


@router.post(
    "/api/runs",
    status_code=201,
    response_model=views.Launched,
    responses=wrong(413, 422, 429),
    openapi_extra=described(RunSpec, EXAMPLE),
    summary="Launch a run",
)
def launch_run(
    spec: Spec,
    here: Here,
    by: By,
    webhook: RunWebhook,
    label: WorkerLabel,
    keep: Annotated[Literal["network"] | None, Query(description="network: keep it, whatever its size.")] = None,
    question: Annotated[Question | None, Query(description="The question of the home page that it answers.")] = None,
    room: Annotated[str | None, Query(pattern=ID_PATTERN, description="The room on whose board it appears.")] = None,
    idempotency_key: Annotated[str | None, Header(min_length=16, max_length=200)] = None,
) -> Response:
    """Queue a run. Keep `owner_token`: it is shown only once, and is needed to cancel the run.

    A launch that is repeated with the same `Idempotency-Key`, a secret of 16 characters or more, makes one run and gets
    the same answer.

    A server may have limits for each visitor (429) and for what a run may cost (422). It may keep large trained
    networks only where `keep` asks for that.

    The address in `X-Webhook` gets one message when the run has ended.

    With a `label`, the run waits for a worker that has it. A label is no part of the spec: it says where to train, not
    what.
    """
    starts.refuse_unknown_start(spec, here)
    if room and here.store.rooms.nickname(room, by) is None:
        raise Problem(422, f"you are not in room {room}: join it first, or launch without a room")
    try:
        run, token = here.store.runs.submit(
            spec,
            by=by,
            limits=here.settings.limits,
            keeps=keep == "network",
            key=idempotency_key,
            question=question,
            room=room,
            label=label,
            webhook=webhook,
        )
    except KeyTaken as error:
        raise Problem(422, str(error)) from error
    except MissingStart as error:
        raise Problem(422, starts.UPLOAD_FIRST) from error
    here.shared.forget(room or "")
    here.wake(run.id)
    launched: views.Launched = {
        "id": run.id,
        "url": views.run_url(run.id, here.settings.public_url),
        "owner_token": token,
        "webhook_secret": secret(webhook, run.id, here),
    }
    return answer(launched, 201)


@router.get(
    "/api/runs", dependencies=[COSTLY], response_model=views.RunsPage, responses=wrong(422), summary="List runs"
)
def list_runs(
    here: Here,
    by: By,
    state: Annotated[list[State] | None, Query(description="Only these; may be repeated.")] = None,
    policy: Annotated[list[str] | None, Query(max_length=20)] = None,
    architecture: Annotated[list[str] | None, Query(max_length=20)] = None,
    dataset: Annotated[list[str] | None, Query(max_length=20)] = None,
    text: Annotated[str | None, Query(max_length=100, description="Part of the name, the id or a tag.")] = None,
    tag: Annotated[str | None, Query(max_length=30)] = None,
    question: Annotated[str | None, Query(max_length=40, description="The question they were launched for.")] = None,
    mine: Annotated[bool, Query(description="Only those of the sender of X-Visitor-Token.")] = False,
    group: Annotated[Group | None, Query(description="Keeps runs of one study or question together.")] = None,
    sort: Annotated[Literal[*SORTS], Query()] = "created_at",  # type: ignore[valid-type]
    order: Annotated[Literal["asc", "desc"], Query()] = "desc",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> Response:
    """A page of the runs that match all conditions, the newest first unless sorted otherwise."""
    owner = by.owner if mine else None
    listed, total = here.store.runs.listed(
        Filters(text or None, state, policy, architecture, dataset, tag, question, owner),
        group=group,
        sort=sort,
        descending=order == "desc",
        limit=limit,
        offset=offset,
    )
    url = here.settings.public_url
    page: views.RunsPage = {
        "runs": summaries((run for run in listed if isinstance(run, Run)), here.store, url),
        "unreadable": [views.unreadable(run, url) for run in listed if isinstance(run, Unreadable)],
        "total": total,
    }
    return answer(page)


@router.get("/api/runs/{run_id}", response_model=views.RunView, responses=wrong(404), summary="Look at a run")
def look_at_run(run: Found, here: Here) -> Response:
    """The run's spec, state, progress, counts, layers and result."""
    return answer(whole(run, here.store, here.settings.public_url))


@router.get(
    "/api/runs/{run_id}/schedule", response_model=ScheduleView, responses=wrong(404), summary="Look at the schedule"
)
def show_schedule(run: Found) -> Response:
    """The learning rate over the whole run, as its spec plans it."""
    return answer(schedule_of(run.spec))


def schedule_of(spec: RunSpec) -> ScheduleView:
    """The learning rate at DRAWN_STEPS of the steps at most."""
    total, per_epoch = spec.total_steps, spec.steps_per_epoch
    stride = max(1, -(-total // DRAWN_STEPS))
    steps = sorted({*range(0, total, stride), total - 1})
    return {
        "epochs": [views.short(step / per_epoch) for step in steps],
        "lr": [views.short(learning_rate(spec.recipe, step, per_epoch, total)) for step in steps],
    }


@router.get(
    "/api/runs/{run_id}/outlook",
    dependencies=[COSTLY],
    response_model=Outlook,
    responses=wrong(404),
    summary="What to expect",
)
def show_outlook(run: Found, here: Here) -> Response:
    """When the run starts and ends, as ranges, and a run to compare it with."""
    return answer(here.outlooks.outlook(run))


@router.post(
    "/api/runs/{run_id}/cancel",
    response_model=views.RunView,
    responses=wrong(403, 404, 409),
    summary="Cancel a run",
)
def cancel_run(run_id: Existing, here: Here, x_owner_token: Token = None) -> Response:
    """Stop a run and keep its curves so far. A run that has ended does not change.

    A run that a study of somebody else needs goes on as a run of that study (409), and is no longer yours.

    Send the token of the run, or of the study that launched it.
    """
    refuse_others(run_id, here, x_owner_token, "cancel")
    run = here.store.runs.cancel(run_id) or found(run_id, here)
    if run.state not in TERMINAL and not run.cancel_requested:
        raise Problem(409, HANDED_OVER)
    return answer(whole(run, here.store, here.settings.public_url))


@router.post(
    "/api/runs/{run_id}/resume",
    response_model=views.RunView,
    responses=wrong(403, 404, 409, 422, 429),
    summary="Resume a failed or cancelled run",
)
def resume_run(run: Found, here: Here, by: By, x_owner_token: Token = None) -> Response:
    """Queue a failed or cancelled run again. It resumes from its last checkpoint if the worker finds the file, and
    else restarts. Send the token of the run, or of the study that launched it."""
    refuse_others(run.id, here, x_owner_token, "resume")
    _refuse_hopeless(run)
    resumed = here.store.runs.resume(run.id, by=by, limits=here.settings.limits)
    if resumed is None:
        raise Problem(409, f"run {run.id} has changed in the meantime; load it again")
    here.wake(run.id)
    return answer(whole(resumed, here.store, here.settings.public_url))


@router.delete(
    "/api/runs/{run_id}", response_model=Removed, responses=wrong(403, 404, 409), summary="Delete a run that has ended"
)
def remove_run(run_id: Existing, here: Here, x_owner_token: Token = None) -> Response:
    """Delete a run: it leaves all lists. It can be restored for an hour; then its files are deleted, too."""
    refuse_others(run_id, here, x_owner_token, "delete")
    if reason := here.store.runs.remove(run_id):
        raise Problem(409, reason)
    here.feed.forget(run_id)
    removed: Removed = {"id": run_id, "restorable_s": REMOVED_FOR_S}
    return answer(removed)


@router.post(
    "/api/runs/{run_id}/restore",
    response_model=views.RunView,
    responses=wrong(403, 404),
    summary="Restore a deleted run",
)
def restore_run(run_id: RunId, here: Here, x_owner_token: Token = None) -> Response:
    """Restore a run that was deleted within the last hour. A run that was not deleted does not change."""
    refuse_others(run_id, here, x_owner_token, "restore")
    run = here.store.runs.restore(run_id)
    if run is None:
        raise Problem(404, f"there is no run {run_id} here; a deleted run can only be restored within an hour")
    return answer(whole(run, here.store, here.settings.public_url))


def _refuse_hopeless(run: Run) -> None:
    if run.state not in RESUMABLE:
        raise Problem(409, f"run {run.id} is {run.state}; only a failed or cancelled run can be resumed")
    if reason := HOPELESS.get(run.error_kind or ""):
        raise Problem(409, f"run {run.id} cannot be resumed: {reason}")
