"""Webhooks as the owner of a run or a study sees them: where the message goes, how its attempts went, once more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from jobs.store.database import Database
from jobs.store.tables import RUNS, STUDIES
from jobs.store.webhooks.tables import MESSAGES, WEBHOOKS

MOST_AGAIN = 5
"""How often the owner may have one message sent again."""
Standing = Literal["waiting", "sending", "retrying", "delivered", "failed"]
"""waiting: for the end of the run. sending: an attempt is due or under way. failed: there are no further attempts."""


@dataclass(frozen=True, slots=True)
class WebhookNow:
    """A webhook, and how its newest message fares. Times are Unix seconds by the database's clock.

    `next_at`: of the next attempt; `problem`: of the last one; `again_left`: how often it can be sent again.
    """

    url: str
    standing: Standing
    attempts: int
    next_at: float | None
    delivered_at: float | None
    problem: str | None
    again_left: int


@dataclass(eq=False)
class Webhooks:
    """The callers check who asks. `about`: the id of a run or a study."""

    database: Database

    def of(self, about: str) -> WebhookNow | None:
        """The webhook of a run or study; None if there is none."""
        with self.database.reading() as connection:
            found = _find(connection, about)
            if found is None:
                return None
            clock = connection.scalar(sa.select(self.database.clock())) or 0.0
            return _now(found, _newest(connection, found.number), clock)

    def send_again(self, about: str) -> str | None:
        """Have the newest message sent now, also one that was delivered. Returns the reason if that cannot be."""
        clock, m = self.database.clock(), MESSAGES.c
        with self.database.writing() as connection:
            found = _find(connection, about)
            message = _newest(connection, found.number) if found else None
            if message is None:
                return "there is no message to send again"
            if message.again >= MOST_AGAIN:
                return f"this message was sent again {MOST_AGAIN} times, the most allowed"
            idle = (m.number == message.number, m.leased_until.is_(None) | (m.leased_until <= clock))
            values: dict[str, Any] = {"due_at": clock, "delivered_at": None, "again": m.again + 1}
            if connection.execute(sa.update(MESSAGES).where(*idle).values(values)).rowcount == 0:
                return "it is being sent"
        return None

    def remove(self, about: str) -> bool:
        """Forget the address, and send nothing more. False: there is none."""
        with self.database.writing() as connection:
            found = _find(connection, about)
            if found is not None:
                connection.execute(sa.delete(WEBHOOKS).where(WEBHOOKS.c.number == found.number))
        return found is not None


def _find(connection: Connection, about: str) -> Row[Any] | None:
    run = sa.select(RUNS.c.number).where(RUNS.c.id == about, RUNS.c.owner == WEBHOOKS.c.owner)
    study = sa.select(STUDIES.c.number).where(STUDIES.c.id == about)
    mine = WEBHOOKS.c.run.in_(run.correlate(WEBHOOKS)) | WEBHOOKS.c.study.in_(study)
    return connection.execute(sa.select(WEBHOOKS).where(mine)).first()


def _newest(connection: Connection, webhook: int) -> Row[Any] | None:
    newest = sa.select(MESSAGES).where(MESSAGES.c.webhook == webhook).order_by(MESSAGES.c.number.desc())
    return connection.execute(newest.limit(1)).first()


def _now(webhook: Row[Any], message: Row[Any] | None, clock: float) -> WebhookNow:
    if webhook.armed or message is None:  # what was said of an earlier end is of no interest any more
        return WebhookNow(webhook.url, "waiting", 0, None, None, None, 0)
    standing: Standing
    if message.due_at is None:
        standing = "failed" if message.delivered_at is None else "delivered"
    elif message.due_at <= clock or (message.leased_until or 0) > clock:
        standing = "sending"
    else:
        standing = "retrying"
    return WebhookNow(
        webhook.url,
        standing,
        message.attempts,
        message.due_at if standing == "retrying" else None,
        message.delivered_at,
        message.problem,
        MOST_AGAIN - message.again,
    )
