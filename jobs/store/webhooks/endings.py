"""Notes that a run or a study has ended, once, as a message to its webhook. The statements write on a connection.

That a run has ended is a state of its row, so no process can lose it: the next one that looks finds it. A webhook is
armed until its end is noted, and again once the run or study is resumed.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from jobs.quotas import Asker, Limits, Refused, refuse_webhooks
from jobs.store.database import Clock
from jobs.store.records import TERMINAL, State
from jobs.store.shares.admission import sides
from jobs.store.tables import MEMBERS, RUNS, STUDIES
from jobs.store.webhooks.tables import MESSAGES, WEBHOOKS

AT_ONCE = 50
"""Ends that are noted in one transaction."""


@dataclass(frozen=True, slots=True)
class Wish:
    """That `url` is told the end of what is launched; `link(id)` is the address of its page."""

    url: str
    link: Callable[[str], str]


def insert_webhook(connection: Connection, wish: Wish | None, row: dict[str, Any], limits: Limits, **of: int) -> None:
    """Keep a wish for the run or study of `row`; `of`: its number, as `run` or `study`. Raises Refused."""
    if wish is None:
        return
    by = Asker(row["visitor"], row["address"])
    for share, column, asker, whose in sides(limits, by):
        if share.webhooks and (waiting := _unsent(connection, column, asker)) >= share.webhooks:
            raise Refused(refuse_webhooks(whose, waiting, share.webhooks))
    values = {key: row[key] for key in ("owner", "visitor", "address")}
    values |= {"url": wish.url, "link": wish.link(row["id"]), "created_at": time.time(), "armed": True, **of}
    connection.execute(sa.insert(WEBHOOKS).values(values))


def note_ends(connection: Connection) -> int:
    """Write a message for each armed webhook whose run or study has ended. Returns how many."""
    return sum(_note(connection, row) for row in connection.execute(_ended().limit(AT_ONCE)).all())


def some_ended(connection: Connection) -> bool:
    """Whether `note_ends` has something to do."""
    return connection.execute(_ended().limit(1)).first() is not None


def rearm(connection: Connection, *, run: int | None = None, study: int | None = None) -> None:
    """A run, or a study, is about to go on: its next end counts. One that nobody has noted yet is noted first."""
    studies = sa.select(MEMBERS.c.study).where(MEMBERS.c.run == run)
    mine = (WEBHOOKS.c.study == study) if run is None else (WEBHOOKS.c.run == run) | WEBHOOKS.c.study.in_(studies)
    for row in connection.execute(_ended().where(mine)).all():
        _note(connection, row)
    connection.execute(sa.update(WEBHOOKS).where(mine).values(armed=True))


def _unsent(connection: Connection, column: str, asker: str) -> int:
    """The webhooks of an asker that may still send something."""
    due = sa.exists().where(MESSAGES.c.webhook == WEBHOOKS.c.number, MESSAGES.c.due_at.is_not(None))
    mine = sa.select(sa.func.count()).select_from(WEBHOOKS).where(WEBHOOKS.c[column] == asker, WEBHOOKS.c.armed | due)
    return connection.scalar(mine) or 0


def _ended() -> sa.Select[Any]:
    """The armed webhooks whose run or study has ended, and those whose run has gone over to somebody else."""
    w = WEBHOOKS.c
    goes_on = sa.exists().where(
        MEMBERS.c.study == STUDIES.c.number, RUNS.c.number == MEMBERS.c.run, RUNS.c.state.not_in(TERMINAL)
    )
    run = sa.exists().where(RUNS.c.number == w.run, RUNS.c.state.in_(TERMINAL) | (RUNS.c.owner != w.owner))
    study = sa.exists().where(STUDIES.c.number == w.study, STUDIES.c.cancelled | ~goes_on.correlate(STUDIES))
    return sa.select(WEBHOOKS).where(w.armed, run | study).order_by(w.number)


def _note(connection: Connection, webhook: Row[Any]) -> int:
    """Write the message of an end, unless somebody else has done so. Returns how many were written."""
    mine = (WEBHOOKS.c.number == webhook.number, WEBHOOKS.c.armed)
    if connection.execute(sa.update(WEBHOOKS).where(*mine).values(armed=False)).rowcount == 0:
        return 0
    body = _of_study(connection, webhook) if webhook.run is None else _of_run(connection, webhook)
    if body is None:  # another owner has the run, and the address is none of theirs
        connection.execute(sa.delete(WEBHOOKS).where(WEBHOOKS.c.number == webhook.number))
        return 0
    values = {
        "webhook": webhook.number,
        "id": f"msg_{secrets.token_urlsafe(18)}",
        "body": json.dumps(body, ensure_ascii=False),
        "created_at": time.time(),
        "due_at": Clock(),
        "attempts": 0,
        "again": 0,
    }
    connection.execute(sa.insert(MESSAGES).values(values))
    return 1


def _of_run(connection: Connection, webhook: Row[Any]) -> dict[str, Any] | None:
    run = connection.execute(sa.select(RUNS).where(RUNS.c.number == webhook.run)).one()
    if run.owner != webhook.owner:
        return None
    data = {
        "id": run.id,
        "url": webhook.link,
        "name": run.name,
        "state": run.state,
        "failure": run.error_kind if run.state == "failed" else None,
        "test_accuracy": run.top1,
        **{key: run._mapping[key] for key in ("epochs", "architecture", "policy", "dataset", "replicate")},
    }
    return _message(f"run.{run.state}", run.finished_at, data)


def _of_study(connection: Connection, webhook: Row[Any]) -> dict[str, Any]:
    study = connection.execute(sa.select(STUDIES).where(STUDIES.c.number == webhook.study)).one()
    counted = (
        sa.select(RUNS.c.state, sa.func.count().label("number"))
        .join(MEMBERS, MEMBERS.c.run == RUNS.c.number)
        .where(MEMBERS.c.study == study.number)
        .group_by(RUNS.c.state)
    )
    runs = {row.state: row.number for row in connection.execute(counted)}
    state: State = "failed"
    if set(runs) == {"finished"}:
        state = "finished"
    elif study.cancelled or "cancelled" in runs:
        state = "cancelled"
    data = {
        "id": study.id,
        "url": webhook.link,
        "name": study.name,
        "state": state,
        "scale": study.scale,
        "runs": sum(runs.values()),
        **{key: runs.get(key, 0) for key in ("finished", "failed", "cancelled")},
    }
    return _message(f"study.{state}", None, data)


def _message(kind: str, at: float | None, data: dict[str, Any]) -> dict[str, Any]:
    said = datetime.fromtimestamp(at or time.time(), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"type": kind, "timestamp": said, "data": data}
