"""The REST routes of webhooks, for the owner of a run or study only: look at it, send again, take it away."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from typing_extensions import TypedDict

from app.api.common import Existing, Here, Services, Token, refuse_others, wrong
from app.api.errors import Problem
from app.api.studies import Owned
from app.web.answers import answer
from jobs.store.webhooks.webhooks import Standing
from jobs.webhooks.address import host_of
from jobs.webhooks.signature import secret_of


class WebhookView(TypedDict):
    """Who is told that a run or study has ended. Times are Unix seconds.

    `secret`: with which the receiver checks the signature of a message. `state`: waiting for the end; sending;
    retrying at `next_at`; delivered; failed, with no further attempt. `problem`: of the last attempt, in words.
    `again_left`: how often the message can be sent again.
    """

    url: str
    host: str
    secret: str
    state: Standing
    attempts: int
    next_at: float | None
    delivered_at: float | None
    problem: str | None
    again_left: int


router = APIRouter()


def _my_run(run_id: Existing, here: Here, x_owner_token: Token = None) -> str:
    refuse_others(run_id, here, x_owner_token, "see or change the webhook of")
    return run_id


def _my_study(study: Owned) -> str:
    return study.id


MyRun = Annotated[str, Depends(_my_run)]
MyStudy = Annotated[str, Depends(_my_study)]


@router.get(
    "/api/runs/{run_id}/webhook",
    response_model=WebhookView | None,
    responses=wrong(403, 404),
    summary="Look at a run's webhook",
)
def look_at_webhook(run_id: MyRun, here: Here) -> Response:
    """Where the message goes and how its attempts went; null: it has none. Send the token of the run."""
    return _show(run_id, here)


@router.post(
    "/api/runs/{run_id}/webhook/send",
    response_model=WebhookView,
    responses=wrong(403, 404, 409),
    summary="Send a run's message again",
)
def send_again(run_id: MyRun, here: Here) -> Response:
    """Send the message now, also one that was delivered, with the same `webhook-id`; at most five times."""
    return _send(run_id, here)


@router.delete(
    "/api/runs/{run_id}/webhook", status_code=204, responses=wrong(403, 404), summary="Remove a run's webhook"
)
def remove_webhook(run_id: MyRun, here: Here) -> Response:
    """Forget the address, and send nothing more to it."""
    return _remove(run_id, here)


@router.get(
    "/api/studies/{study_id}/webhook",
    response_model=WebhookView | None,
    responses=wrong(403, 404),
    summary="Look at a study's webhook",
)
def look_at_study_webhook(study_id: MyStudy, here: Here) -> Response:
    """The same for a study, which has one message for all its runs. Send the token of the study."""
    return _show(study_id, here)


@router.post(
    "/api/studies/{study_id}/webhook/send",
    response_model=WebhookView,
    responses=wrong(403, 404, 409),
    summary="Send a study's message again",
)
def send_study_again(study_id: MyStudy, here: Here) -> Response:
    """The same for a study."""
    return _send(study_id, here)


@router.delete(
    "/api/studies/{study_id}/webhook", status_code=204, responses=wrong(403, 404), summary="Remove a study's webhook"
)
def remove_study_webhook(study_id: MyStudy, here: Here) -> Response:
    """The same for a study."""
    return _remove(study_id, here)


def _show(about: str, here: Services) -> Response:
    now = here.store.webhooks.of(about)
    if now is None:
        return answer(None)
    said: WebhookView = {
        "url": now.url,
        "host": host_of(now.url),
        "secret": secret_of(here.settings.signing_key(), about),
        "state": now.standing,
        "attempts": now.attempts,
        "next_at": now.next_at,
        "delivered_at": now.delivered_at,
        "problem": now.problem,
        "again_left": now.again_left,
    }
    return answer(said)


def _send(about: str, here: Services) -> Response:
    if here.settings.webhooks == "off":
        raise Problem(409, "this server sends no webhooks: ONLYBN_WEBHOOKS=off")
    if reason := here.store.webhooks.send_again(about):
        raise Problem(409, reason)
    return _show(about, here)


def _remove(about: str, here: Services) -> Response:
    if not here.store.webhooks.remove(about):
        raise Problem(404, f"{about} has no webhook")
    return Response(status_code=204)
