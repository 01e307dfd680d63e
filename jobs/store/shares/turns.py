"""Whose turn it is: the runs of all askers take turns, each by what it costs (start-time fair queueing).

Each run gets a number when it is queued, its turn. Workers take the lowest of each priority. The first run of an asker
begins at the number at which the queue stands now. The next one begins as many seconds later as the one before it
costs. So the asker who has had the least is next, however many runs another one has queued, and an asker's own runs
keep their order. A dear run stands back by a part of its own price, so that a short one of somebody else need not wait.

With each queued run the queue moves on by a part of what that run costs. So a run that waits is overtaken by a bounded
amount of work, also where new askers come without end.
"""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from jobs.quotas import Asker, Limits
from jobs.store.shares import flags
from jobs.store.tables import RUNS

CROWD = 128
"""A run that waits is overtaken at most by so many times its lead (in seconds of work)."""
LEAST_S = 1.0
"""What a run costs at least."""
STANDS_BACK = 0.25
"""By how much of its price a run stands back."""
RECENTLY_S = 86400.0
"""How long the runs of an owner count for its address."""
TAKEN = ("running", "finished", "failed")
"""The states of runs that have had their turn."""

_PRICE = sa.case((RUNS.c.price_s > LEAST_S, RUNS.c.price_s), else_=LEAST_S)


def next_turn(connection: Connection, by: Asker, price_s: float, priority: int, address_owners: int) -> float:
    """The turn of a further run of `by` that costs `price_s` seconds, and moves the queue on.

    More than `address_owners` owners who asked from one address within a day share the turns of so many: a new token
    for each run brings no more turns. 0: addresses do not count.

    Submissions must exclude each other.
    """
    alike = RUNS.c.priority > 0 if priority else RUNS.c.priority == 0
    name = f"turn of {'studies' if priority else 'runs'}"
    price_s = max(LEAST_S, price_s)
    now = float(flags.get(connection, name) or 0.0)
    for state in TAKEN:
        reached = sa.select(sa.func.max(RUNS.c.turn - STANDS_BACK * _PRICE)).where(RUNS.c.state == state, alike)
        now = max(now, connection.scalar(reached) or 0.0)
    flags.put(connection, name, repr(now + price_s / CROWD))
    begins = max(now, _had(connection, by, alike)) + price_s * _crowded(connection, by, address_owners)
    return begins + (STANDS_BACK * price_s if by.owner is not None else 0.0)  # among unknown ones the order is all


def may_begin(limits: Limits) -> list[sa.ColumnElement[bool]]:
    """The conditions under which a run that waits may begin: the queue is not paused, and its asker has not the most
    runs running already."""
    conditions = [~flags.is_set(flags.MODE, "paused")]
    for column, most in (("visitor", limits.owner.running), ("address", limits.address.running)):
        if most:
            others = RUNS.alias(f"same_{column}")
            running = (
                sa.select(sa.func.count())
                .select_from(others)
                .where(others.c[column] == RUNS.c[column], others.c.state == "running")
                .correlate(RUNS)
                .scalar_subquery()
            )
            conditions.append(running < most)
    return conditions


def _had(connection: Connection, by: Asker, alike: Any) -> float:
    """Until which number the runs of `by` reach. A run that was cancelled before it began does not count."""
    if by.owner is None:
        return 0.0
    began = (RUNS.c.state != "cancelled") | (RUNS.c.attempt > 0)
    had = sa.select(sa.func.max(RUNS.c.turn + (1 - STANDS_BACK) * _PRICE)).where(
        RUNS.c.visitor == by.owner, began, alike
    )
    return connection.scalar(had) or 0.0


def _crowded(connection: Connection, by: Asker, address_owners: int) -> int:
    """How many times `address_owners` other owners have asked from the address of `by` within a day."""
    if not address_owners or by.address is None:
        return 0
    others = sa.select(sa.func.count(sa.distinct(RUNS.c.visitor))).where(
        RUNS.c.address == by.address,
        RUNS.c.created_at > time.time() - RECENTLY_S,
        RUNS.c.visitor != (by.owner or ""),
    )
    return (connection.scalar(others) or 0) // address_owners
