"""Statements that put runs into the queue, and the tokens that prove who submitted them. They write on a connection."""

from __future__ import annotations

import hashlib
import secrets
import string
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.run.cost import counts, price
from core.run.spec import RunSpec
from core.studies.spec import Scale
from jobs.quotas import UNKNOWN, Asker, Limits
from jobs.store import curves
from jobs.store.shares.admission import ALONE
from jobs.store.shares.turns import next_turn
from jobs.store.tables import RUNS
from jobs.store.webhooks.endings import Wish, insert_webhook

ID_LETTERS = string.ascii_letters + string.digits
ID_LENGTH = 14  # 83 bits: a link cannot be guessed

IN_STUDY: dict[Scale, int] = {"minutes": 1, "evening": 2, "paper": 3}
"""Priorities, beside ALONE: the lower is served first, so that a visitor's single run does not wait for a study of
sixty runs, nor a study of minutes for one of months."""


class KeyTaken(ValueError):
    """The key of a launch is that of another run; the message says so."""


def new_id() -> str:
    return "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH))


def new_token() -> str:
    return secrets.token_urlsafe(24)


def id_of(key: str) -> str:
    """The id of the run that is launched with `key`, so that the same key launches it once."""
    number, letters = int.from_bytes(hashlib.sha256(f"id/{key}".encode()).digest()), ""
    for _ in range(ID_LENGTH):
        number, index = divmod(number, len(ID_LETTERS))
        letters += ID_LETTERS[index]
    return letters


def token_of(key: str) -> str:
    """The token of that run: who repeats a launch because its answer was lost gets it again."""
    return hashlib.sha256(f"token/{key}".encode()).hexdigest()[:32]


def launched(connection: Connection, row: dict[str, Any]) -> bool:
    """Whether the run of `row` is there already. Raises KeyTaken if its id is that of another one."""
    columns = RUNS.c.digest, RUNS.c.owner, RUNS.c.removed_at
    there = connection.execute(sa.select(*columns).where(RUNS.c.id == row["id"])).first()
    if there is not None and tuple(there) != (row["digest"], row["owner"], None):
        raise KeyTaken(
            "this Idempotency-Key was used for another run, or its run was deleted; use a new key for each launch"
        )
    return there is not None


def hashed(token: str) -> str:
    """What the database keeps of an owner's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def row_of(spec: RunSpec, owner: str, priority: int = ALONE, by: Asker = UNKNOWN) -> dict[str, Any]:
    """The row of a new run; `owner` is a hashed token, and `by` asks for the run."""
    expected = price(spec)
    return {
        "id": new_id(),
        "owner": owner,
        "spec": spec.model_dump_json(),
        "digest": spec.digest,
        "priority": priority,
        **{k: getattr(spec, k) for k in ("name", "architecture", "policy", "dataset", "epochs", "replicate")},
        "counts": counts(spec.plan, spec.trains).model_dump_json(),
        "state": "queued",
        "created_at": time.time(),
        "total_steps": spec.total_steps,
        "visitor": by.owner,
        "address": by.address,
        "price_s": expected.processor_s,
        "disk_bytes": expected.disk_bytes,
    }


def insert_run(
    connection: Connection,
    row: dict[str, Any],
    limits: Limits,
    message: str = "Submitted.",
    webhook: Wish | None = None,
) -> int:
    """Queue a run, which has been admitted, with its webhook. Returns its number. Raises Refused."""
    by = Asker(row["visitor"], row["address"])
    turn = next_turn(connection, by, row["price_s"], row["priority"], limits.address_owners)
    row = {**row, "turn": turn}
    number: int = connection.scalars(sa.insert(RUNS).values(row).returning(RUNS.c.number)).one()
    curves.insert_log(connection, number, 0, "submitted", message)
    insert_webhook(connection, webhook, row, limits, run=number)
    return number
