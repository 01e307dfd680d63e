"""The runs that make up a study: those that are there already, and new ones for the rest. Writes on a connection."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from jobs.quotas import Limits
from jobs.store.mapping import kept
from jobs.store.records import State
from jobs.store.submission import insert_run
from jobs.store.tables import MEMBERS, RUNS
from jobs.store.tabs.tables import trained_here

USABLE: tuple[State, ...] = ("finished", "running", "queued")
"""Which runs of a digest a study takes, the most useful first."""


def fill(connection: Connection, study: int, rows: Mapping[int, dict[str, Any]], limits: Limits) -> tuple[str, ...]:
    """Give each place of the study a run: an existing one, or the new `rows[place]`. Returns the ids of new ones."""
    there = usable(connection, rows.values())
    new: list[str] = []
    members = []
    for place, row in sorted(rows.items()):
        number = there.get(row["digest"])
        if number is None:
            number = insert_run(connection, row, limits, "Submitted by a study.")
            new.append(row["id"])
        else:  # it gets the priority of the most urgent study that needs it
            urgent = sa.update(RUNS).where(RUNS.c.number == number, RUNS.c.priority > row["priority"])
            connection.execute(urgent.values(priority=row["priority"]))
        members.append({"study": study, "place": place, "run": number})
    if members:
        connection.execute(sa.insert(MEMBERS), members)
    return tuple(new)


def usable(connection: Connection, rows: Collection[dict[str, Any]]) -> dict[str, int]:
    """For the digest of each of `rows`, which ask for one label, the number of its most useful run.

    A run that waits for a worker with another label is left out: there may never be one. So is one that a browser
    trained: it rounds otherwise, and it says itself how it trained.
    """
    digests, labels = {row["digest"] for row in rows}, {row["label"] for row in rows} - {None}
    free = (RUNS.c.state != "queued") | RUNS.c.label.is_(None) | RUNS.c.label.in_(labels)
    statement = (
        sa.select(RUNS.c.digest, RUNS.c.state, RUNS.c.number)
        .where(RUNS.c.digest.in_(digests), RUNS.c.state.in_(USABLE), free, kept(), trained_here())
        .where((RUNS.c.state == "finished") | ~RUNS.c.cancel_requested)
        .with_for_update()  # none of them may be cancelled before it is a member
    )
    found = sorted(connection.execute(statement), key=lambda row: (-USABLE.index(row.state), row.number))
    return {row.digest: row.number for row in found}
