"""The REST routes for several runs at once: cancel, delete, restore or reorder the runs of a list of tokens.

The route tries every run separately, and the response says why a run stays unchanged. The store has the rules.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from app.api.common import COSTLY, Here, Services, described, refuse_others, wrong
from app.api.errors import Problem, parse, told
from app.views.address import Id
from app.web.answers import answer
from core.catalog.model import Model
from jobs.store.mapping import UnreadableRun
from jobs.store.records import TERMINAL
from jobs.store.runs import HANDED_OVER

MAX_RUNS = 200
OwnerToken = Annotated[str, StringConstraints(max_length=200)]
Action = Literal["cancel", "remove", "restore"]


class Changes(Model):
    """`runs`: by id, the owner token of each run, or of the study that launched it."""

    action: Action
    runs: dict[Id, OwnerToken] = Field(min_length=1, max_length=MAX_RUNS)


class Order(Model):
    """`runs`: ids in the wanted order; `tokens`: by id, the owner token of each, or of the study that launched it."""

    runs: Annotated[list[Id], Field(min_length=1, max_length=MAX_RUNS)]
    tokens: dict[Id, OwnerToken] = Field(max_length=MAX_RUNS)


class Refused(TypedDict):
    """A run that stays unchanged, and why."""

    id: str
    reason: str


class Changed(TypedDict):
    """The ids of the changed runs, and the runs that stay unchanged."""

    done: list[str]
    refused: list[Refused]


class Ordered(TypedDict):
    """The queued ones of the runs, in the order in which workers will take them."""

    runs: list[str]


router = APIRouter()


async def _changes(request: Request) -> Changes:
    return parse(Changes, await request.body(), told)


async def _order(request: Request) -> Order:
    return parse(Order, await request.body(), told)


@router.post(
    "/api/runs/changes",
    dependencies=[COSTLY],
    response_model=Changed,
    responses=wrong(413, 422),
    openapi_extra=described(Changes, {"action": "cancel", "runs": {"RUN_ID": "OWNER_TOKEN"}}),
    summary="Cancel, delete or restore several runs",
)
def change_runs(changes: Annotated[Changes, Depends(_changes)], here: Here) -> Response:
    """Each run is changed separately: if one cannot be changed, the others still are."""
    said: Changed = {"done": [], "refused": []}
    for run_id, token in changes.runs.items():
        if reason := _change(changes.action, run_id, token, here):
            said["refused"].append({"id": run_id, "reason": reason})
        else:
            said["done"].append(run_id)
    return answer(said)


@router.post(
    "/api/runs/order",
    dependencies=[COSTLY],
    response_model=Ordered,
    responses=wrong(403, 413, 422),
    openapi_extra=described(Order, {"runs": ["SECOND", "FIRST"], "tokens": {"FIRST": "TOKEN", "SECOND": "TOKEN"}}),
    summary="Reorder your own queued runs",
)
def order_runs(order: Annotated[Order, Depends(_order)], here: Here) -> Response:
    """Put these runs into this order, within the places that they already have in the queue.

    No other run is delayed. Runs that are no longer queued are left out, and a study's runs stay behind single ones.
    """
    for run_id in order.runs:
        refuse_others(run_id, here, order.tokens.get(run_id), "reorder")
    ordered: Ordered = {"runs": here.store.queue.reorder(list(dict.fromkeys(order.runs)))}
    return answer(ordered)


def _change(action: Action, run_id: str, token: str, here: Services) -> str | None:
    """Change one run. Returns why it stays unchanged; None if it is changed."""
    try:
        refuse_others(run_id, here, token, action)
    except Problem as problem:
        return problem.detail
    try:
        if action == "cancel":
            return _cancel(run_id, here)
        if action == "restore":
            return None if here.store.runs.restore(run_id) else "a deleted run can only be restored within an hour"
    except UnreadableRun:  # raised only after the change
        return None
    reason = here.store.runs.remove(run_id)
    if reason is None:
        here.feed.forget(run_id)
    return reason


def _cancel(run_id: str, here: Services) -> str | None:
    state = here.store.runs.state(run_id)
    if state is None:
        return "it is no longer here"
    if state not in TERMINAL:
        run = here.store.runs.cancel(run_id)
        if run is None or run.cancel_requested:
            return None
        if run.state not in TERMINAL:
            return HANDED_OVER
        state = run.state  # it has ended in the meantime
    return f"it is already {state}"
