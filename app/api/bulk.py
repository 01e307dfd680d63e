"""The REST routes for several runs at once: cancel, remove, restore or reorder those that a list of tokens opens.

Every run is tried by itself, and the answer says of each that stays as it is why. The rules of a single one are in the
store.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from app.api.common import Here, Services, described, refuse_others, wrong
from app.api.errors import Problem, explain, parse
from app.views.address import Id
from app.web.answers import answer
from core.catalog.model import Model
from jobs.store.mapping import UnreadableRun
from jobs.store.records import TERMINAL

MAX_RUNS = 200
OwnerToken = Annotated[str, StringConstraints(max_length=200)]
Action = Literal["cancel", "remove", "restore"]


class Changes(Model):
    """`runs`: the owner token of each, or that of the study that launched it."""

    action: Action
    runs: dict[Id, OwnerToken] = Field(min_length=1, max_length=MAX_RUNS)


class Order(Model):
    """`runs`: ids in the wanted order; `tokens`: the owner token of each, or that of the study that launched it."""

    runs: Annotated[list[Id], Field(min_length=1, max_length=MAX_RUNS)]
    tokens: dict[Id, OwnerToken] = Field(max_length=MAX_RUNS)


class Refused(TypedDict):
    """A run that stays as it is, and why."""

    id: str
    reason: str


class Changed(TypedDict):
    """The ids of the runs with which it is done, and the others."""

    done: list[str]
    refused: list[Refused]


class Ordered(TypedDict):
    """Those of the runs that wait, in the order in which they will be served."""

    runs: list[str]


router = APIRouter()


async def _changes(request: Request) -> Changes:
    return parse(Changes, await request.body(), explain)


async def _order(request: Request) -> Order:
    return parse(Order, await request.body(), explain)


@router.post(
    "/api/runs/changes",
    response_model=Changed,
    responses=wrong(413, 422),
    openapi_extra=described(Changes, {"action": "cancel", "runs": {"RUN_ID": "OWNER_TOKEN"}}),
    summary="Cancel, remove or restore several runs",
)
def change_runs(changes: Annotated[Changes, Depends(_changes)], here: Here) -> Response:
    """Every run by itself: one that may not be changed does not keep the others from it."""
    said: Changed = {"done": [], "refused": []}
    for run_id, token in changes.runs.items():
        if reason := _change(changes.action, run_id, token, here):
            said["refused"].append({"id": run_id, "reason": reason})
        else:
            said["done"].append(run_id)
    return answer(said)


@router.post(
    "/api/runs/order",
    response_model=Ordered,
    responses=wrong(403, 413, 422),
    openapi_extra=described(Order, {"runs": ["SECOND", "FIRST"], "tokens": {"FIRST": "TOKEN", "SECOND": "TOKEN"}}),
    summary="Reorder runs of one's own that wait",
)
def order_runs(order: Annotated[Order, Depends(_order)], here: Here) -> Response:
    """Serve these runs in this order, in the places of the queue that they have among themselves.

    Nobody else's run is served later because of it. What does not wait any more is left out, and a study's run stays
    behind single ones.
    """
    for run_id in order.runs:
        refuse_others(run_id, here, order.tokens.get(run_id), "reorder")
    ordered: Ordered = {"runs": here.store.queue.reorder(list(dict.fromkeys(order.runs)))}
    return answer(ordered)


def _change(action: Action, run_id: str, token: str, here: Services) -> str | None:
    """Why not; None where it is done."""
    try:
        refuse_others(run_id, here, token, action)
    except Problem as problem:
        return problem.detail
    try:
        if action == "cancel":
            return _cancel(run_id, here)
        if action == "restore":
            return None if here.store.runs.restore(run_id) else "what was removed an hour ago is gone"
    except UnreadableRun:  # which is raised once it is done
        return None
    reason = here.store.runs.remove(run_id)
    if reason is None:
        here.feed.forget(run_id)
    return reason


def _cancel(run_id: str, here: Services) -> str | None:
    state = here.store.runs.state(run_id)
    if state is None:
        return "it is not here any more"
    if state not in TERMINAL:
        run = here.store.runs.cancel(run_id)
        if run is None or run.cancel_requested:
            return None
        state = run.state  # it has ended meanwhile
    return f"it is {state} already"
