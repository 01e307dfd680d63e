"""The REST routes of the operator: look, pause, drain and open the queue; list, delete, rename and pin runs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import Field, ValidationError
from typing_extensions import TypedDict

from app.api.common import COSTLY, Here, RunId, described, wrong
from app.api.errors import Problem, invalid, parse, told
from app.api.status import WorkerView, worker_view
from app.views.runs import run_url
from app.web.answers import answer
from app.web.auth.tries import TRIES_WITHIN_S, address_of, digest_of
from core.catalog.model import Model
from core.run.problems import told as told_spec
from jobs.quotas import MEGABYTE
from jobs.store.records import Managed, Mode, State

EXAMPLE = {"mode": "paused"}


class Wanted(Model):
    """The mode of the queue. open; paused: no run begins; drained: nothing new is accepted."""

    mode: Mode


class Amended(Model):
    """What changes of a run; what is left out stays. `name` null: no name. `pinned`: nothing of it is ever deleted."""

    name: str | None = Field(None, max_length=64)
    pinned: bool | None = None
    removed: bool | None = None


class AdminView(TypedDict):
    """The queue and what is kept. `waiting`: runs; `requests`: single runs and studies, of which `requests_most` may
    wait. `machines`: all workers by name. `folder_bytes`: what the data folder of the web server holds; `budget_bytes`:
    what it may hold, 0: no limit. `evicted_at`: when runs last had to make room, null: never. `reports`: how many
    names, notes, tags, nicknames and titles were reported.
    """

    mode: Mode
    waiting: int
    requests: int
    running: int
    workers: int
    profile: str
    requests_most: int
    machines: list[WorkerView]
    folder_bytes: int
    budget_bytes: int
    evicted_at: float | None
    evicted_runs: int
    reports: int


class ManagedView(TypedDict):
    """A run, also a deleted one. `removed_at`: it can be restored for an hour. `evicted_at`: it lost its curves."""

    id: str
    url: str
    name: str | None
    state: State
    architecture: str
    policy: str
    dataset: str
    created_at: float
    pinned: bool
    removed_at: float | None
    evicted_at: float | None
    example: bool


class ManagedPage(TypedDict):
    """One page of a list; `total` counts all matches."""

    runs: list[ManagedView]
    total: int


class Done(TypedDict):
    id: str


router = APIRouter()


def _admin(request: Request, here: Here, x_admin_token: Annotated[str | None, Header(max_length=200)] = None) -> None:
    """Refuse everybody but the operator."""
    token = here.settings.admin_token
    if token is None:
        raise Problem(403, "this server has no ONLYBN_ADMIN_TOKEN; use python -m jobs admin on its machine")
    address = address_of(request)
    if here.tries.too_many(address):
        retry = {"Retry-After": str(int(TRIES_WITHIN_S))}
        raise Problem(429, "too many wrong admin tokens came from this address; wait a minute", retry)
    if not x_admin_token or not here.tries.right(address, x_admin_token, digest_of(token.get_secret_value())):
        raise Problem(403, "only the operator can do this: send ONLYBN_ADMIN_TOKEN as X-Admin-Token")


Admin = Depends(_admin)


async def _wanted(request: Request) -> Wanted:
    return parse(Wanted, await request.body(), told)


async def _amended(request: Request) -> Amended:
    return parse(Amended, await request.body(), told)


@router.get(
    "/api/admin",
    response_model=AdminView,
    responses=wrong(403),
    dependencies=[Admin, COSTLY],
    summary="Look at the queue as the operator",
)
def look(here: Here) -> Response:
    """The mode of the queue, the queued runs, and when runs last had to make room. All of these need X-Admin-Token."""
    return answer(_view(here))


@router.post(
    "/api/admin/queue",
    response_model=AdminView,
    responses=wrong(403, 422),
    dependencies=[Admin],
    openapi_extra=described(Wanted, EXAMPLE),
    summary="Pause, drain or open the queue",
)
def turn(wanted: Annotated[Wanted, Depends(_wanted)], here: Here) -> Response:
    """Paused: no further run begins. Drained: nothing new is accepted, and the queue is worked off."""
    here.store.switch.turn(wanted.mode)
    return answer(_view(here))


@router.get(
    "/api/admin/runs",
    response_model=ManagedPage,
    responses=wrong(403, 422),
    dependencies=[Admin, COSTLY],
    summary="List all runs",
)
def list_all_runs(
    here: Here,
    text: Annotated[str | None, Query(max_length=100, description="Part of the name or id.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 25,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> Response:
    """All runs, also deleted ones and such that this version cannot read, the newest first."""
    runs, total = here.store.switch.listed(text or None, limit, offset)
    page: ManagedPage = {"runs": [_managed(run, here.settings.public_url) for run in runs], "total": total}
    return answer(page)


@router.post(
    "/api/admin/runs/{run_id}",
    response_model=Done,
    responses=wrong(403, 404, 422),
    dependencies=[Admin],
    openapi_extra=described(Amended, {"name": "a better name"}),
    summary="Delete, rename or pin any run",
)
def amend(run_id: RunId, amended: Annotated[Amended, Depends(_amended)], here: Here) -> Response:
    """A queued or running run is cancelled when it is deleted. A deleted run can be restored for an hour."""
    given, switch = amended.model_fields_set, here.store.switch
    if here.store.runs.known([run_id]) == set():
        raise Problem(404, f"there is no run {run_id} here")
    try:
        if "name" in given:
            switch.rename(run_id, amended.name)
    except ValidationError as error:
        raise invalid(told_spec(error)) from error
    if amended.pinned is not None:
        switch.pin(run_id, amended.pinned)
    if amended.removed is True:
        switch.remove(run_id)
    elif amended.removed is False:
        here.store.runs.restore(run_id)
    here.feed.forget(run_id)
    done: Done = {"id": run_id}
    return answer(done)


def _managed(run: Managed, public_url: str | None) -> ManagedView:
    return {
        "id": run.id,
        "url": run_url(run.id, public_url),
        "name": run.name,
        "state": run.state,
        "architecture": run.architecture,
        "policy": run.policy,
        "dataset": run.dataset,
        "created_at": run.created_at,
        "pinned": run.pinned,
        "removed_at": run.removed_at,
        "evicted_at": run.evicted_at,
        "example": run.example,
    }


def _view(here: Here) -> AdminView:
    health, last = here.store.tallies.health(), here.store.keeping.last_eviction()
    return {
        "mode": here.store.switch.mode(),
        "waiting": health.queued,
        "requests": here.store.queue.backlog(),
        "running": health.running,
        "workers": health.workers,
        "profile": here.settings.profile,
        "requests_most": here.settings.max_queued,
        "machines": [worker_view(worker) for worker in here.store.workers.alive()],
        "folder_bytes": here.folder.used_bytes(),
        "budget_bytes": here.settings.budget_mb * MEGABYTE,
        "evicted_at": last.at if last else None,
        "evicted_runs": last.runs if last else 0,
        "reports": len(here.store.reports.open()) + len(here.store.complaints.open()),
    }
