"""The REST routes of what a visitor may have here: launches that are left, and how long runs are kept."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from typing_extensions import TypedDict

from app.api.common import COSTLY, By, Here, wrong
from app.web.answers import answer
from jobs.quotas import Portion
from jobs.store.records import Mode
from jobs.webhooks.address import Reach


class KeptView(TypedDict):
    """What this server keeps; 0: no limit. `evicted_at`: when runs last lost their curves to make room, null: never."""

    profile: str
    keep_days: float
    keep_failed_days: float
    keep_capsule_mb: int
    budget_mb: int
    evicted_at: float | None
    evicted_runs: int


class ShareView(TypedDict):
    """What the asker may still launch. `waiting_left`: how many more of its runs and studies may wait now;
    `hourly_left`: how many more launches may come within the hour; `running_most`: how many of its runs run at once;
    null: no limit. `limited`: whether visitors have limits here at all. `refusal`: why nothing may be
    launched now, and `retry_s` when to try again; null: it may. `webhooks`: the addresses that may be told of an end.
    """

    mode: Mode
    limited: bool
    waiting_left: int | None
    hourly_left: int | None
    running_most: int | None
    refusal: str | None
    retry_s: int | None
    webhooks: Reach


router = APIRouter()


@router.get(
    "/api/share", dependencies=[COSTLY], response_model=ShareView, responses=wrong(422), summary="What you may launch"
)
def show_share(
    here: Here,
    by: By,
    disk_bytes: Annotated[int, Query(ge=0, lt=2**53, description="What the next run will keep.")] = 0,
) -> Response:
    """What is left of the asker's share: a launch that would be refused is refused here, in the same words."""
    limits = here.settings.limits
    allowance = here.store.allowances.of(limits, by, disk_bytes)
    said: ShareView = {
        "mode": here.feed.health().mode,
        "limited": limits.owner != Portion(),
        "waiting_left": allowance.waiting_left,
        "hourly_left": allowance.hourly_left,
        "running_most": limits.owner.running or None,
        "refusal": allowance.refusal,
        "retry_s": allowance.retry_s,
        "webhooks": here.settings.webhooks,
    }
    return answer(said)


@router.get("/api/kept", response_model=KeptView, summary="How long runs are kept")
def show_kept(here: Here) -> Response:
    """Days after which runs are deleted by their state, the budget of the data folder, and when runs last made room."""
    settings, last = here.settings, here.store.keeping.last_eviction()
    said: KeptView = {
        "profile": settings.profile,
        "keep_days": settings.keep_days,
        "keep_failed_days": settings.keep_failed_days,
        "keep_capsule_mb": settings.keep_capsule_mb,
        "budget_mb": settings.budget_mb,
        "evicted_at": last.at if last else None,
        "evicted_runs": last.runs if last else 0,
    }
    return answer(said)
