"""Complaints about notes, tags, nicknames and titles of rooms: anybody makes them; the operator clears or dismisses.

A complaint is about a text as it was: who writes another one is not under suspicion, and who returns to a dismissed one
need not fear a second look. `shares/reports.py` has those about the names of runs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from jobs.quotas import HOUR_S, Asker, Refused, refuse_reports
from jobs.store import curves
from jobs.store.complaints.cleared import OF_RUN, RENAMED, Kind
from jobs.store.complaints.tables import COMPLAINTS
from jobs.store.database import Database
from jobs.store.mapping import kept
from jobs.store.rooms.rooms import forget_member
from jobs.store.rooms.tables import NICKNAMES, ROOMS
from jobs.store.shares.admission import one_at_a_time
from jobs.store.shares.reports import MAX_HOURLY, MAX_LISTED
from jobs.store.shares.tables import REPORTS
from jobs.store.tables import RUNS

MAX_OF_A_TEXT = 50
"""Further complaints about one text are accepted, and not kept."""
CLEARED = {"note": "The operator has removed the note.", "tag": "The operator has removed a tag."}
"""What the log of the run says."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """A text that visitors find offensive. `about`: the id of the run or the room; `number` names all of them."""

    number: int
    kind: Kind
    about: str
    text: str
    complaints: int
    first_at: float
    last_at: float


@dataclass(eq=False)
class Complaints:
    """Takes and settles complaints."""

    database: Database

    def complain(self, kind: Kind, about: str, text: str | None, by: Asker) -> bool:
        """Keep that `by` complains, once. `text`: which tag or nickname; of a note or a title always the present one.

        False: there is no such text. After a dismissal, further complaints are settled already. Raises Refused.
        """
        visitor = by.owner or by.address or "unknown"
        with self.database.writing() as connection:
            one_at_a_time(connection)
            found = _present(connection, kind, about, text)
            if found is None:
                return False
            of, text = found
            same = _same(kind, of, text)
            if _count(connection, *same, COMPLAINTS.c.visitor == visitor):
                return True
            if (hourly := _hourly(connection, by)) >= MAX_HOURLY:
                raise Refused(refuse_reports(hourly, MAX_HOURLY), HOUR_S)
            if _count(connection, *same) < MAX_OF_A_TEXT:
                settled = _count(connection, *same, COMPLAINTS.c.standing == "dismissed") > 0
                row = {"kind": kind, **of, "text": text, "at": time.time(), "visitor": visitor, "address": by.address}
                row["standing"] = "dismissed" if settled else "open"
                connection.execute(sa.insert(COMPLAINTS).values(row))
        return True

    def open(self) -> list[Complaint]:
        """The texts about which nobody has decided and that are still there, at most MAX_LISTED; the worst first."""
        c = COMPLAINTS.c
        count, first, last = sa.func.count(), sa.func.min(c.at), sa.func.max(c.at)
        about = sa.func.coalesce(sa.func.max(RUNS.c.id), sa.func.max(ROOMS.c.id))
        there = (
            sa.select(sa.func.min(c.number), c.kind, about, c.text, count, first, last)
            .outerjoin(RUNS, RUNS.c.number == c.run)
            .outerjoin(ROOMS, ROOMS.c.number == c.room)
            .where(c.standing == "open", c.room.is_not(None) | kept())
            .group_by(c.kind, c.run, c.room, c.text)
            .order_by(count.desc(), first)
            .limit(MAX_LISTED)
        )
        with self.database.reading() as connection:
            found = [Complaint(*row) for row in connection.execute(there).all()]
            return [one for one in found if _present(connection, one.kind, one.about, one.text) is not None]

    def dismiss(self, number: int) -> int:
        """The text stays. Returns how many complaints that settled."""
        with self.database.writing() as connection:
            row = _row(connection, number)
            return _settle(connection, row, "dismissed") if row else 0

    def clear(self, number: int) -> int:
        """Take the text away for good: the note or the tag of the run, the nickname, the title of the room. Returns how
        many complaints that settled; 0: there is no such complaint."""
        with self.database.writing() as connection:
            row = _row(connection, number)
            if row is None:
                return 0
            if _present(connection, row.kind, _about(connection, row), row.text) is not None:
                _take_away(connection, row)
            return _settle(connection, row, "cleared")


def _present(connection: Connection, kind: Kind, about: str, text: str | None) -> tuple[dict[str, int], str] | None:
    """The run or room that has such a text now, and the text. `text` None: whatever its note or title is."""
    if kind in OF_RUN:
        mine = (RUNS.c.id == about, RUNS.c.example.is_(None), kept())
        run = connection.execute(sa.select(RUNS.c.number, RUNS.c.note, RUNS.c.tags).where(*mine)).first()
        if run is None:
            return None
        texts = (run.tags or "").split() if kind == "tag" else [run.note] if run.note else []
        of = {"run": run.number}
    else:
        room = connection.execute(sa.select(ROOMS.c.number, ROOMS.c.title).where(ROOMS.c.id == about)).first()
        if room is None:
            return None
        inside = sa.select(NICKNAMES.c.nickname).where(NICKNAMES.c.room == room.number)
        texts = list(connection.scalars(inside)) if kind == "nickname" else [room.title]
        of = {"room": room.number}
    if text is None and kind in ("note", "title"):
        text = texts[0] if texts else None
    return (of, text) if text is not None and text in texts else None


def _take_away(connection: Connection, row: Row[Any]) -> None:
    if row.kind in OF_RUN:
        run = connection.execute(sa.select(RUNS).where(RUNS.c.number == row.run).with_for_update()).one()
        left = " ".join(tag for tag in (run.tags or "").split() if tag != row.text)
        values = {"note": None} if row.kind == "note" else {"tags": f" {left} " if left else None}
        connection.execute(sa.update(RUNS).where(RUNS.c.number == run.number).values(values))
        curves.insert_log(connection, run.number, run.attempt, "warning", CLEARED[row.kind])
    elif row.kind == "title":
        connection.execute(sa.update(ROOMS).where(ROOMS.c.number == row.room).values(title=RENAMED))
    else:
        forget_member(connection, row.room, row.text)


def _about(connection: Connection, row: Row[Any]) -> str:
    of = sa.select(ROOMS.c.id).where(ROOMS.c.number == row.room)
    if row.run is not None:
        of = sa.select(RUNS.c.id).where(RUNS.c.number == row.run)
    return connection.scalar(of) or ""


def _row(connection: Connection, number: int) -> Row[Any] | None:
    return connection.execute(sa.select(COMPLAINTS).where(COMPLAINTS.c.number == number)).first()


def _same(kind: Kind, of: dict[str, int], text: str) -> tuple[sa.ColumnElement[bool], ...]:
    c = COMPLAINTS.c
    return c.kind == kind, *(c[column] == number for column, number in of.items()), c.text == text


def _settle(connection: Connection, row: Row[Any], standing: str) -> int:
    of = {"run": row.run} if row.run is not None else {"room": row.room}
    open_ = sa.update(COMPLAINTS).where(*_same(row.kind, of, row.text), COMPLAINTS.c.standing == "open")
    return connection.execute(open_.values(standing=standing)).rowcount


def _hourly(connection: Connection, by: Asker) -> int:
    """How many reports of names and complaints came from the address within an hour."""
    since = time.time() - HOUR_S
    names = sa.select(sa.func.count()).select_from(REPORTS).where(REPORTS.c.address == by.address, REPORTS.c.at > since)
    here = _count(connection, COMPLAINTS.c.address == by.address, COMPLAINTS.c.at > since)
    return here + (connection.scalar(names) or 0)


def _count(connection: Connection, *conditions: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(COMPLAINTS).where(*conditions)) or 0
