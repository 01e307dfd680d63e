"""Who may ask for more: the limits, checked on the connection that then writes what was asked for.

Submissions exclude each other, so what was counted is still true when the new row is written.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy import Connection

from jobs.quotas import (
    HOUR_S,
    PATIENCE_S,
    Asker,
    Limits,
    Portion,
    Refused,
    refuse_evaluation,
    refuse_evaluations,
    refuse_hourly,
    refuse_kept,
    refuse_submission,
    refuse_uploads,
    refuse_waiting,
)
from jobs.store.shares import flags
from jobs.store.shares.tables import ASKED
from jobs.store.tables import EVALUATIONS, MEMBERS, RUNS, STARTS, STUDIES
from jobs.store.tabs.tables import TABS

SUBMISSIONS_LOCK = 0x6F6E6C79627B
"""PostgreSQL's advisory locks are numbers."""
ALONE = 0
"""The priority of single runs."""
DRAINED = "This server accepts no new runs until its queue is empty. Try again in an hour."
PENDING = ("queued", "running")


def one_at_a_time(connection: Connection) -> None:
    """Exclude other submissions until the end of the transaction. SQLite has a single writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SUBMISSIONS_LOCK)))


def admit_launch(connection: Connection, limits: Limits, by: Asker, disk_bytes: int = 0) -> None:
    """Admit a further launch: a run, a study, or a resumed one, which will keep `disk_bytes`. Raises Refused."""
    one_at_a_time(connection)
    check_launch(connection, limits, by, disk_bytes)
    now = time.time()
    connection.execute(sa.delete(ASKED).where(ASKED.c.at < now - HOUR_S))
    connection.execute(sa.insert(ASKED).values(at=now, visitor=by.owner, address=by.address))


def check_launch(connection: Connection, limits: Limits, by: Asker, disk_bytes: int = 0) -> None:
    """Raises Refused if a further launch would not be admitted now."""
    if flags.get(connection, flags.MODE) == "drained":
        raise Refused(DRAINED, HOUR_S)
    if reason := refuse_submission(backlog(connection), limits.max_queued):
        raise Refused(reason)
    for share, column, asker, whose in sides(limits, by):
        if share.waiting and (waiting := backlog(connection, column, asker)) >= share.waiting:
            raise Refused(refuse_waiting(whose, waiting, share.waiting))
        if share.hourly:
            _admit_hourly(connection, share, column, asker, whose)
        if share.kept and (kept := kept_bytes(connection, column, asker) + disk_bytes) > share.kept:
            raise Refused(refuse_kept(whose, kept, share.kept), HOUR_S)


def admit_evaluation(connection: Connection, limits: Limits, by: Asker) -> None:
    """Admit a further evaluation. Raises Refused."""
    one_at_a_time(connection)
    if flags.get(connection, flags.MODE) == "drained":
        raise Refused(DRAINED, HOUR_S)
    c = EVALUATIONS.c
    pending = sa.select(sa.func.count()).select_from(EVALUATIONS).where(c.state.in_(PENDING))
    recent = sa.select(sa.func.count()).select_from(EVALUATIONS).where(c.created_at > time.time() - 60)
    if reason := refuse_evaluation(connection.scalar(pending) or 0, connection.scalar(recent) or 0):
        raise Refused(reason)
    for share, column, asker, whose in sides(limits, by):
        waiting = connection.scalar(pending.where(c[column] == asker)) or 0
        if share.evaluations and waiting >= share.evaluations:
            raise Refused(refuse_evaluations(whose, waiting, share.evaluations))


def admit_upload(connection: Connection, limits: Limits, by: Asker, size_bytes: int) -> None:
    """Admit a file of `size_bytes` to start from; older ones of the same asker make room for it. Raises Refused."""
    if flags.get(connection, flags.MODE) == "drained":
        raise Refused(DRAINED, HOUR_S)
    for share, column, asker, whose in sides(limits, by):
        own = STARTS.c[column] == asker
        if share.uploads and (left := _after(connection, own, size_bytes, share.uploads)) > share.uploads:
            raise Refused(refuse_uploads(whose, left, share.uploads), PATIENCE_S)


def _after(connection: Connection, own: sa.ColumnElement[bool], size_bytes: int, most: int) -> int:
    """Delete the oldest files that fulfil `own` and that no run needs, until `size_bytes` more are at most `most`.
    Returns how many bytes there would be then."""
    c = STARTS.c
    used = (connection.scalar(sa.select(sa.func.sum(c.size_bytes)).where(own)) or 0) + size_bytes
    if used <= most:
        return used
    unused = sa.select(c.digest, c.size_bytes).where(own, ~needed_start()).order_by(c.created_at)
    for row in connection.execute(unused).all():
        if used <= most:
            break
        connection.execute(sa.delete(STARTS).where(c.digest == row.digest))
        used -= row.size_bytes
    return used


def needed_start() -> sa.ColumnElement[bool]:
    """The condition that a run that waits or runs starts from the file, or verifies it."""
    starts = sa.exists().where(RUNS.c.state.in_(PENDING), RUNS.c.spec.contains(STARTS.c.digest))
    of_tab = (TABS.c.run == RUNS.c.number) & (TABS.c.capsule == STARTS.c.digest)
    return starts | sa.exists().where(RUNS.c.state.in_(PENDING), of_tab)


def backlog(connection: Connection, column: str | None = None, asker: str | None = None) -> int:
    """How many requests wait: single runs, and studies, each as one; all, or those whose `column` says `asker`."""
    in_study = sa.exists().where(MEMBERS.c.run == RUNS.c.number)
    alone = (
        sa.select(sa.func.count())
        .select_from(RUNS)
        .where(RUNS.c.state == "queued", (RUNS.c.priority == ALONE) | ~in_study)
    )
    studies = (
        sa.select(sa.func.count(sa.distinct(MEMBERS.c.study)))
        .join(RUNS, RUNS.c.number == MEMBERS.c.run)
        .join(STUDIES, STUDIES.c.number == MEMBERS.c.study)
        .where(RUNS.c.state == "queued", RUNS.c.priority != ALONE)
    )
    if column is not None:
        alone, studies = alone.where(RUNS.c[column] == asker), studies.where(STUDIES.c[column] == asker)
    return (connection.scalar(alone) or 0) + (connection.scalar(studies) or 0)


def kept_bytes(connection: Connection, column: str, asker: str) -> int:
    """The bytes that the runs of an asker keep, those of pending ones as expected, and its files to start from."""
    c = RUNS.c
    runs = sa.select(sa.func.sum(c.disk_bytes)).where(
        c[column] == asker, c.removed_at.is_(None), c.evicted_at.is_(None)
    )
    files = sa.select(sa.func.sum(STARTS.c.size_bytes)).where(STARTS.c[column] == asker)
    return int(connection.scalar(runs) or 0) + int(connection.scalar(files) or 0)


def _admit_hourly(connection: Connection, share: Portion, column: str, asker: str, whose: str) -> None:
    newest = launched(connection, column, asker, share.hourly)
    if len(newest) >= share.hourly:
        retry_s = min(HOUR_S, newest[-1] + HOUR_S - time.time())
        raise Refused(refuse_hourly(whose, len(newest), share.hourly, retry_s), retry_s)


def launched(connection: Connection, column: str, asker: str, most: int) -> list[float]:
    """When an asker launched within the last hour, the newest first, at most `most`."""
    within = sa.select(ASKED.c.at).where(ASKED.c[column] == asker, ASKED.c.at > time.time() - HOUR_S)
    return list(connection.scalars(within.order_by(ASKED.c.at.desc()).limit(most)))


def sides(limits: Limits, by: Asker) -> Iterator[tuple[Portion, str, str, str]]:
    """The shares that apply to `by`: the column, what it says, and words for whose share it is."""
    if by.owner is not None:
        yield limits.owner, "visitor", by.owner, "of yours"
    if by.address is not None:
        yield limits.address, "address", by.address, "from your network address"
