"""The header with which a launch names an address that is told of its end."""

from typing import Annotated

from fastapi import Depends, Header

from app.api.common import Here, Services, Site
from app.api.errors import invalid
from app.views.runs import run_url
from app.views.studies import study_url
from core.run.problems import Fault
from jobs.store.webhooks.endings import Wish
from jobs.webhooks.address import BadAddress, check
from jobs.webhooks.signature import secret_of

Named = Annotated[
    str | None,
    Header(
        alias="X-Webhook",
        description="An https address to notify at the end. Sent as a header because URLs end up in logs.",
    ),
]


def _checked(url: str | None, here: Services) -> str | None:
    """Raises Problem 422."""
    if not url:
        return None
    try:
        return check(url, here.settings.webhooks)
    except BadAddress as error:
        raise invalid([Fault("webhook", f"webhook: {error}")]) from error


def _of_run(here: Here, site: Site, x_webhook: Named = None) -> Wish | None:
    url = _checked(x_webhook, here)
    return Wish(url, lambda run_id: run_url(run_id, site)) if url else None


def _of_study(here: Here, site: Site, x_webhook: Named = None) -> Wish | None:
    url = _checked(x_webhook, here)
    return Wish(url, lambda study_id: study_url(study_id, None, site)) if url else None


RunWebhook = Annotated[Wish | None, Depends(_of_run)]
StudyWebhook = Annotated[Wish | None, Depends(_of_study)]
"""What the header X-Webhook asks for. Raises Problem 422."""


def secret(wish: Wish | None, about: str, here: Services) -> str | None:
    """What the sender of a wish is told, so that the receiver can check the messages about a run or study."""
    return secret_of(here.settings.signing_key(), about) if wish else None
