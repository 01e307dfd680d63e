"""The course of one run beyond its curves: its schedule, whole snapshots, what to expect of it, and going on after an
end too early."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from typing_extensions import TypedDict

from app.api.common import Found, Here, Token, answer, refuse_others, wrong
from app.api.errors import Problem
from app.preview.outlook import Outlook, Outlooks
from app.sharing import downloads as curves
from app.views import runs as views
from app.views.runs import short
from core.catalog.schedules import learning_rate
from jobs.store.records import RESUMABLE, Run

DRAWN_STEPS = 400
HOPELESS = {"diverged": "it diverged, and would do so again at the same step: clone it and lower the learning rate"}
"""Kinds of failure that come back however often one tries."""

Step = Annotated[int, Path(ge=0, lt=2**31, description="An optimiser step.")]

router = APIRouter()


class ScheduleView(TypedDict):
    """The learning rate of some steps, the first and the last among them, with their epochs."""

    epochs: list[float]
    lr: list[float]


@router.get(
    "/api/runs/{run_id}/schedule", response_model=ScheduleView, responses=wrong(404), summary="Look at the schedule"
)
def show_schedule(run: Found) -> Response:
    """The learning rate over the whole run as its spec says it, whether or not it has come that far."""
    spec = run.spec
    total, per_epoch = spec.total_steps, spec.steps_per_epoch
    stride = max(1, -(-total // DRAWN_STEPS))
    steps = sorted({*range(0, total, stride), total - 1})
    view: ScheduleView = {
        "epochs": [short(step / per_epoch) for step in steps],
        "lr": [short(learning_rate(spec.recipe, step, per_epoch, total)) for step in steps],
    }
    return answer(view)


@router.get(
    "/api/runs/{run_id}/snapshots/{step}",
    response_model=curves.SnapshotView,
    responses=wrong(404, 422),
    summary="Look at γ and β at one moment",
)
def look_at_snapshot(run: Found, step: Step, here: Here) -> Response:
    """The newest snapshot at or before `step`, with the counts and quantiles of each norm layer."""
    detail = here.store.curves.snapshot_at(run.id, step)
    if detail is None:
        raise Problem(404, f"run {run.id} has no snapshot at or before step {step} yet")
    return answer(detail.model_dump(exclude={"event"}))


@router.get("/api/runs/{run_id}/outlook", response_model=Outlook, responses=wrong(404), summary="What to expect")
def show_outlook(run: Found, request: Request) -> Response:
    """When the run starts and ends, as ranges, and a run to compare it with."""
    outlooks: Outlooks = request.app.state.outlooks
    return answer(outlooks.outlook(run))


@router.post(
    "/api/runs/{run_id}/resume",
    response_model=views.RunView,
    responses=wrong(403, 404, 409),
    summary="Let a failed or cancelled run go on",
)
def resume_run(run: Found, here: Here, x_owner_token: Token = None) -> Response:
    """Queue a failed or cancelled run again. It goes on from its last checkpoint where the worker that takes it
    finds the file, and else from the beginning. The token is that of the run, or that of the study that launched it."""
    refuse_others(run.id, here, x_owner_token, "resume")
    _refuse_hopeless(run)
    resumed = here.store.runs.resume(run.id)
    if resumed is None:
        raise Problem(409, f"run {run.id} has changed meanwhile; look at it again")
    here.wake(run.id)
    return answer(views.whole(resumed, here.settings.public_url))


def _refuse_hopeless(run: Run) -> None:
    if run.state not in RESUMABLE:
        raise Problem(409, f"run {run.id} is {run.state}; only a failed or cancelled run can be resumed")
    if reason := HOPELESS.get(run.error_kind or ""):
        raise Problem(409, f"run {run.id} cannot be resumed: {reason}")
