"""Statements that put runs into the queue, and the tokens that prove who did. The functions write on a connection."""

from __future__ import annotations

import hashlib
import secrets
import string
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.run.cost import counts
from core.run.spec import RunSpec
from core.studies.spec import Scale
from jobs.store import curves
from jobs.store.tables import RUNS

ID_LETTERS = string.ascii_letters + string.digits
ID_LENGTH = 14  # 83 bits: a link cannot be guessed

ALONE = 0
IN_STUDY: dict[Scale, int] = {"minutes": 1, "evening": 2, "paper": 3}
"""Priorities: the lower is served first, so that a visitor's single run does not wait for a study of sixty, nor a study
of minutes for one of months."""


def new_id() -> str:
    return "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH))


def new_token() -> str:
    return secrets.token_urlsafe(24)


def hashed(token: str) -> str:
    """What the database keeps of an owner's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def row_of(spec: RunSpec, owner: str, priority: int = ALONE) -> dict[str, Any]:
    """The row of a new run; `owner` is a hashed token."""
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
    }


def insert_run(connection: Connection, row: dict[str, Any], message: str = "Submitted.") -> int:
    """Queue a run; its number."""
    number: int = connection.scalars(sa.insert(RUNS).values(row).returning(RUNS.c.number)).one()
    curves.insert_log(connection, number, 0, "submitted", message)
    return number
